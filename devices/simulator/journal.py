"""What was done to a phone: one entry per touch, and never a typed text.

Who touches may say so with the touch itself: as the `id` of a JSON-RPC call, when it is a text, or as the variable
PHONERACK_RUN before a shell command. Then nobody else's touch is ever taken for his.
"""

from __future__ import annotations

import json
import time
from collections import deque
from contextvars import ContextVar
from typing import IO, Any, NamedTuple

KEPT = 2000  #: entries per phone
TOUCHER_VARIABLE = "PHONERACK_RUN"

#: Who makes the call that is being served.
toucher: ContextVar[str] = ContextVar("toucher", default="")


class Touch(NamedTuple):
    """One thing that was done to the phone."""

    at: float  #: monotonic seconds
    kind: str  #: click, type, key, swipe, start_app, stop_app, clear_app
    screen: str  #: the screen id at that moment
    run: str  #: who says to have touched it; else the property debug.phonerack.run at that moment
    detail: str = ""  #: a place, a key or a package
    length: int = 0  #: of a typed text


class Journal:
    """The last touches of a phone; with a file, all of them as lines of JSON in it."""

    def __init__(self, serial: str) -> None:
        self.serial = serial
        self.file: IO[str] | None = None
        self._touches: deque[Touch] = deque(maxlen=KEPT)

    def note(self, kind: str, screen: str, run: str, detail: str = "", length: int = 0) -> None:
        """Add a touch."""
        touch = Touch(time.monotonic(), kind, screen, toucher.get() or run, detail, length)
        self._touches.append(touch)
        if self.file is not None:
            self.file.write(json.dumps({"serial": self.serial, **touch._asdict()}) + "\n")

    def entries(self) -> list[dict[str, Any]]:
        """The touches as plain data, oldest first."""
        return [touch._asdict() for touch in self._touches]
