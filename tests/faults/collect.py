"""Gathers the history once all is quiet."""

from __future__ import annotations

import functools
import time
from datetime import datetime
from pathlib import Path

from automation.choices import CampaignState
from automation.models import Campaign, Occurrence, Run, RunEvent
from devices.models import Host
from tests.faults.history import (
    MINUTE,
    CampaignRow,
    Event,
    History,
    HostRow,
    RunRow,
    Start,
    read_diaries,
    read_outbox,
    read_touches,
)
from tests.faults.stage import HOSTS, serials

Looks = dict[int, set[datetime]]


def collect(folder: Path, accounts: dict[int, int]) -> History:
    """All but what only the harness knows: calls, faults, sights, campaigns. `accounts`: run -> its account."""
    history = History()
    history.touches = read_touches(folder / f"{name}.journal" for name in ("phones", "twins"))
    history.diary = read_diaries(path for host in HOSTS if (path := folder / f"{host}.diary").exists())
    history.runs = {run.pk: _row(run) for run in Run.objects.select_related("host")}
    history.runs = {row.id: _of_account(row, history.runs, accounts) for row in history.runs.values()}
    events = RunEvent.objects.order_by("id").values_list("run_id", "kind", "old", "new", "name", "detail")
    history.events = [Event(*row) for row in events]
    history.hosts = hosts(folder)
    return history


def campaigns(looks: Looks, until: datetime) -> list[CampaignRow]:
    """Those that start each minute, with what was due since the first look at them and up to `until`."""
    rows = Campaign.objects.filter(pk__in=looks)
    return [_campaign(row, sorted(looks[row.pk]), until) for row in rows]


def _campaign(row: Campaign, looks: list[datetime], until: datetime) -> CampaignRow:
    first = int(looks[0].timestamp() // MINUTE) + 1
    dues = [number * MINUTE - _clock() for number in range(first, int(until.timestamp() // MINUTE) + 1)]
    return CampaignRow(row.pk, dues, len(serials()), [_moment(one) for one in looks], _pauses(row))


def _pauses(row: Campaign) -> list[tuple[float, float]]:
    found, since = [], 0.0
    for new, at in row.events.order_by("id").values_list("new", "at"):
        if new != CampaignState.ACTIVE:
            since = _moment(at)
        else:
            found.append((since, _moment(at)))
    return found


def starts(seen: dict[int, float]) -> list[Start]:
    """All that became of what was due."""
    return [
        Start(
            row.pk, row.campaign_id, _moment(row.due_at), row.state, row.reason, row.starts, seen.get(row.pk)
        )
        for row in Occurrence.objects.order_by("due_at")
    ]


def _moment(at: datetime) -> float:
    """A time of the wall clock on the clock that all share."""
    return at.timestamp() - _clock()


@functools.cache
def _clock() -> float:
    """What the wall clock is ahead: the same for all times of a test."""
    return time.time() - time.monotonic()


def hosts(folder: Path) -> list[HostRow]:
    """What each host has reported, as it is now."""
    return [_host(folder, name) for name in HOSTS]


def _row(run: Run) -> RunRow:
    return RunRow(
        run.pk, run.account_id or 0, run.script, run.host.name if run.host else "", run.state, run.outcome,
        run.reason, run.fence, run.attempt, run.retry_of_id or 0, int(run.options.get("touches", 0)),
        int(run.result.get("fence", 0)), run.occurrence_id or 0,
    )  # fmt: skip


def _of_account(row: RunRow, rows: dict[int, RunRow], accounts: dict[int, int]) -> RunRow:
    """With the account that it was made for, which may be deleted meanwhile."""
    first = row
    while first.retry_of:
        first = rows[first.retry_of]
    return RunRow(**{**vars(row), "account": accounts.get(first.id, row.account)})


def _host(folder: Path, name: str) -> HostRow:
    epoch, given, kept = read_outbox(folder / "agents" / name / "outbox.sqlite3")
    host = Host.objects.get(name=name)
    return HostRow(name, given, kept, host.applied_seq, host.outbox_epoch == epoch)
