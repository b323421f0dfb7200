"""A host or a device is deleted when no run of it is in hand: without its row nobody could end one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.signals import pre_delete

from automation import services
from automation.choices import Outcome, RunState
from automation.controller import dispatch, sweep, tickets
from automation.controller.cancels import StillInHand
from automation.models import Campaign, Run
from automation.protocol import key, ticket_key
from devices.models import Device, Host
from tests.automation.rows import host_with_key, offered_run, run_on, running_run
from tests.deleting import delete
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db(transaction=True)

BOTH = pytest.mark.parametrize("what", ["host", "device"])


def staged_behind(running: Run) -> Run:
    """Another account's run on the same phone, offered while the first still works."""
    run = offered_run(running.device, account=make_account(device=running.device))
    tickets.issue([run])
    return run


@BOTH
def test_what_an_agent_has_in_hand_is_not_deleted_nor_is_what_waits_behind_it(
    redis_client, what: str
) -> None:
    running = running_run()
    staged = staged_behind(running)
    with pytest.raises(StillInHand, match=r"Nothing was deleted: .* still has runs in hand \(1\)"):
        getattr(running, what).delete()
    for run in (running, staged):
        run.refresh_from_db()
        assert getattr(run, what) is not None
    assert (running.state, staged.state) == (RunState.RUNNING, RunState.OFFERED)


@BOTH
def test_an_offer_that_may_have_been_taken_keeps_what_it_was_made_to(redis_client, what: str) -> None:
    run = offered_run()
    tickets.issue([run])
    redis_client.delete(ticket_key(run.host.name, run.pk, run.fence))  # by its agent
    with pytest.raises(StillInHand):
        getattr(run, what).delete()


def test_what_was_offered_to_a_deleted_host_waits_for_the_next_host_of_its_phone(redis_client) -> None:
    run = offered_run()
    host = run.host
    tickets.issue([run])
    host.delete()
    run.refresh_from_db()
    assert (run.state, run.host, run.device.host) == (RunState.PENDING, None, None)
    assert redis_client.keys("*ticket*") == []
    Device.objects.update(host=host_with_key())
    assert dispatch.offer_all() == 1


def test_a_deleted_device_has_no_runs_any_more(redis_client) -> None:
    offered = offered_run()
    tickets.issue([offered])
    (waiting,) = services.enqueue("match", [(None, offered.device)], requested_by="ann")
    offered.device.delete()
    for run in (offered, waiting):
        run.refresh_from_db()
        assert (run.outcome, run.reason) == (Outcome.CANCELED, "device_deleted")
    assert redis_client.keys("*ticket*") == []


def test_what_any_phone_may_do_outlives_the_phone_that_it_was_offered_to(redis_client) -> None:
    device = make_device(host=host_with_key())
    services.enqueue("login", [(make_account(), None)], requested_by="ann", any_device=True)
    assert dispatch.offer_all() == 1
    device.delete()
    assert Run.objects.get().state == RunState.PENDING


def test_a_dead_host_is_deleted_once_its_runs_are_lost(redis_client) -> None:
    running = running_run()
    staged_behind(running)
    sweep.lose_host(running.host)
    running.host.delete()
    assert not Host.objects.exists()
    running.refresh_from_db()
    assert (running.outcome, running.reason) == (Outcome.LOST, "host_silent")


@pytest.fixture
def before_it_is_deleted() -> Iterator[Callable[..., None]]:
    """Something that happens after the look at the runs, and before the row is gone."""
    happens: list[Callable[[], object]] = []

    def meanwhile(**_kwargs: object) -> None:
        for one in happens:
            one()

    for sender in (Host, Device):
        pre_delete.connect(meanwhile, sender=sender)
    yield lambda one: happens.append(one)
    for sender in (Host, Device):
        pre_delete.disconnect(meanwhile, sender=sender)


@BOTH
def test_what_is_given_a_run_while_it_is_being_deleted_stays(
    redis_client, before_it_is_deleted, what: str
) -> None:
    device = make_device(host=host_with_key())
    services.enqueue("login", [(make_account(), None)], requested_by="ann", any_device=True)
    before_it_is_deleted(dispatch.offer_all)
    with pytest.raises(StillInHand):
        {"host": device.host, "device": device}[what].delete()
    assert (Host.objects.count(), Device.objects.count()) == (1, 1)


def test_a_ticket_of_a_run_whose_host_is_gone_is_not_taken_for_withdrawn(redis_client) -> None:
    run = offered_run()
    tickets.issue([run])
    run.host = None
    assert tickets.withdraw(run) is False


# The pages


@pytest.mark.parametrize("way", ["page", "list"])
@BOTH
def test_the_page_says_so_and_the_runs_are_told_to_end_so_that_the_next_attempt_succeeds(
    admin_client, redis_client, way: str, what: str
) -> None:
    runs = [running_run(), running_run(), run_on()]
    rows = [getattr(run, what) or run.device.host for run in runs]
    rows = rows[:1] if way == "page" else rows
    answer = delete(admin_client, way, rows)
    assert "Nothing was deleted" in answer.text
    assert "still has runs in hand (1). They were told to end." in answer.text
    assert not LogEntry.objects.exists()
    told = runs[: len(rows)][:2]
    for run in told:
        run.refresh_from_db()
        assert run.cancel_requested
        assert json.loads(redis_client.hget(key(run.host.name, "control"), "cancels")) == [
            [run.pk, run.fence]
        ]
        services.finish_run(run, Outcome.CANCELED, reason="canceled")  # as its agent reports
    answer = delete(admin_client, way, rows)
    assert "successfully" in answer.text.lower()
    assert not rows[0].__class__.objects.filter(pk__in=[row.pk for row in rows]).exists()


@pytest.mark.parametrize("what", ["account", "campaign"])
def test_a_run_that_is_made_while_what_it_is_for_is_deleted_ends_with_it(
    redis_client, monkeypatch, what: str
) -> None:
    account = make_account(device=make_device(host=host_with_key()))
    campaign = Campaign.objects.create(name="nightly", script="login")

    def make_one(_row: object) -> None:
        target = [(account, account.device)]
        services.enqueue("login", target, requested_by="its schedule", campaign=campaign)

    monkeypatch.setattr("automation.receivers._lock", make_one)
    {"account": account, "campaign": campaign}[what].delete()
    (run,) = Run.objects.all()
    assert (run.state, run.reason) == (RunState.FINISHED, f"{what}_deleted")
