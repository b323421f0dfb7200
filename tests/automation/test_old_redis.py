"""Redis comes back with the data of some time ago: what it brings back starts nothing, and proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from automation import services
from automation.agent.identity import Identity
from automation.agent.outbox import Outbox
from automation.agent.work import Work
from automation.choices import Outcome, RunState
from automation.controller import cancels, sweep, tickets
from automation.controller.wire import wire
from automation.models import Run
from automation.protocol import key, ticket_key
from config import redis_server
from tests.automation.rows import AGENT_KEY, offered_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def restart(tmp_path: Path, settings: Any) -> Iterator[Callable[[], None]]:
    """A Redis of the test's own, and what starts it again with what lies on its disk."""
    process, settings.REDIS_URL = redis_server.start(tmp_path / "redis")
    wire.cache_clear()
    running = [process]

    def again() -> None:
        running.pop().stop()
        process, settings.REDIS_URL = redis_server.start(tmp_path / "redis")
        running.append(process)
        wire.cache_clear()

    yield again
    running.pop().stop()
    wire.cache_clear()


def issued_run() -> Run:
    run = offered_run()
    tickets.issue([run])
    return run


def ticket(run: Run) -> str:
    return ticket_key(run.host.name if run.host else "", run.pk, run.fence)


def test_a_ticket_that_came_back_proves_nothing_and_its_agent_is_asked(
    restart: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "OFFER_SECONDS", -1)
    run = issued_run()
    restart()
    assert wire().exists(ticket(run))
    sweep.overdue_offers(sweep.Questions())
    run.refresh_from_db()
    assert run.state == RunState.OFFERED
    assert not wire().exists(ticket(run))
    assert wire().hget(key(run.host.name, "control"), "nonce")


def test_a_silent_host_may_have_taken_a_ticket_that_came_back(restart: Callable[[], None]) -> None:
    run = issued_run()
    restart()
    sweep.lose_host(run.host)
    run.refresh_from_db()
    assert (run.outcome, run.reason) == (Outcome.LOST, "host_silent")


def test_a_canceled_run_whose_ticket_came_back_ends_once_its_agent_has_answered(
    restart: Callable[[], None],
) -> None:
    run = issued_run()
    restart()
    cancels.cancel(Run.objects.filter(pk=run.pk), "ann")
    run.refresh_from_db()
    assert (run.state, run.cancel_requested) == (RunState.OFFERED, True)
    services.withdraw_offer(run, "the agent has not got it")
    run.refresh_from_db()
    assert run.outcome == Outcome.CANCELED


def test_an_agent_starts_nothing_by_a_ticket_that_came_back(
    restart: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHONERACK_LOCKS", str(tmp_path / "locks"))
    run = issued_run()
    folder = tmp_path / "agent"
    folder.mkdir()
    (folder / "agent.key").write_text(bytes(AGENT_KEY).hex())
    identity = Identity(run.host.name, folder)
    identity.trust(bytes(tickets.controller_key().public_key).hex())
    restart()
    work = Work(wire(), identity, Outbox(folder / "outbox.sqlite3"), None)  # type: ignore[arg-type]
    assert wire().exists(ticket(run))
    work.do(run.pk, run.fence, run.device.serial)
    assert (work.outbox.unsent(0, 9), work.outbox.snapshot()[2]) == ([], [])
