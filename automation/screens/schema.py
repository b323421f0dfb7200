"""The screen files in use: those that come with the program, and over them those of the operator's own folder.

PHONERACK_SCREENS names that folder. What changes there counts from the next look on, without a restart; a file
there that is wrong is left out and named in `faults`, so that it never stops an agent.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from automation.screens.definitions import App, SchemaError
from automation.screens.reader import read_app

__all__ = ["App", "Library", "SchemaError", "library", "load", "load_app", "own_folder", "screens_hash"]

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent
OWN = "PHONERACK_SCREENS"
LOOK_SECONDS = 1.0  #: between two looks at whether the operator's files changed

load_app = read_app


@dataclass(frozen=True)
class Library:
    """All screens there are, and what they were read from."""

    apps: dict[str, App]
    hash: str = ""  #: of every file that counted
    faults: tuple[str, ...] = field(
        default=()
    )  #: of the operator's files that were left out: `file:line: what`


def own_folder() -> Path | None:
    """The operator's folder of screen files, there or not; None when there is to be none."""
    named = os.environ.get(OWN, "").strip()
    return Path(named).expanduser() if named else None


@cache
def load(folder: Path = FOLDER) -> dict[str, App]:
    """Every app of the files that come with the program. Raises SchemaError with every fault of every file."""
    apps: dict[str, App] = {}
    faults = []
    for path in files_in(folder):
        try:
            app = read_app(path.read_text("utf-8"), path.name)
            apps[app.name] = app
        except SchemaError as error:
            faults.append(str(error))
    if faults:
        raise SchemaError("\n".join(faults))
    return apps


def with_own(own: Path | None) -> Library:
    """The shipped screens with the operator's over them, file by file in the order of their names."""
    apps, used, faults = load(), files_in(FOLDER), []
    for path in files_in(own) if own else []:
        try:
            app = read_app(path.read_text("utf-8"), path.name, apps)
        except SchemaError as error:
            faults += str(error).splitlines()
        except (OSError, UnicodeDecodeError, RecursionError) as error:
            faults.append(f"{path.name}:1: it cannot be read ({type(error).__name__})")
        else:
            apps, used = apps | {app.name: app}, [*used, path]
    if own and not own.is_dir():
        faults.append(f"{own}:1: {OWN} names a folder that is not there")
    return Library(apps, _hash(used), tuple(map(_printable, faults)))


def _printable(text: str) -> str:
    """Fit for a log line, a heartbeat and a database, whatever stands in a file or is its name."""
    return "".join(one if one.isprintable() else "?" for one in text)


def files_in(folder: Path) -> list[Path]:
    """The screen files of a folder, by name; none when there is no such folder."""
    return sorted(path for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml"))


def _hash(paths: Iterable[Path]) -> str:
    seen = hashlib.sha256()
    for path in paths:
        seen.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return seen.hexdigest()[:12]


class _Current:
    """The library as it is now, looked at anew when the operator's folder has changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._library = Library({})
        self._seen: object = None
        self._looked_at = float("-inf")
        self._folder: Path | None = None

    def get(self) -> Library:
        own = own_folder()
        if time.monotonic() - self._looked_at < LOOK_SECONDS and own == self._folder:
            return self._library
        with self._lock:  # of many lanes at once, all but one wait here: nobody is given what is not read yet
            if (now := (own, _state_of(own))) != self._seen:
                self._library, self._seen = with_own(own), now
                for fault in self._library.faults:
                    log.error("screens: %s", fault)
            self._folder, self._looked_at = own, time.monotonic()
            return self._library


def _state_of(own: Path | None) -> list[tuple[str, int, int]]:
    """What changes when a file of the folder does."""
    found = []
    for path in files_in(own) if own else []:
        try:
            stat = path.stat()
        except OSError:
            continue
        found.append((path.name, stat.st_mtime_ns, stat.st_size))
    return found


_current = _Current()


def library() -> Library:
    """The screens to go by right now, shipped and the operator's. A wrong file of the operator's raises nothing."""
    return _current.get()


def screens_hash() -> str:
    """A short hash of all screen files in use: what a run was decided by."""
    return library().hash
