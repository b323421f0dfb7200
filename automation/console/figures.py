"""The numbers of the overview: each function is one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.models import Account
from automation.choices import Outcome, RunState
from automation.console.looks import LOOKS
from automation.console.reasons import advice, sentence
from automation.models import Run
from devices.models import Host

ATTENTION_ROWS, RUN_ROWS = 12, 10
CAMPAIGN_WINDOW = timedelta(hours=24)


def accounts() -> dict[str, int]:
    """all, signed_in, disabled, attention."""
    return Account.objects.aggregate(
        all=Count("pk"),
        signed_in=Count("pk", filter=Q(is_logged_in=True)),
        disabled=Count("pk", filter=Q(is_enabled=False)),
        attention=Count("pk", filter=~Q(attention="")),
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
class Attention:
    """An account that needs a person."""

    account: Account
    sentence: str
    advice: str
    run: int | None  #: the run that found it, with its evidence


def attention_list() -> list[Attention]:
    """The newest first."""
    last = Run.objects.filter(account=OuterRef("pk"), reason=OuterRef("attention")).order_by("-id")
    found = Account.objects.needing_attention().select_related("device")
    rows = found.annotate(run_id=Subquery(last.values("pk")[:1])).order_by("-attention_since", "-pk")
    return [
        Attention(account, sentence(account.attention), advice(account.attention), account.run_id)
        for account in rows[:ATTENTION_ROWS]
    ]


def last_runs() -> QuerySet[Run]:
    """The newest runs that came to a phone, with all that a row shows; what waits has its own list."""
    runs: QuerySet[Run] = (
        Run.objects.exclude(state=RunState.PENDING)
        .select_related("account", "device__host")
        .order_by("-id")[:RUN_ROWS]
    )
    return runs
