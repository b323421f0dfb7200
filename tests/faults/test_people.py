"""Whoever acts in the fault test does what is planned, or says that it did not."""

from __future__ import annotations

from random import Random

import pytest

from automation import services
from tests.automation.rows import running_run
from tests.faults import people
from tests.faults.people import ACTIONS, Operator, Watcher, Worker
from tests.phones import wait_for


def test_all_that_an_operator_is_to_do_can_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "PAUSE", (60.0, 60.0))
    operator = Operator(Random(1))
    operator.stop()
    assert [action for action in ACTIONS if not callable(getattr(operator, f"_{action}"))] == []


def test_who_stumbles_goes_on_and_says_so() -> None:
    class Clumsy(Worker):
        def once(self) -> None:
            raise ValueError("a stone")

    clumsy = Clumsy("clumsy", (0.0, 0.0), Random(1))
    wait_for(lambda: len(clumsy.stumbled) > 1, 5, "two stones")
    clumsy.stop()
    assert clumsy.stumbled[0] == "clumsy: a stone"


@pytest.mark.django_db
def test_a_run_that_ends_after_a_look_that_broke_off_is_seen_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    watcher, run = Watcher(), running_run()
    watcher.stop()
    with monkeypatch.context() as broken:
        broken.setattr(watcher, "_see_campaigns", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            watcher.once()
    services.finish_run(run, "succeeded")
    watcher.once()
    assert watcher.sights[run.pk].finished is not None
