"""One lane per phone: whoever is in it has the phone alone, on this machine and against every other process.

The kernel's flock frees itself when the process dies, needs no clock and no lifetime (measured against leases in
Redis: those let two in).
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from automation.agent.identity import CannotStart
from devices.phones.deadline import Deadline
from devices.phones.errors import PhoneTaken

FOLDER = "/tmp/phonerack-locks"  # noqa: S108 - every user of every Linux can write there, and it is the same for all
OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def locks_folder() -> Path:
    """PHONERACK_LOCKS, or one folder for all agents of this machine, whoever runs them."""
    return Path(os.environ.get("PHONERACK_LOCKS") or FOLDER)


def try_lock(folder: Path) -> None:
    """Raises CannotStart where a run could not lock its phone."""
    name = f"try-{secrets.token_hex(8)}.lock"
    try:
        with open_lock(folder, name) as file:
            _try_flock(file)
            (folder / name).unlink()
    except OSError as error:
        raise CannotStart(
            f"The folder in which phones are locked, {folder}, cannot be used ({error.strerror}). Let every user of "
            f"this machine write there (sudo chmod 1777 {folder}), or have PHONERACK_LOCKS name another folder, the "
            f"same for all its agents."
        ) from None


@contextmanager
def open_lock(folder: Path, name: str) -> Iterator[int]:
    """A lock file, made where there is none. Raises OSError.

    Opened for reading, and asked to be made only where it is missing: in a folder of everybody Linux lets nobody make
    what another user has made already (fs.protected_regular). Links are not followed.
    """
    with _open_folder(folder) as place:
        try:
            file = os.open(name, OPEN, dir_fd=place)
        except FileNotFoundError:
            file = _made(name, place)
    try:
        yield file
    finally:
        os.close(file)


@contextmanager
def _open_folder(folder: Path) -> Iterator[int]:
    """Made where it is missing, or was cleaned away: everybody may lock there, and nobody remove another's locks."""
    with suppress(FileExistsError):
        folder.mkdir(parents=True)
        folder.chmod(0o1777)  # what mkdir is told goes through the umask
    place = os.open(folder, OPEN | os.O_DIRECTORY)
    try:
        yield place
    finally:
        os.close(place)


def _made(name: str, place: int) -> int:
    try:
        file = os.open(name, OPEN | os.O_CREAT | os.O_EXCL, dir_fd=place)
    except FileExistsError:  # another agent was quicker
        return os.open(name, OPEN, dir_fd=place)
    os.fchmod(file, 0o666)
    return file


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
        with ExitStack() as locked:
            try:
                while not self._is_locked(locked, serial, deadline):
                    locked.close()
            except OSError as error:
                raise PhoneTaken(f"its lock in {self._folder} cannot be had: {error.strerror}") from error
            yield

    def _is_locked(self, locked: ExitStack, serial: str, deadline: Deadline) -> bool:
        """Wait for the lock. False where its file was cleaned away meanwhile: whoever comes next would not see it."""
        name = re.sub(r"[^\w.-]", "_", serial, flags=re.ASCII) + ".lock"
        file = locked.enter_context(open_lock(self._folder, name))
        while not _try_flock(file):
            if deadline.remaining < 0.1:
                raise PhoneTaken
            deadline.sleep(0.05)
        with suppress(OSError):
            os.utime(file)  # what cleans old files away finds none old whose phone is in use
        return _is_at(self._folder / name, file)


def _try_flock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(file))
    except FileNotFoundError:
        return False
