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
from automation.controller.wire import clear_strangers, wake, wire
from automation.models import Run
from automation.protocol import CONTROLLER_KEY, WAKE_KEY, key
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
def in_hand(redis_client) -> Run:
    """Asked for before the controller, which would offer it itself else."""
    return running_run()


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


def test_pruning_goes_on_soon_where_something_went_and_else_later(monkeypatch, redis_client) -> None:
    made, asked = Controller(), list[int]()
    monkeypatch.setattr(loop.prune, "history", lambda: asked.append(1) or int(len(asked) == 1))
    for _look in range(4):
        made._clean()
    assert len(asked) == 2


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


@pytest.mark.parametrize("name", ["reports", "control"])
def test_what_a_host_writes_to_its_own_keys_keeps_no_other_host_waiting(
    in_hand, controller, redis_client, name: str
) -> None:
    bad, good = key(in_hand.host.name, name), make_device(host=host_with_key())
    redis_client.delete(bad)
    redis_client.sadd(bad, "rubbish")
    services.request_cancel([in_hand], "ann")  # so that there is something to write to its host
    services.enqueue("match", [(None, good)], requested_by="ann")
    wait_for(lambda: redis_client.llen(key(good.host.name, "runs")), 10, "the offer")
    wait_for(lambda: redis_client.type(bad) != b"set", 10, "the rubbish to be gone")


def test_only_what_does_not_belong_to_a_key_is_cleared_away(redis_client) -> None:
    at_home = {key("pc1", "beat"), key("pc1", "ticket:1:1"), key("pc2", "control")}
    strangers = {key("pc1", "runs"), key("pc1", "ticket:1:2"), key("pc2", "orders"), WAKE_KEY}
    redis_client.mset({key("pc1", "beat"): "x", key("pc1", "ticket:1:1"): "x"})
    redis_client.hset(key("pc2", "control"), "key", "x")
    for name in strangers:
        redis_client.sadd(name, "rubbish")
    assert set(clear_strangers()) == strangers
    assert {name.decode() for name in redis_client.keys("*")} == at_home


@pytest.mark.parametrize("step", ["uploads.sweep", "prune.history", "sweep.expire", "parcels.Post.send"])
def test_a_file_that_cannot_be_read_keeps_no_phone_waiting(monkeypatch, redis_client, step: str) -> None:
    def unreadable(*_arguments: object) -> None:
        raise PermissionError("/state/uploads")

    unreadable.__qualname__ = step
    made, device = Controller(), make_device(host=host_with_key())
    monkeypatch.setattr(f"automation.controller.loop.{step}", unreadable)
    services.enqueue("match", [(None, device)], requested_by="ann")
    for _pass in range(2):
        made.one_pass()
    assert redis_client.llen(key(device.host.name, "runs")) == 1


def test_a_controller_told_to_stop_while_the_database_is_away_drains_as_long_as_it_may(
    redis_client, monkeypatch, settings
) -> None:
    settings.PHONERACK_DRAIN_SECONDS, asked = 0.5, list[float]()

    def away(*_arguments: object) -> None:
        asked.append(time.monotonic())
        raise OperationalError("the database is away")

    monkeypatch.setattr(loop, "OUTAGE_SECONDS", 0.1)
    monkeypatch.setattr(Run.objects, "active", away)
    made = Controller()
    made.drain()
    made.run()
    assert len(asked) > 1


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
    in_hand, controller, redis_client
) -> None:
    controller.drain()
    _let_it_pass(redis_client)  # a pass that was under way may have offered still
    waits = run_on(make_device(host=in_hand.host))
    _let_it_pass(redis_client)
    assert Run.objects.get(pk=waits.pk).state == RunState.PENDING
    assert not controller._is_drained()
    services.finish_run(in_hand, "succeeded")
    wait_for(controller._is_drained, 5, "the end")


def test_a_draining_controller_waits_only_so_long(in_hand, controller, settings) -> None:
    settings.PHONERACK_DRAIN_SECONDS = 0.5
    controller.drain()
    wait_for(controller._is_drained, 5, "the end")
