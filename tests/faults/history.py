"""What is known after a fault test: what the phones saw, what the database tells, what was done and when.

All times are seconds of the one monotonic clock of the machine; nothing is judged by a wall clock.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

RunKey = tuple[int, int]  #: run, fence


@dataclass(frozen=True)
class Touch:
    """One touch, as the phone saw it."""

    serial: str
    at: float
    run: int
    fence: int


@dataclass(frozen=True)
class Entry:
    """A line of an agent's diary: `take` before its ticket is, `send` before a touch is; else a report written."""

    host: str
    at: float
    kind: str
    run: int
    fence: int
    name: str = ""


@dataclass(frozen=True)
class Call:
    """What an operator did. `is_sure`: the reply said that it is done, not that Redis was away."""

    kind: str
    sent: float
    replied: float
    run: int = 0
    account: int = 0
    state: str = ""  #: of the run when the operator looked
    state_after: str = ""  #: of the run when the reply was there
    is_sure: bool = True


@dataclass(frozen=True)
class Fault:
    """What was injected, and from when to when. Not `is_whole`: it broke off, such as for want of a Redis to hurt."""

    kind: str
    target: str
    begun: float
    ended: float
    is_whole: bool = True


@dataclass(frozen=True)
class RunRow:
    """A run as it is in the end."""

    id: int
    account: int = 0
    script: str = "touch"
    host: str = ""
    state: str = "finished"
    outcome: str = "succeeded"
    reason: str = ""
    fence: int = 1
    attempt: int = 1
    retry_of: int = 0
    touches: int = 0  #: how many the run was to make (script touch)
    result_fence: int = 0  #: the fence that its result names, 0 without one
    start: int = 0  #: of a campaign, that it belongs to


@dataclass(frozen=True)
class Event:
    """A row of the events table, in the order in which they were written."""

    run: int
    kind: str = "state"
    old: str = ""
    new: str = ""
    name: str = ""
    detail: str = ""


@dataclass(frozen=True)
class HostRow:
    """A host's reports: what its outbox has given out and still keeps, and what is applied."""

    name: str
    given: int
    kept: int
    applied: int
    same_epoch: bool = True

    @property
    def is_told(self) -> bool:
        """Whether all of them are applied, and the host knows it."""
        return self.same_epoch and self.applied == self.given and not self.kept


@dataclass(frozen=True)
class CampaignRow:
    """A campaign that starts by itself: all times at which it was due, and what can be said about them."""

    id: int
    dues: list[float]
    targets: int  #: accounts that it is for
    looks: list[float]  #: times up to which somebody looked what was due
    pauses: list[tuple[float, float]]  #: from when to when it was not active


@dataclass(frozen=True)
class Start:
    """A row about starts of a campaign: it stands for so many due times, of which `due` is the last."""

    id: int
    campaign: int
    due: float
    state: str = "over"
    reason: str = ""
    starts: int = 1
    seen: float | None = None  #: when the watcher saw it first

    @property
    def what(self) -> str:
        """What became of it."""
        return f"{self.state} {self.reason}".strip()

    def is_of(self, due: float) -> bool:
        """Whether it stands for this time."""
        return self.due - (self.starts - 1) * MINUTE - 1 < due < self.due + 1


MINUTE = 60.0  #: between two starts of a campaign


@dataclass
class Sight:
    """What the watcher saw of a run while the test ran."""

    active: float | None = None  #: when it was offered or running, for the last time since it was waiting
    finished: float | None = None
    outcome: str = ""  #: the first one that was seen


#: Kinds of pauses -> until when a touch may have been sent that arrives only after them.
PAUSES: dict[str, Callable[[Fault], float]] = {
    "agent_stop": lambda fault: fault.begun + STOP_SECONDS,
    "adb_stop": lambda fault: fault.ended,
}
STOP_SECONDS = 0.05  #: from the note that a process is to be paused until it is


@dataclass
class History:
    """Everything that the checker looks at."""

    touches: list[Touch] = field(default_factory=list)
    diary: list[Entry] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    runs: dict[int, RunRow] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    hosts: list[HostRow] = field(default_factory=list)
    sights: dict[int, Sight] = field(default_factory=dict)
    campaigns: list[CampaignRow] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """For whoever looks into a violation."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @cached_property
    def touched(self) -> dict[RunKey, list[Touch]]:
        """The touches of each run under each fence, in order."""
        found: dict[RunKey, list[Touch]] = defaultdict(list)
        for touch in sorted(self.touches, key=lambda one: one.at):
            found[touch.run, touch.fence].append(touch)
        return found

    @cached_property
    def touched_at_will(self) -> dict[RunKey, list[Touch]]:
        """The same without a last touch that was on its way when what carries it was paused."""
        return {key: touches[:-1] if self._was_held_up(touches[-1]) else touches
                for key, touches in self.touched.items()}  # fmt: skip

    def _was_held_up(self, touch: Touch) -> bool:
        """Sent before the agent's process, or while adb's, was paused, and arrived when it went on."""
        sent = max((at for at in self._sent[touch.run, touch.fence] if at <= touch.at), default=touch.at)
        host = self.runs[touch.run].host if touch.run in self.runs else ""
        pauses = [one for one in self.faults if one.kind in PAUSES and one.target == host]
        return any(sent <= PAUSES[one.kind](one) and one.ended <= touch.at for one in pauses)

    @cached_property
    def _sent(self) -> dict[RunKey, list[float]]:
        found: dict[RunKey, list[float]] = defaultdict(list)
        for entry in self.diary:
            if entry.kind == "send":
                found[entry.run, entry.fence].append(entry.at)
        return found

    @cached_property
    def events_of(self) -> dict[int, list[Event]]:
        found: dict[int, list[Event]] = defaultdict(list)
        for event in self.events:
            found[event.run].append(event)
        return found

    def transitions(self, run: int) -> list[Event]:
        """The changes of a run's state, in order."""
        return [one for one in self.events_of[run] if one.kind == "state" and one.new]

    @cached_property
    def _by_run(self) -> dict[int, list[list[Touch]]]:
        found: dict[int, list[list[Touch]]] = defaultdict(list)
        for (run, _fence), touches in sorted(self.touched.items()):
            found[run].append(touches)
        return found

    @cached_property
    def runs_of_start(self) -> dict[int, list[RunRow]]:
        found: dict[int, list[RunRow]] = defaultdict(list)
        for run in self.runs.values():
            found[run.start].append(run)
        return found

    def starts_for(self, campaign: CampaignRow, due: float) -> list[Start]:
        """The rows that stand for this due time; there ought to be one."""
        return [one for one in self.starts if one.campaign == campaign.id and one.is_of(due)]

    def fences_of(self, run: int) -> list[list[Touch]]:
        """The touches of a run, by fence."""
        return self._by_run.get(run, [])

    @cached_property
    def touches_of_account(self) -> dict[int, list[Touch]]:
        """The touches of all runs of each account, in order."""
        found: dict[int, list[Touch]] = defaultdict(list)
        for touch in sorted(self.touches, key=lambda one: one.at):
            if touch.run in self.runs:
                found[self.runs[touch.run].account].append(touch)
        return found


def read_touches(paths: Iterable[Path]) -> list[Touch]:
    """The signed touches of journals."""
    found = []
    for line in _lines(paths):
        run, _, fence = line["run"].partition(":")
        if fence:
            found.append(Touch(line["serial"], line["at"], int(run), int(fence)))
    return found


def unsigned_touches(paths: Iterable[Path]) -> int:
    """How many touches nobody has signed: then the journal proves less than it seems to."""
    return sum(":" not in line["run"] for line in _lines(paths))


def read_diaries(paths: Iterable[Path]) -> list[Entry]:
    return [Entry(**line) for line in _lines(paths)]


def _lines(paths: Iterable[Path]) -> Iterable[dict[str, Any]]:
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def read_outbox(path: Path) -> tuple[str, int, int]:
    """Epoch, newest number given and how many reports are kept."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        (epoch,) = db.execute("SELECT value FROM facts WHERE name = 'epoch'").fetchone()
        given = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'reports'").fetchone()
        (kept,) = db.execute("SELECT count(*) FROM reports").fetchone()
    return str(epoch), int(given[0]) if given else 0, int(kept)
