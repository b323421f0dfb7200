"""How states, outcomes and scripts are shown."""

from __future__ import annotations

from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from automation.choices import Outcome, RunState
from automation.models import Run
from automation.scripts.base import SCRIPTS
from automation.scripts.options import Choice, Option
from devices.admin.kit import BAD, BUSY, GOOD, PLAIN, WARN, pill

LOOKS: dict[str, str] = {
    RunState.PENDING: PLAIN,
    RunState.OFFERED: BUSY,
    RunState.RUNNING: BUSY,
    Outcome.SUCCEEDED: GOOD,
    Outcome.FAILED: BAD,
    Outcome.NEEDS_PERSON: WARN,
    Outcome.ERRORED: BAD,
    Outcome.CANCELED: PLAIN,
    Outcome.SKIPPED: PLAIN,
    Outcome.LOST: BAD,
}


def script_label(name: str) -> str:
    """What the operator calls the script."""
    return gettext(SCRIPTS[name].label) if name in SCRIPTS else name


def told_options(script: str, options: dict[str, Any]) -> list[tuple[str, str]]:
    """(label, value) of what the script is asked with, as the operator reads it."""
    known = {one.name: one for one in SCRIPTS[script].options} if script in SCRIPTS else {}
    return [
        (gettext(known[name].label) if name in known else name, _told(known.get(name), value))
        for name, value in options.items()
    ]


def _told(option: Option | None, value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    labels = dict(option.pairs) if isinstance(option, Choice) else {}
    return gettext(labels[value]) if value in labels else str(value) or "–"


def status_pill(run: Run) -> SafeString:
    """How it ended, or where it is."""
    if run.state == RunState.FINISHED:
        return pill(run.get_outcome_display(), LOOKS[run.outcome])
    if run.cancel_requested:
        return pill(gettext("is being canceled"), WARN)
    return pill(run.get_state_display(), LOOKS[run.state])
