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
        self._waiting: set[str] = set()

    def lane(self, serial: str) -> threading.Lock:
        with self._lock:
            return self._lanes.setdefault(serial, threading.Lock())

    @contextmanager
    def hold(self, serial: str, deadline: Deadline) -> Iterator[None]:
        """Have the phone alone. Raises PhoneTaken when that is not possible by the deadline.

        One may wait for a phone; whoever comes then is turned away at once, so that one busy phone never keeps all
        threads of the host waiting.
        """
        with self._place_in_the_queue(serial):
            lane = self.lane(serial)
            if not lane.acquire(timeout=deadline.remaining):
                raise PhoneTaken
        try:
            with self._flock(serial, deadline):
                yield
        finally:
            lane.release()

    @contextmanager
    def _place_in_the_queue(self, serial: str) -> Iterator[None]:
        with self._lock:
            if serial in self._waiting:
                raise PhoneTaken
            self._waiting.add(serial)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(serial)

    @contextmanager
    def _flock(self, serial: str, deadline: Deadline) -> Iterator[None]:
        path = self._folder / (re.sub(r"[^\w.-]", "_", serial) + ".lock")
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            while not _try_flock(file):
                if deadline.remaining < 0.1:
                    raise PhoneTaken
                deadline.sleep(0.05)
            yield
        finally:
            os.close(file)


def _try_flock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
