"""The right to touch phones ends by itself."""

from __future__ import annotations

import pytest

from automation.agent import lease as leases
from automation.agent.lease import CUT_OFF_SECONDS, Lease
from automation.protocol import HEARTBEAT_SECONDS, HOST_SILENT_SECONDS
from devices.phones.deadline import Deadline
from devices.phones.errors import Canceled


class Clock:
    """Seconds that the test lets pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(leases, "clock", made)
    return made


def test_it_ends_before_the_controller_may_give_the_runs_up() -> None:
    assert CUT_OFF_SECONDS + HEARTBEAT_SECONDS < HOST_SILENT_SECONDS


def test_it_lasts_from_heartbeat_to_heartbeat(clock: Clock) -> None:
    lease = Lease()
    for _ in range(5):
        clock.now += CUT_OFF_SECONDS
        assert lease.why_not(lease.term) == ""
        lease.renew(clock.now)
    clock.now += CUT_OFF_SECONDS + 1
    assert lease.why_not(lease.term) == "cut_off"


def test_what_began_before_it_was_lost_never_gets_it_back(clock: Clock) -> None:
    lease = Lease()
    term = lease.term
    clock.now += CUT_OFF_SECONDS + 1
    lease.renew(clock.now)
    assert lease.why_not(term) == "cut_off"
    assert lease.why_not(lease.term) == ""


def test_a_run_asks_for_it_before_every_call(clock: Clock) -> None:
    lease = Lease()
    deadline = Deadline(60, lambda: lease.why_not(0))
    assert deadline.timeout(5) == 5
    clock.now += CUT_OFF_SECONDS + 1
    with pytest.raises(Canceled, match="cut_off"):
        deadline.timeout(5)
