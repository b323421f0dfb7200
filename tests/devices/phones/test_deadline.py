"""One clock for a run, that a person or the watchdog can stop."""

from __future__ import annotations

import threading
import time

import pytest

from devices.phones.deadline import Deadline
from devices.phones.errors import Canceled, DeadlineExceeded


def test_a_call_gets_no_more_time_than_the_run_has_left() -> None:
    deadline = Deadline(5)

    assert deadline.timeout(2) == 2
    assert 4 < deadline.timeout(60) <= 5


def test_a_run_that_is_over_may_not_begin_another_call() -> None:
    with pytest.raises(DeadlineExceeded):
        Deadline(0).timeout(10)


def test_a_sleep_ends_with_the_run() -> None:
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        Deadline(0.05).sleep(30)

    assert time.monotonic() - begun < 1


@pytest.mark.parametrize(("stop", "error"), [("cancel", Canceled), ("end", DeadlineExceeded)])
def test_a_sleep_is_woken_from_another_thread(stop: str, error: type[Exception]) -> None:
    deadline = Deadline(60)
    act = (lambda: deadline.cancel("by Alice")) if stop == "cancel" else deadline.end
    threading.Timer(0.05, act).start()
    begun = time.monotonic()
    with pytest.raises(error):
        deadline.sleep(30)

    assert time.monotonic() - begun < 1


def test_the_first_reason_of_a_cancel_stays() -> None:
    deadline = Deadline(60)
    deadline.cancel("by Alice")
    deadline.cancel("by Bob")

    with pytest.raises(Canceled, match="by Alice"):
        deadline.check()


def test_each_hook_is_called_once_and_late_ones_at_once() -> None:
    deadline, calls = Deadline(60), []
    deadline.on_end(lambda: calls.append("early"))
    deadline.end()
    deadline.cancel("again")
    deadline.on_end(lambda: calls.append("late"))

    assert calls == ["early", "late"]


def test_a_run_that_took_too_long_was_not_canceled() -> None:
    deadline = Deadline(60)
    deadline.end()

    assert deadline.expired
    assert not deadline.canceled
