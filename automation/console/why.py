"""Why a run waits and why a phone does not work, for whole lists at a constant number of queries."""

from __future__ import annotations

from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from automation.choices import RunState
from automation.console.looks import script_label
from automation.console.reasons import sentence
from automation.controller import dispatch
from automation.models import Run
from devices.models import Device


class Why:
    """What is in hand now, read once; answers for as many runs and devices as a page has."""

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

    @cached_property
    def _free(self) -> set[int]:
        return set(Device.objects.free().values_list("pk", flat=True))

    def trouble(self, device: Device) -> str:
        """Why the device cannot work; empty when it can or does."""
        return "" if device.pk in self._free else dispatch.device_trouble(device)

    def doing(self, device: Device) -> str:
        """What the device does now, or why it does nothing."""
        run = self.in_hand.get(device.pk)
        if run is not None:
            return " ".join(filter(None, (script_label(run.script), str(run.account or ""))))
        return self.trouble(device) or _("free")

    def of(self, run: Run) -> str:
        """Why the run waits, or why it ended as it did."""
        if run.state == RunState.FINISHED:
            return sentence(run.reason) if run.reason else ""
        return self._waiting(run) if run.state == RunState.PENDING else ""

    def _waiting(self, run: Run) -> str:
        device = run.device
        if device is None or device.pk not in self._free or _held_back(run):
            return dispatch.why_waiting(run)
        busy = self.in_hand.get(device.pk)
        if busy is not None:
            return _("Device %(device)s has run %(run)s in hand.") % {"device": device, "run": busy.pk}
        return _("It is next in line.")


def _held_back(run: Run) -> bool:
    """Whether it would not start even if its device were free."""
    disabled = run.account is not None and not run.account.is_enabled
    return disabled or run.not_before > timezone.now()
