"""Why a run waits and why a phone does not work, for whole lists at a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from automation.choices import Outcome, RunState
from automation.console.looks import script_label
from automation.console.reasons import sentence
from automation.controller import dispatch
from automation.controller.planning import Reason
from automation.models import Run
from automation.scripts.base import SCRIPTS
from automation.scripts.reasons import REASONS
from devices.models import Device


class Why:
    """What is in hand now, read once; answers for the runs and devices of a page."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._runs = list(runs)

    @cached_property
    def in_hand(self) -> dict[int, Run]:
        """device -> the run that it works on, or else the one that it was offered."""
        runs = (
            Run.objects.active().exclude(device=None).select_related("account").order_by("-started_at", "-id")
        )
        found: dict[int, Run] = {}
        for run in runs:
            if run.state == RunState.RUNNING or run.device_id not in found:
                found[run.device_id or 0] = run
        return found

    def trouble(self, device: Device) -> str:
        """Why the device cannot work; empty when it can or does."""
        return str(dispatch.device_trouble(device) or "")

    def doing(self, device: Device) -> str:
        """What the device does now, or why it does nothing."""
        run = self.in_hand.get(device.pk)
        if run is not None:
            return " ".join(filter(None, (script_label(run.script), str(run.account or ""))))
        return self.trouble(device) or _("free")

    def of(self, run: Run) -> str:
        """Why the run waits, or why it ended as it did."""
        if run.state == RunState.FINISHED:
            return _in_own_words(run) or (sentence(run.reason) if run.reason else "")
        return (
            str(self._waits.get(run.pk) or _("It is next in line.")) if run.state == RunState.PENDING else ""
        )

    @cached_property
    def _waits(self) -> dict[int, Reason | None]:
        return dispatch.explain(run for run in self._runs if run.state == RunState.PENDING)


def _in_own_words(run: Run) -> str:
    """What a script of the user's said of its end, where its reason has no sentence of ours."""
    script = SCRIPTS.get(run.script)
    if script is None or script.is_shipped or run.reason in REASONS or run.outcome == Outcome.ERRORED:
        return ""
    return run.message.partition("\n")[0][:200]
