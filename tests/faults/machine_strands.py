"""Threads of which one runs at a time: each hands the control back at chosen points, so that the test decides."""

from __future__ import annotations

import threading
from collections.abc import Callable

PATIENCE = 60.0  #: real seconds after which a strand that does not come back is a defect of the test

_here = threading.local()


class Killed(BaseException):
    """The process of whoever runs here is dead; like a real kill it passes every `except Exception`."""


class Strand:
    """A thread that runs only inside `go_on`."""

    def __init__(self, name: str, body: Callable[[], object]) -> None:
        self.name, self.at = name, "begin"  #: where it waits; empty when it is over
        self._body, self._killed = body, False
        self._error: BaseException | None = None
        self._go, self._back = threading.Lock(), threading.Lock()  # free: it is the other one's turn
        self._go.acquire()
        self._back.acquire()
        self._answer = ""
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def go_on(self, answer: str = "") -> None:
        """Run it to its next pause or its end; it is given `answer`. Raises what it raised, but for Killed."""
        self._answer = answer
        self._go.release()
        if not self._back.acquire(timeout=PATIENCE):
            raise AssertionError(f"{self.name} does not come back from {self.at}")
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def kill(self) -> None:
        """It never does anything more; what it holds of the kernel is set free."""
        self._killed = True
        while self.at:
            self.go_on()

    def pause(self, where: str) -> str:
        """Called inside: hand the control back, and return the answer that the strand is later given."""
        self.at = where
        self._back.release()
        self._go.acquire()
        if self._killed:
            raise Killed
        return self._answer

    def _run(self) -> None:
        _here.strand = self
        self._go.acquire()
        try:
            if not self._killed:
                self._body()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            self._error = error
        self.at = ""
        self._back.release()


def here() -> Strand | None:
    """The strand that runs; None outside of any."""
    return getattr(_here, "strand", None)


class Lock:
    """threading.Lock for strands: whoever must wait hands the control over, and gives up by the test's clock."""

    now: Callable[[], float]

    def __init__(self) -> None:
        self._taken = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        end = self.now() + timeout if timeout >= 0 else float("inf")
        while self._taken:
            strand = here()
            if not blocking or strand is None or self.now() >= end:
                return False
            strand.pause("lock")
        self._taken = True
        return True

    def release(self) -> None:
        self._taken = False

    def locked(self) -> bool:
        return self._taken

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_error: object) -> None:
        self.release()
