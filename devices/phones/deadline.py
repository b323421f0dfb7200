"""The one clock of a run: every wait on a phone takes a Deadline, never a number of seconds started anew.

After labgrid's Timeout: a deadline is made once and handed down; it also carries a cancel to whoever waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from devices.phones.errors import Canceled, DeadlineExceeded


class Deadline:
    """The moment by which a run must be over, and the way to end it sooner.

    `seconds` counts from now on the monotonic clock. `cancel` (an operator) and `end` (the watchdog) may be
    called from any thread; they wake every `sleep` at once and run the `on_end` hooks (which close sockets),
    so that a blocked call returns too. `why_not` is asked before every call: a reason in its answer is a cancel.
    """

    def __init__(self, seconds: float, why_not: Callable[[], str] = lambda: "") -> None:
        self._why_not = why_not
        self._end = time.monotonic() + seconds
        self._canceled = False
        self._ended = threading.Event()  #: by `cancel` or by `end`
        self._lock = threading.Lock()
        self._hooks: list[Callable[[], None]] = []
        self.cancel_reason = ""
        self._steps, self._after_step = 0, ""

    @property
    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._end - time.monotonic())

    @property
    def expired(self) -> bool:
        """Whether the time is over."""
        return self.remaining <= 0

    @property
    def canceled(self) -> bool:
        """Whether `cancel` was called; a run that only took too long was not canceled."""
        return self._canceled

    def why_not(self) -> str:
        """Why the phone may not be touched any more, whatever the time; empty when it may."""
        return self.cancel_reason or self._why_not()

    def check(self) -> None:
        """Raise Canceled or DeadlineExceeded when the run may not go on."""
        if not self.canceled and (reason := self._why_not()):
            self.cancel(reason)
        if self.canceled:
            raise Canceled(self.cancel_reason)
        if self.expired:
            raise DeadlineExceeded

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than the run may last; raises as `check` does."""
        self._ended.wait(min(seconds, self.remaining))
        self.check()

    def timeout(self, at_most: float) -> float:
        """Seconds for one outside call: `at_most`, or less when the end is nearer; raises when over."""
        self.check()
        return min(at_most, self.remaining)

    def on_end(self, hook: Callable[[], None]) -> None:
        """Have `hook` called when the run is ended from outside (cancel, or the watchdog's `end`)."""
        with self._lock:
            if not self._ended.is_set():
                self._hooks.append(hook)
                return
        hook()

    def cancel(self, reason: str) -> None:
        """End the run because somebody asked for it. Safe to repeat; the first reason stays."""
        with self._lock:
            if not self._canceled:
                self._canceled, self.cancel_reason = True, reason
        self._wake()

    def cancel_after_step(self, reason: str) -> None:
        """The same, but let the step at hand be finished."""
        with self._lock:
            self._after_step = reason
            in_a_step = self._steps > 0
        if not in_a_step:
            self.cancel(reason)

    @contextmanager
    def step(self) -> Iterator[None]:
        """What `cancel_after_step` waits for. Steps may lie in one another: the outermost counts."""
        with self._lock:
            self._steps += 1
        try:
            yield
        finally:
            with self._lock:
                self._steps -= 1
                due = self._after_step if self._steps == 0 else ""
            if due:
                self.cancel(due)

    def end(self) -> None:
        """End the run because its time is over: a blocked call returns with DeadlineExceeded."""
        with self._lock:
            self._end = min(self._end, time.monotonic())
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            self._ended.set()
            hooks, self._hooks = self._hooks, []
        for hook in hooks:
            hook()
