"""The numbers of the overview: each function is one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from accounts.models import Account
from automation.choices import Outcome, RunState
from automation.console.looks import LOOKS
from automation.console.reasons import advice, sentence
from automation.models import Attention, Run
from devices.models import Host

ATTENTION_ROWS, RUN_ROWS = 12, 10
CAMPAIGN_WINDOW = timedelta(hours=24)


def accounts() -> dict[str, int]:
    """all, signed_in, disabled."""
    return Account.objects.aggregate(
        all=Count("pk"),
        signed_in=Count("pk", filter=Q(is_logged_in=True)),
        disabled=Count("pk", filter=Q(is_enabled=False)),
    )


def hosts() -> dict[str, int]:
    """all, silent, untrusted."""
    return Host.objects.aggregate(
        all=Count("pk"),
        silent=Count("pk", filter=Q(is_silent=True)),
        untrusted=Count("pk", filter=Q(is_trusted=False)),
    )


def unfinished_runs() -> dict[str, int]:
    """waiting, in_hand."""
    counts = dict(Run.objects.unfinished().values_list("state").annotate(n=Count("pk")).order_by())
    waiting = counts.pop(RunState.PENDING, 0)
    return {"waiting": waiting, "in_hand": sum(counts.values())}


def start_of_today() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Tally:
    """How many runs ended so."""

    outcome: str
    label: str
    look: str
    count: int


def tallies(counts: dict[str, int]) -> list[Tally]:
    """In the order in which the outcomes are listed; those that did not happen are left out."""
    found = [(outcome, counts.get(outcome, 0)) for outcome in Outcome]
    return [Tally(one.value, str(one.label), LOOKS[one], count) for one, count in found if count]


def finished_today() -> list[Tally]:
    """By outcome, since midnight."""
    ended = Run.objects.finished().filter(finished_at__gte=start_of_today())
    return tallies(dict(ended.values_list("outcome").annotate(n=Count("pk")).order_by()))


def campaign_runs(now: datetime) -> dict[int, dict[str, int]]:
    """campaign -> outcome (empty: unfinished) -> runs of the last 24 hours."""
    recent = Run.objects.exclude(campaign=None).filter(created_at__gte=now - CAMPAIGN_WINDOW)
    found: dict[int, dict[str, int]] = {}
    for campaign, outcome, count in (
        recent.values_list("campaign_id", "outcome").annotate(n=Count("pk")).order_by()
    ):
        found.setdefault(campaign, {})[outcome] = count
    return found


@dataclass(frozen=True)
class Needy:
    """A row of Attention, in short."""

    row: Attention
    sentence: str
    advice: str


def attention_list() -> list[Needy]:
    """The newest that wait for a person."""
    waiting = Attention.objects.waiting(timezone.now()).select_related("run", "account", "device")
    rows = waiting.defer("run__result", "run__options")[:ATTENTION_ROWS]
    return [Needy(row, sentence(row.reason), advice(row.reason)) for row in rows]


def last_runs() -> QuerySet[Run]:
    """The newest runs that came to a phone, with all that a row shows; what waits has its own list."""
    runs: QuerySet[Run] = (
        Run.objects.exclude(state=RunState.PENDING)
        .select_related("account", "device__host")
        .order_by("-id")[:RUN_ROWS]
    )
    return runs
