"""How long the agent may touch its phones: until the controller may have given its runs up."""

from __future__ import annotations

import threading
import time

from automation.protocol import HOST_SILENT_SECONDS

CUT_OFF_SECONDS = HOST_SILENT_SECONDS * 0.8  #: unheard for so long, the agent lets go of its phones itself


class Lease:
    """The right to touch phones. It lasts for CUT_OFF_SECONDS from the moment before each heartbeat was sent.

    It ends by itself, so nobody has to be awake for that: neither in a process that was paused, nor while Redis
    keeps the thread that talks to it waiting. What began in an earlier term never gets the right back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._term, self._renewed_at = 0, clock()

    @property
    def term(self) -> int:
        """What is begun now belongs to this term."""
        with self._lock:
            return self._term

    @property
    def is_over(self) -> bool:
        """Whether the controller may have heard nothing for too long."""
        with self._lock:
            return clock() - self._renewed_at > CUT_OFF_SECONDS

    def renew(self, at: float) -> None:
        """A heartbeat went out, begun at that moment of `clock`."""
        with self._lock:
            self._term += at - self._renewed_at > CUT_OFF_SECONDS
            self._renewed_at = at

    def why_not(self, term: int) -> str:
        """Why what began in that term may not touch a phone now; empty when it may."""
        return "cut_off" if term != self.term or self.is_over else ""


def clock() -> float:
    """Seconds that go on while the machine sleeps, where the system tells them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
