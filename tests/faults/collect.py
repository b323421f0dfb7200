"""Gathers the history once all is quiet."""

from __future__ import annotations

from pathlib import Path

from automation.models import Run, RunEvent
from devices.models import Host
from tests.faults.history import Event, History, HostRow, RunRow, read_diaries, read_outbox, read_touches
from tests.faults.stage import HOSTS


def collect(folder: Path, accounts: dict[int, int]) -> History:
    """All but what only the harness knows: calls, faults, sights. `accounts`: run -> account, for first attempts."""
    history = History()
    history.touches = read_touches(folder / f"{name}.journal" for name in ("phones", "twins"))
    history.diary = read_diaries(path for host in HOSTS if (path := folder / f"{host}.diary").exists())
    history.runs = {run.pk: _row(run) for run in Run.objects.select_related("host")}
    history.runs = {row.id: _of_account(row, history.runs, accounts) for row in history.runs.values()}
    events = RunEvent.objects.order_by("id").values_list("run_id", "kind", "old", "new", "name", "detail")
    history.events = [Event(*row) for row in events]
    history.hosts = hosts(folder)
    return history


def hosts(folder: Path) -> list[HostRow]:
    """What each host has reported, as it is now."""
    return [_host(folder, name) for name in HOSTS]


def _row(run: Run) -> RunRow:
    return RunRow(
        run.pk, run.account_id or 0, run.script, run.host.name if run.host else "", run.state, run.outcome,
        run.reason, run.fence, run.attempt, run.retry_of_id or 0, int(run.options.get("touches", 0)),
        int(run.result.get("fence", 0)),
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
