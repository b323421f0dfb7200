"""A folder for one demo: all that it writes lies there. Two demos at once have a slot each."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO

from config import keys
from config.processes import free_port

SLOTS = range(1, 10)


class NoSlot(Exception):
    """Nine demos run already: stop one of them with Ctrl-C in its terminal."""


class Slot:
    """A numbered folder, held by a lock as long as its demo lives."""

    def __init__(self, folder: Path, lock: IO[str]) -> None:
        self.folder, self._lock = folder, lock
        self.number = int(folder.name)

    def environment(self) -> dict[str, str]:
        """What every process of this demo is started with: its own folder, keys, database, ports and cookie."""
        port = free_port()
        return {
            **keys.fresh(),
            "PHONERACK_STATE": str(self.folder),
            "PHONERACK_DEMO": str(self._lock.fileno()),
            "PHONERACK_LOCKS": str(self.folder / "locks"),
            "PHONERACK_TRUST_NEW_HOSTS": "1",
            "PHONERACK_SECOND_FACTOR": "off",  # it listens on this machine only, and its password is new each time
            "DATABASE_URL": f"sqlite:///{self.folder / 'phonerack.sqlite3'}",
            "REDIS_URL": os.environ.get("REDIS_URL") or f"redis://127.0.0.1:{free_port()}/0",
            "PHONERACK_OWN_REDIS": "" if os.environ.get("REDIS_URL") else "1",
            "PHONERACK_BIND": f"127.0.0.1:{port}",
            "SESSION_COOKIE_NAME": f"phonerack_session_{port}",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }


def take(root: Path) -> Slot:
    """The first free slot below `root`, emptied. Raises NoSlot."""
    for number in SLOTS:
        lock = _locked(root, number)
        if lock is not None:
            shutil.rmtree(root / str(number), ignore_errors=True)
            (root / str(number)).mkdir(mode=0o700)
            return Slot(root / str(number), lock)
    raise NoSlot(NoSlot.__doc__)


def clean(root: Path) -> list[int]:
    """Remove every slot that no demo uses, and `root` with the last one; returns the numbers still in use."""
    used = [number for number in SLOTS if (root / f"{number}.lock").exists()]
    busy = [number for number in used if not _remove(root, number)]
    if not busy:
        shutil.rmtree(root, ignore_errors=True)
    return busy


def _remove(root: Path, number: int) -> bool:
    lock = _locked(root, number)
    if lock is None:
        return False
    shutil.rmtree(root / str(number), ignore_errors=True)
    (root / f"{number}.lock").unlink(missing_ok=True)
    lock.close()
    return True


def _locked(root: Path, number: int) -> IO[str] | None:
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = (root / f"{number}.lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    os.set_inheritable(file.fileno(), True)  # the lock goes on with the process that we become
    return file
