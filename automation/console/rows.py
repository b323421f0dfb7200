"""A run as one row of a small table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.safestring import SafeString

from automation.console.looks import script_label, status_pill
from automation.console.why import Why
from automation.models import Run
from devices.admin.kit import when


@dataclass(frozen=True)
class RunRow:
    run: Run
    script: str
    pill: SafeString
    why: str
    asked: str


def rows(runs: Iterable[Run]) -> list[RunRow]:
    """One per run, in their order."""
    shown = list(runs)
    why = Why(shown)
    return [
        RunRow(run, script_label(run.script), status_pill(run), why.of(run), when(run.created_at))
        for run in shown
    ]
