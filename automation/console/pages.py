"""What the page of one run shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import Account
from automation import matches
from automation.choices import EventKind, Outcome, RunState
from automation.console.looks import script_label, status_pill, told_options
from automation.console.match_page import match_of
from automation.console.reasons import advice, sentence
from automation.console.rows import rows
from automation.console.why import Why
from automation.models import Evidence, Run, RunEvent
from automation.protocol import UNCONFIRMED

LAST_RUNS = 10


def may_view(request: HttpRequest, app: str, model: str) -> bool:
    return any(request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change"))


@dataclass(frozen=True)
class Line:
    """One line of the run's history."""

    at: datetime
    text: str
    kind: str
    ok: bool
    seconds: float | None
    share: int  #: of the longest step, in percent
    detail: str
    actor: str


def run_page(request: HttpRequest, run: Run | None) -> dict[str, Any]:
    """The context of the page; nothing for a run that does not exist."""
    if run is None:
        return {}
    return {
        "run": run,
        "script": script_label(run.script),
        "pill": status_pill(run),
        "why": Why([run]).of(run),
        "advice": advice(run.reason),
        "lines": history(run),
        "options": told_options(run.script, run.options),
        "facts": facts({} if run.script == "match" else _but_unconfirmed(run.result)),
        "unconfirmed": run.result.get(UNCONFIRMED),
        **(match_of(request, run) if may_view(request, "accounts", "account") else {}),
        "next_run": Run.objects.filter(retry_of=run).first(),
        "evidence": _evidence(request, run),
        "is_over": run.state == RunState.FINISHED,
    }


def _but_unconfirmed(result: dict[str, Any]) -> dict[str, Any]:
    """They have a sentence of their own."""
    return {name: value for name, value in result.items() if name != UNCONFIRMED}


def history(run: Run) -> list[Line]:
    """What happened, oldest first."""
    events = list(run.events.all())
    longest = max((event.seconds or 0 for event in events), default=0) or 1
    return [_line(event, longest) for event in events]


def _line(event: RunEvent, longest: float) -> Line:
    share = round(100 * (event.seconds or 0) / longest)
    return Line(
        event.at, _text(event), event.kind, event.ok, event.seconds, share, _detail(event), event.actor
    )  # fmt: skip


def _text(event: RunEvent) -> str:
    """The step's name, or the state that it went into."""
    if event.kind == EventKind.STATE and event.new:
        return str(dict(RunState.choices).get(event.new, event.new))
    if event.kind == EventKind.LATE:
        return str(EventKind.LATE.label)
    return _(event.name) if event.name else _("note")


def _detail(event: RunEvent) -> str:
    """How it ended in words, or what was noted."""
    outcome, _space, reason = event.detail.partition(" ")
    if event.new != RunState.FINISHED or outcome not in Outcome.values:
        return event.detail
    return " · ".join(filter(None, [str(Outcome(outcome).label), reason and sentence(reason)]))


def facts(result: dict[str, Any]) -> list[tuple[str, str]]:
    """The result as name and text; lists are told by their members, what is nested and empty is left out."""
    plain = [(name, value) for name, value in result.items() if not _is_nested(value)]
    return [(name.replace("_", " "), _as_text(value)) for name, value in plain]


def _is_nested(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(one, dict) for one in value)
    )


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "–"
    return "–" if value is None else str(value)


def _evidence(request: HttpRequest, run: Run) -> dict[str, bool] | None:
    """Which parts there are, for those who may see them; neither is read here."""
    if not request.user.has_perm("automation.view_evidence"):
        return None
    found = Evidence.objects.filter(run=run).exclude(screenshot=b"").exists()
    dumped = Evidence.objects.filter(run=run).exclude(dump="").exists()
    return {"screenshot": found, "dump": dumped} if found or dumped else None


def accounts_on(request: HttpRequest, device: str) -> dict[str, Any]:
    """The accounts of one device, for those who may see accounts."""
    if not device.isdigit() or not may_view(request, "accounts", "account"):
        return {}
    return {"accounts_here": list(Account.objects.filter(device=int(device)))}


def last_match_of(request: HttpRequest, device: str) -> dict[str, Any]:
    """What the last match of one device found, for those who may see runs and accounts."""
    may = may_view(request, "automation", "run") and may_view(request, "accounts", "account")
    return match_of(request, matches.newest_on(int(device))) if may and device.isdigit() else {}


def last_runs_of(request: HttpRequest, **of: str) -> dict[str, Any]:
    """The last runs of one account or device, with their reasons, for those who may see runs."""
    if not all(pk.isdigit() for pk in of.values()) or not may_view(request, "automation", "run"):
        return {}
    runs = Run.objects.filter(**of).select_related("account", "device__host").order_by("-id")[:LAST_RUNS]
    query = "&".join(f"{name}__id__exact={pk}" for name, pk in of.items())
    return {"last_runs": rows(runs), "last_runs_query": query}
