"""The real agent of a host, without its process: what would be threads are strands, what would be a kill is one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from automation.agent.pulse import Pulse
from automation.agent.worker import Agent
from automation.protocol import key
from automation.transport import Offers
from tests.faults.machine_phones import Inventory, Mark, Rig, Violation
from tests.faults.machine_redis import Server
from tests.faults.machine_strands import Killed, Strand, here
from tests.faults.machine_trouble import NO_TROUBLE, Trouble

OUTBOX_CALLS = ("take_in_hand", "let_go", "add", "finish", "snapshot", "unsent_texts", "acknowledged")


class Witness(Protocol):
    """Who keeps the books of an example (machine_books.py)."""

    def ticket_taken(self, mark: Mark) -> None: ...
    def touched(self, mark: Mark) -> None: ...
    def told(self, kind: str, mark: Mark, body: dict[str, Any]) -> None: ...


class OneTurn:
    """In the place of a `stop` event: lets a loop go round once, and waits for nothing."""

    def __init__(self) -> None:
        self._asked = False

    def is_set(self) -> bool:
        self._asked, asked = True, self._asked
        return asked

    def set(self) -> None:
        self._asked = True

    def wait(self, timeout: float | None = None) -> bool:
        return False


class AgentProcess:
    """One agent: alive, paused (SIGSTOP) or dead. Its folder outlives it."""

    def __init__(
        self, name: str, folder: Path, locks: Path, rigs: dict[str, Rig], redis: Server, witness: Witness
    ) -> None:
        self.name, self._folder, self._locks = name, folder, locks
        self.rigs, self._witness = rigs, witness
        self.redis = redis  #: the server itself, for trouble with it
        self.is_paused = False
        self.trouble: Trouble = NO_TROUBLE
        self.jobs: dict[Strand, Mark] = {}  #: runs that a thread is at
        self.pulse: Strand | None = None  #: a turn of the pulse that was interrupted
        self.ordered: set[Mark] = set()  #: cancels that the turn at hand has read
        self.stopped: set[Strand] = set()  #: jobs that may touch nothing any more
        self._agent: Agent | None = None

    @property
    def is_alive(self) -> bool:
        return self._agent is not None

    @property
    def works(self) -> bool:
        return self.is_alive and not self.is_paused

    @property
    def outbox(self) -> Any:
        return self._real.outbox

    @property
    def _real(self) -> Agent:
        if self._agent is None:
            raise Killed
        return self._agent

    # --- life and death ---

    def boot(self) -> None:
        """As `Agent.run` does before it serves. Raises redis errors: then it did not start."""
        os.environ["PHONERACK_LOCKS"] = str(self._locks)
        made = Agent(self.name, f"redis://{self.name}", self._folder, [Inventory(self.rigs, self)], [], 10)  # type: ignore[list-item]
        self._agent, self.is_paused = made, False
        made.work.die = self._die  # type: ignore[method-assign]
        for name in OUTBOX_CALLS:
            setattr(made.outbox, name, self._guarded(name, getattr(made.outbox, name)))
        try:
            made.pulse.claim_name()
            made.outbox.abandon_all()
        except BaseException:
            self.crash()
            raise

    def _die(self) -> None:
        self.crash()
        raise Killed

    def crash(self) -> None:
        """kill -9: the kernel closes what it had open."""
        agent, self._agent = self._agent, None
        if agent is None:
            return
        self.is_paused, self.trouble = False, NO_TROUBLE
        mine = here()
        for strand in [*self.jobs, self.pulse]:
            if strand is not None and strand is not mine:
                strand.kill()
        self.jobs.clear()
        self.pulse = None
        agent.outbox._db.close()
        agent.identity._lock.close()

    def cut_power(self) -> None:
        """The machine loses power: of the outbox stays what SQLite had synced, by what its setting promises.

        With WAL and anything below FULL that is the last checkpoint (https://sqlite.org/pragma.html#pragma_synchronous).
        """
        if self._agent is None:
            return
        level = self._agent.outbox._db.execute("PRAGMA synchronous").fetchone()[0]
        kept = [
            path
            for path in self._folder.glob("outbox.sqlite3*")
            if level >= 2 or not path.name.endswith("-wal")
        ]
        aside = self._folder.with_name(self._folder.name + "-power")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        for path in kept:
            shutil.copy(path, aside)
        self.crash()
        for path in self._folder.glob("outbox.sqlite3*"):
            path.unlink()
        for path in aside.iterdir():
            if not path.name.endswith("-shm"):
                shutil.move(path, self._folder / path.name)

    # --- work ---

    def start_job(self, message: bytes) -> None:
        """A thread of the pool gets a message."""
        offer = Offers.arguments_of(json.loads(message))
        if offer is None:
            raise Violation("an offer's message is none for its agent")
        run, fence, serial = offer
        strand = Strand(f"{self.name}: run {run}", lambda: self._real.work.do(run, fence, serial))
        self.jobs[strand] = (run, fence)
        self.go_on(strand)

    def go_on(self, strand: Strand, answer: str = "") -> None:
        try:
            strand.go_on(answer)
        finally:
            if not strand.at:
                self.jobs.pop(strand, None)

    def beat(self) -> None:
        """One turn of the pulse, or the rest of one that was interrupted."""
        if self.pulse is None:
            self.ordered = set()
            self.pulse = Strand(f"{self.name}: pulse", self._turn)
        strand = self.pulse
        strand.go_on()
        if not strand.at:
            self.pulse = None

    def _turn(self) -> None:
        pulse: Pulse = self._real.pulse
        pulse.stop = OneTurn()  # type: ignore[assignment]
        pulse.wake()  # so that it does not wait after its turn
        threads = {strand: mark for strand, mark in self.jobs.items() if strand.at in ("touch", "open")}
        pulse.run()
        self.stopped |= {strand for strand, mark in threads.items() if mark in self.ordered}

    def mark_here(self) -> Mark:
        """The run at which the strand that runs is."""
        strand = here()
        return self.jobs.get(strand, (0, 0)) if strand else (0, 0)

    def touched(self, mark: Mark) -> None:
        if here() in self.stopped:
            raise Violation(f"I9: run {mark} touches its phone after its agent has read that it is canceled")
        self._witness.touched(mark)

    # --- what goes through it ---

    def gate(self, when: str, name: str) -> None:
        """Each Redis command and each write to the outbox."""
        if self._agent is None:
            raise Killed
        self.trouble.at_call(self, when, name)

    def _guarded(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **options: Any) -> Any:
            self.gate("before", f"outbox.{name}")
            answer = method(*args, **options)
            if name in ("add", "finish"):
                kind, run, fence, *body = args
                self._witness.told(kind, (run, fence), body[0] if body else {})
            self.gate("after", f"outbox.{name}")
            return answer

        return guarded

    def hear(self, name: str, args: tuple[Any, ...], answer: Any) -> None:
        """What Redis told the agent."""
        is_ticket = name == "eval" and len(args) > 2 and answer[0] is not None
        if is_ticket and not self.redis.is_of_the_past(args[2]):  # else it is void
            run, fence = _bytes(args[2]).rsplit(b":", 2)[1:]
            self._witness.ticket_taken((int(run), int(fence)))
        if name == "hgetall" and _bytes(args[0]) == key(self.name, "control").encode():
            with contextlib.suppress(ValueError):
                self.ordered = {(run, fence) for run, fence in json.loads(answer.get(b"cancels", b"[]"))}


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
