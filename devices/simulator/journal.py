"""What was done to a phone: one entry per touch, and never a typed text."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, NamedTuple

KEPT = 2000  #: entries per phone


class Touch(NamedTuple):
    """One thing that was done to the phone."""

    at: float  #: monotonic seconds
    kind: str  #: click, type, key, swipe, start_app, stop_app, clear_app
    screen: str  #: the screen id at that moment
    run: str  #: the property debug.phonerack.run at that moment
    detail: str = ""  #: a place, a key or a package
    length: int = 0  #: of a typed text


class Journal:
    """The last touches of a phone."""

    def __init__(self) -> None:
        self._touches: deque[Touch] = deque(maxlen=KEPT)

    def note(self, kind: str, screen: str, run: str, detail: str = "", length: int = 0) -> None:
        """Add a touch."""
        self._touches.append(Touch(time.monotonic(), kind, screen, run, detail, length))

    def entries(self) -> list[dict[str, Any]]:
        """The touches as plain data, oldest first."""
        return [touch._asdict() for touch in self._touches]
