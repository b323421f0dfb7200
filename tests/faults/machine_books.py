"""The books of an example: what really happened, beside what the database says; and whether both agree."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection

from automation.choices import MAX_ATTEMPTS
from automation.models import RunEvent
from devices.models import Host
from tests.faults.machine_phones import Mark, Violation

COLUMNS = "id, state, outcome, reason, finished_at, fence, account_id, device_id, host_id, retry_of_id"
CANARY = "Canary-"  #: how every password begins; it may stand in tickets only
BY_SCRIPT = ("succeeded", "failed", "needs_person")  #: outcomes that only an agent can tell


class Row(NamedTuple):
    """A run as the database has it."""

    id: int
    state: str
    outcome: str
    reason: str
    finished_at: Any
    fence: int
    account: int | None
    device: int | None
    host: int | None
    retry_of: int | None


@dataclass
class Books:
    """Filled by agents and phones as they go, held against the database after every rule."""

    taken: set[Mark] = field(default_factory=set)
    fences: dict[int, set[int]] = field(
        default_factory=dict
    )  #: run -> fences under which a phone was touched
    reports: Counter[int] = field(default_factory=Counter)  #: run -> reports that agents wrote down
    ends: dict[Mark, tuple[str, str]] = field(default_factory=dict)  #: what an agent told of a run's end
    forbidden: set[int] = field(default_factory=set)  #: accounts whose disabling was answered
    finished: dict[int, Row] = field(default_factory=dict)
    judged: set[int] = field(default_factory=set)  #: finished runs that were looked at after a pass
    account_of: dict[int, int | None] = field(default_factory=dict)
    active: int = 0
    waiting: int = 0

    # --- what agents and phones say ---

    def ticket_taken(self, mark: Mark) -> None:
        if self.account_of.get(mark[0]) in self.forbidden:
            raise Violation(f"I3: run {mark} starts though its account was disabled before")
        self.taken.add(mark)

    def touched(self, mark: Mark) -> None:
        if mark not in self.taken:
            raise Violation(f"I1: run {mark} touches a phone without a ticket")
        fences = self.fences.setdefault(mark[0], set())
        fences.add(mark[1])
        if len(fences) > 1:
            raise Violation(f"I1: run {mark[0]} touched phones under the fences {sorted(fences)}")

    def told(self, kind: str, mark: Mark, body: dict[str, Any]) -> None:
        keep_secret("a report", body)
        if kind != "abandoned":  # has no event of its own where the run was not started
            self.reports[mark[0]] += 1
        if kind == "finished" and body["reason"] != "stale":
            self.ends[mark] = (body["outcome"], body["reason"])

    def ticket_made(self, mark: Mark) -> None:
        """Whoever opens a password has written down before for what."""
        if RunEvent.objects.filter(run=mark[0], new="offered").count() < mark[1]:
            raise Violation(f"audit: a ticket for run {mark} is made before its event is written")

    def pass_ended(self, heard: set[int]) -> None:
        """Runs are lost with a host that is silent, not with one whose heartbeat lay there before the pass."""
        for row in self.look():
            if row.id not in self.judged and row.state == "finished":
                self.judged.add(row.id)
                if row.reason == "host_silent" and row.host in heard:
                    raise Violation(f"I8: run {row.id} is lost as of a silent host, which is heard")

    # --- after every rule ---

    def look(self) -> list[Row]:
        """The runs as they are now. Raises Violation where they contradict each other or what happened."""
        rows = read_rows()
        self.active = sum(row.state in ("offered", "running") for row in rows)
        self.waiting = sum(row.state == "pending" for row in rows)
        for row in rows:
            self.account_of[row.id] = row.account
            self._one(row)
        _exclusive(rows)
        _attempts(rows)
        return rows

    def _one(self, row: Row) -> None:
        if row.id in self.finished or row.state == "finished":
            self._ended(row)
        elif row.state == "running" and (row.id, row.fence) not in self.taken:
            raise Violation(f"I5: run {row.id} runs under fence {row.fence}, whose ticket nobody took")
        if row.reason == "stale":
            raise Violation(f"I5: run {row.id} was ended by a report of another fence or host")

    def _ended(self, row: Row) -> None:
        known = self.finished.setdefault(row.id, row)
        if known[1:5] != row[1:5]:
            raise Violation(f"I1: run {row.id} ended as {known[1:5]} and is now {row[1:5]}")
        if row.outcome in BY_SCRIPT and self.ends.get((row.id, row.fence)) != (row.outcome, row.reason):
            raise Violation(f"I5: run {row.id} is {row.outcome} {row.reason}, which its agent did not tell")

    # --- at the end ---

    def close(self) -> None:
        """After quiet time. Raises Violation where something is left over, lost or doubled."""
        rows = self.look()
        left = [row for row in rows if row.state != "finished"]
        if left:
            raise Violation(f"I1, I8: after quiet time these are not finished: {left}")
        self._events()

    def _events(self) -> None:
        ends = Counter(RunEvent.objects.filter(new="finished").values_list("run_id", flat=True))
        wrong = {run: count for run, count in ends.items() if count != 1}
        if wrong or set(ends) != set(self.finished):
            raise Violation(
                f"I1: runs with another number of ends than one: {wrong or self.finished.keys() ^ ends}"
            )
        applied = _applied()
        if applied != self.reports:
            raise Violation(
                f"I4: told {self.reports - applied} and not applied; applied {applied - self.reports} too often"
            )


def keep_secret(where: str, what: object) -> None:
    if CANARY in str(what):
        raise Violation(f"a password stands in {where}")


def read_rows() -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM automation_run ORDER BY id")
        return [Row(*row) for row in cursor.fetchall()]


def _exclusive(rows: list[Row]) -> None:
    running = Counter(row.device for row in rows if row.state == "running" and row.device)
    offered = Counter(row.device for row in rows if row.state == "offered" and row.device)
    active = Counter(row.account for row in rows if row.state in ("running", "offered") and row.account)
    for what, counted in (
        ("device with runs that run", running),
        ("device with offers", offered),
        ("account", active),
    ):
        double = [one for one, count in counted.items() if count > 1]
        if double:
            raise Violation(f"I2: two at once for a {what}: {double}")


def _attempts(rows: list[Row]) -> None:
    lengths: dict[int, int] = {}
    for row in rows:
        lengths[row.id] = lengths.get(row.retry_of or 0, 0) + 1
        if lengths[row.id] > MAX_ATTEMPTS:
            raise Violation(f"I6: run {row.id} is attempt {lengths[row.id]}")


def _applied() -> Counter[int]:
    """run -> events that come from reports of agents, whether they had an effect or were kept as late."""
    hosts = set(Host.objects.values_list("name", flat=True))
    events = RunEvent.objects.values_list("run_id", "kind", "old", "new", "detail", "actor")
    return Counter(run for run, *event in events if _is_of_report(event, hosts))


def _is_of_report(event: list[str], hosts: set[str]) -> bool:
    kind, old, new, detail, actor = event
    if "abandoned from" in detail or "agent_restarted" in detail:
        return False
    is_start = (old, new) == ("offered", "running")
    return kind in ("step", "late") or is_start or (new == "finished" and actor in hosts)
