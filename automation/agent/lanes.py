"""One lane per phone: whoever is in it has the phone alone, on this machine and against every other process.

The kernel's flock frees itself when the process dies, needs no clock and no lifetime (measured against leases in
Redis: those let two in).
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devices.phones.deadline import Deadline
from devices.phones.errors import PhoneTaken


def locks_folder() -> Path:
    """PHONERACK_LOCKS, or one folder for all agents of this machine."""
    folder = Path(os.environ.get("PHONERACK_LOCKS") or Path(tempfile.gettempdir()) / "phonerack-locks")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Lanes:
    """The lanes of one agent."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or locks_folder()
        self._lock = threading.Lock()
        self._lanes: dict[str, threading.Lock] = {}

    def lane(self, serial: str) -> threading.Lock:
        with self._lock:
            return self._lanes.setdefault(serial, threading.Lock())

    @contextmanager
    def hold(self, serial: str, deadline: Deadline) -> Iterator[None]:
        """Have the phone alone. Raises PhoneTaken when that is not possible by the deadline."""
        lane = self.lane(serial)
        if not lane.acquire(timeout=deadline.remaining):
            raise PhoneTaken
        try:
            with self._flock(serial, deadline):
                yield
        finally:
            lane.release()

    def try_hold(self, serial: str) -> bool:
        """Whether the lane is free right now (for the inventory's probes); the caller must `release`."""
        return self.lane(serial).acquire(blocking=False)

    def release(self, serial: str) -> None:
        self.lane(serial).release()

    @contextmanager
    def _flock(self, serial: str, deadline: Deadline) -> Iterator[None]:
        path = self._folder / (re.sub(r"[^\w.-]", "_", serial) + ".lock")
        with path.open("a") as file:
            while not _try_flock(file.fileno()):
                if deadline.remaining < 0.1:
                    raise PhoneTaken
                deadline.sleep(0.05)
            yield


def _try_flock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
