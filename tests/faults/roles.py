"""The processes of the fault test, and the supervisor that starts them again as a service manager would."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from config.processes import Process, stop_all

PAUSE = (0.2, 2.0)  #: how long a service manager takes to start one again
POLL_SECONDS = 0.05


class Role:
    """What one process is there for. Any thread may hurt it; only the supervisor's thread starts it."""

    def __init__(self, name: str, command: list[str], log: Path, env: dict[str, str]) -> None:
        self.name, self.command, self.log, self.env = name, command, log, env
        self.more_env: dict[str, str] = {}  #: for its next starts, such as a wrong clock
        self.before_start: Callable[[], None] = lambda: None  #: once, when it is down
        self.may_start: Callable[[], bool] = lambda: True
        self.process: Process | None = None
        self.down_until = 0.0
        self.starts = 0

    @property
    def is_up(self) -> bool:
        return self.process is not None and self.process.is_alive()

    def start(self) -> None:
        """For the supervisor."""
        prepare, self.before_start = self.before_start, lambda: None
        prepare()
        self.process = Process(self.name, self.command, self.log, {**self.env, **self.more_env})
        self.starts += 1

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        if self.process is not None and self.process.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def limit_files(self, size: int) -> None:
        """From now on it can write no file beyond `size`, as on a full disk, if it is there."""
        if self.process is not None and self.process.is_alive():
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def kill(self, seconds: float) -> None:
        """`kill -9`; it stays down for so long."""
        self.down_until = time.monotonic() + seconds
        self.signal(signal.SIGKILL)

    def wait_until_new(self, starts: int, seconds: float = 60.0) -> None:
        """Return when it was started again since it had been started `starts` times."""
        end = time.monotonic() + seconds
        while (self.starts <= starts or not self.is_up) and time.monotonic() < end:
            time.sleep(POLL_SECONDS)


class Postgres(Role):
    """A server whose work its children do, each in a process group of its own: they are paused with it."""

    def __init__(self, process: Process) -> None:
        super().__init__("postgres", [], process.log, {})
        self.process, self.starts = process, 1

    def start(self) -> None:
        assert self.process is not None
        self.process = self.process.again()
        self.starts += 1

    def signal(self, number: signal.Signals) -> None:
        super().signal(number)  # first it, so that it makes no new ones
        if self.is_up and number in (signal.SIGSTOP, signal.SIGCONT):
            for child in _children(self.process.pid if self.process else 0):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, number)


def _children(pid: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class Supervisor:
    """Starts all roles in order, and again whenever one ends."""

    def __init__(self, rng: Random) -> None:
        self.roles: dict[str, Role] = {}
        self._rng = rng
        self._ended: set[str] = set()

    def add(self, role: Role) -> Role:
        """Start it, and keep it up from now on."""
        self.roles[role.name] = role
        role.start()
        return role

    def tend(self) -> None:
        """One look at all of them; from the main thread, for a child ends with the thread that made it."""
        now = time.monotonic()
        for role in self.roles.values():
            if role.is_up:
                continue
            if role.name not in self._ended:
                self._ended.add(role.name)
                role.down_until = max(role.down_until, now + self._rng.uniform(*PAUSE))
            elif now >= role.down_until and role.may_start():
                self._ended.discard(role.name)
                role.start()

    def close(self) -> None:
        """End everything; what is paused goes on first, so that it can."""
        for role in self.roles.values():
            role.signal(signal.SIGCONT)
        stop_all([role.process for role in self.roles.values() if role.process is not None])
