"""Phones that only remember who touched them when, and the view that an agent has of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from automation.protocol import PhoneState
from devices.phones.deadline import Deadline
from devices.phones.errors import PhoneHung, PhoneOffline
from tests.faults.machine_strands import Strand, here

if TYPE_CHECKING:
    from tests.faults.machine_agent import AgentProcess

Mark = tuple[int, int]  #: run and fence


class Violation(AssertionError):
    """A promise of the product is broken. Kept, for where it is raised the product's own catch-all may swallow it."""

    seen: ClassVar[list[Violation]] = []

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.seen.append(self)


@dataclass
class Rig:
    """A phone: the only witness of what was done with it."""

    serial: str
    at: set[str] = field(default_factory=set)  #: names of the agents that it hangs on
    online: bool = True
    touches: list[Mark] = field(default_factory=list)
    holder: Holder | None = None

    def is_seen_by(self, agent: str) -> bool:
        return self.online and agent in self.at

    def touch(self, holder: Holder) -> None:
        """One touch; the touches of a run are one block."""
        if not self.is_seen_by(holder.agent.name):
            raise PhoneOffline
        mark = holder.mark
        if self.touches and self.touches[-1] != mark and mark in self.touches:
            raise Violation(f"I2: {self.serial} is touched by {mark} after {self.touches[-1]}")
        if not self.touches or self.touches[-1] != mark:
            self.touches.append(mark)
        holder.agent.touched(mark)

    def open(self, holder: Holder) -> None:
        other = self.holder
        if other is not None and other.is_there and self.is_seen_by(other.agent.name):
            raise Violation(f"I2: {self.serial} is opened by {holder.mark} while {other.mark} has it open")
        self.touch(holder)
        self.holder = holder

    def close(self, holder: Holder) -> None:
        if self.holder is holder:
            self.holder = None


@dataclass(eq=False)
class Holder:
    """Who has a phone open."""

    agent: AgentProcess
    mark: Mark
    is_there: bool = True


class FakePhone:
    """What a script gets. Every touch first hands the control over, then asks the deadline, as the real one does."""

    def __init__(self, rig: Rig, holder: Holder, deadline: Deadline) -> None:
        self.serial, self.deadline = rig.serial, deadline
        self._rig, self._holder = rig, holder

    def touch(self) -> str:
        """One touch; the answer is how the script is to go on."""
        answer = strand_here().pause("touch")
        self.deadline.check()
        self._rig.touch(self._holder)
        return answer

    def dump(self) -> str:
        self.touch()
        return "<hierarchy/>"

    def screenshot(self) -> bytes:
        raise PhoneHung


def strand_here() -> Strand:
    strand = here()
    if strand is None:
        raise AssertionError("a phone is touched outside of any strand")
    return strand


class Inventory:
    """The phones as one agent sees them now; in place of adb's lists."""

    def __init__(self, rigs: dict[str, Rig], agent: AgentProcess) -> None:
        self.servers: list[Any] = []
        self.on_change: Callable[[], None] = lambda: None  #: set by the agent; here the next beat tells
        self._rigs, self._agent = rigs, agent

    def phones(self) -> list[dict[str, Any]]:
        """What the heartbeat says."""
        name = self._agent.name
        seen = [rig for rig in self._rigs.values() if name in rig.at]
        return [
            asdict(PhoneState(rig.serial, rig.serial, "online" if rig.online else "offline")) for rig in seen
        ]

    def confirm(self, serial: str, deadline: Deadline) -> tuple[AgentProcess, str]:
        """The "server" is the agent itself: `open_phone` below knows it by that."""
        deadline.check()
        if not self._rigs[serial].is_seen_by(self._agent.name):
            raise PhoneOffline
        return self._agent, serial


@contextmanager
def open_phone(agent: AgentProcess, serial: str, *, deadline: Deadline) -> Iterator[FakePhone]:
    """What stands in for devices.phones.u2_phone.open_phone."""
    strand_here().pause("open")
    deadline.check()
    rig, holder = agent.rigs[serial], Holder(agent, agent.mark_here())
    rig.open(holder)
    try:
        yield FakePhone(rig, holder, deadline)
    finally:
        holder.is_there = False
        rig.close(holder)
