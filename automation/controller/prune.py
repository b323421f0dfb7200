"""What grows with every run: evidence goes by age and by size, runs and starts of campaigns by age, a few at a time.

What somebody still waits for goes last.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from automation.choices import OPEN
from automation.models import Attention, Evidence, Occurrence, Run

log = logging.getLogger(__name__)

BATCH = 200  #: pieces, or runs, in one go: a pass of the controller must not wait for thousands


def history() -> int:
    """Delete runs that ended too long ago, with their events, at most BATCH; returns how many runs.

    Then the starts of campaigns that were due so long ago, are over and have no run left.
    """
    days = settings.PHONERACK_HISTORY_DAYS
    if not days:
        return 0
    end = timezone.now() - timedelta(days=days)
    gone = _runs(end)
    if gone < BATCH:
        _occurrences(end)
    return gone


def _runs(end: datetime) -> int:
    old = Run.objects.finished().filter(finished_at__lt=end)
    waited_for = Attention.objects.open().values("run")
    chosen = list(old.exclude(pk__in=waited_for).order_by("finished_at").values_list("pk", flat=True)[:BATCH])
    gone: int = Run.objects.filter(pk__in=chosen).delete()[1].get("automation.Run", 0) if chosen else 0
    if gone:
        log.info("%s runs were pruned", gone)
    return gone


def _occurrences(end: datetime) -> None:
    """Only the oldest are looked at, however many there are."""
    oldest = list(Occurrence.objects.order_by("pk").values_list("pk", flat=True)[:BATCH])
    Occurrence.objects.filter(pk__in=oldest, due_at__lt=end, runs=None).exclude(state__in=OPEN).delete()


def evidence() -> int:
    """Delete what is too old, else the oldest of what is too much, at most BATCH; returns how many."""
    wanted = _wanted()
    gone = _delete(_too_old(wanted)) or _delete(_too_much(wanted))
    if gone:
        log.info("%s pieces of evidence were pruned", gone)
    return gone


def _wanted() -> set[int]:
    """The pieces that somebody still waits for."""
    open_runs = Attention.objects.open().values("run")
    return set(Evidence.objects.filter(run__in=open_runs).values_list("pk", flat=True))


def _oldest(count: int) -> list[tuple[int, datetime, int]]:
    """(piece, time, bytes), out of the index: no picture is read."""
    return list(Evidence.objects.order_by("at").values_list("pk", "at", "size")[:count])


def _too_old(wanted: set[int]) -> list[int]:
    if not settings.PHONERACK_EVIDENCE_DAYS:
        return []
    end = timezone.now() - timedelta(days=settings.PHONERACK_EVIDENCE_DAYS)
    rows = _oldest(BATCH + len(wanted))
    return [pk for pk, at, _size in rows if at < end and pk not in wanted][:BATCH]


def _too_much(wanted: set[int]) -> list[int]:
    """The oldest, until all that is left is small enough."""
    most = settings.PHONERACK_EVIDENCE_MB * 1_000_000
    over = (Evidence.objects.aggregate(n=Sum("size"))["n"] or 0) - most
    if not most or over <= 0:
        return []
    chosen: list[int] = []
    for pk, _at, size in sorted(_oldest(BATCH + len(wanted)), key=lambda row: (row[0] in wanted, row[1])):
        if over <= 0 or len(chosen) == BATCH:
            break
        chosen.append(pk)
        over -= size
    return chosen


def _delete(pks: list[int]) -> int:
    return Evidence.objects.filter(pk__in=pks).delete()[0] if pks else 0
