"""The controller's loop: it starts at once when there is work, and outlives what it talks to."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import OperationalError, connections

from automation import services
from automation.choices import RunState
from automation.controller import dispatch, loop
from automation.controller.loop import Controller
from automation.controller.wire import wake, wire
from automation.models import Run
from automation.protocol import CONTROLLER_KEY, key
from tests.automation.rows import host_with_key, run_on, running_run
from tests.factories import make_account, make_device
from tests.phones import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def _run(controller: Controller) -> None:
    controller.run()
    connections.close_all()


def _let_it_pass(redis_client) -> None:
    """Return when a sweep has begun after this call: the pass before that is over, its offers too."""
    for _sign in range(2):  # the first may be of a sweep that was between its sign and what follows
        redis_client.delete(CONTROLLER_KEY)
        wait_for(lambda: redis_client.exists(CONTROLLER_KEY), 10, "its next sign of life")


@pytest.fixture
def controller(redis_client):
    made = Controller()
    thread = threading.Thread(target=_run, args=(made,))
    thread.start()
    wait_for(lambda: redis_client.exists(CONTROLLER_KEY), what="the controller's first pass")
    yield made
    made.stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_new_work_is_offered_without_waiting_for_the_next_pass(controller, redis_client, monkeypatch) -> None:
    monkeypatch.setattr(loop, "PASS_SECONDS", 30)
    device = make_device(host=host_with_key())
    time.sleep(1.2)  # it waits now
    services.enqueue("login", [(make_account(device=device), device)], requested_by="ann")
    wait_for(lambda: redis_client.llen(key(device.host.name, "runs")), 5, "the offer")


def test_after_a_few_reports_it_waits_for_more_after_a_batch_it_does_not(redis_client, monkeypatch) -> None:
    made, waited, host = Controller(), list[float](), host_with_key()
    monkeypatch.setattr(made.stop, "wait", waited.append)
    redis_client.xadd(key(host.name, "reports"), {"report": "one more"})
    for applied in (3, loop.GATHERED):
        monkeypatch.setattr(loop.reports, "apply_hosts", lambda *_arguments, applied=applied: applied)
        made.one_pass()
        made._wait()
    assert (waited[0] > 0, waited[1]) == (True, 0)
    wake()  # a click waits for nothing
    monkeypatch.setattr(loop.reports, "apply_hosts", lambda *_arguments: 3)
    made.one_pass()
    made._wait()
    assert len(waited) == 2


def test_it_goes_on_after_redis_was_away(controller, redis_client, settings) -> None:
    settings.REDIS_URL, there = "redis://127.0.0.1:1/0", settings.REDIS_URL
    wire.cache_clear()
    time.sleep(1.5)
    settings.REDIS_URL = there
    wire.cache_clear()
    redis_client.delete(CONTROLLER_KEY)
    wait_for(lambda: redis_client.exists(CONTROLLER_KEY), 10, "its next sign of life")


def test_it_goes_on_after_the_database_was_away(controller, redis_client, monkeypatch) -> None:
    def away(*_arguments: object) -> int:
        raise OperationalError("away")

    monkeypatch.setattr(dispatch, "offer_all", away)
    time.sleep(1.2)
    monkeypatch.undo()
    device = make_device(host=host_with_key())
    (run,) = services.enqueue("login", [(make_account(device=device), device)], requested_by="ann")
    wait_for(lambda: Run.objects.offered().filter(pk=run.pk).exists(), 10, "the offer")


def test_a_draining_controller_offers_nothing_more_and_ends_when_nothing_is_in_hand(
    controller, redis_client
) -> None:
    run = running_run()
    controller.drain()
    _let_it_pass(redis_client)  # a pass that was under way may have offered still
    waits = run_on(make_device(host=run.host))
    _let_it_pass(redis_client)
    assert Run.objects.get(pk=waits.pk).state == RunState.PENDING
    assert not controller._is_drained()
    services.finish_run(run, "succeeded")
    wait_for(controller._is_drained, 5, "the end")


def test_a_draining_controller_waits_only_so_long(controller, settings) -> None:
    settings.PHONERACK_DRAIN_SECONDS = 0.5
    running_run()
    controller.drain()
    wait_for(controller._is_drained, 5, "the end")
