"""Runs change their state by verbs, each from the states it allows, with an event in the same transaction."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Account
from automation import services
from automation.choices import Outcome, RunState
from automation.controller import tickets
from automation.models import Run, RunEvent
from automation.services import InvalidTransition
from devices.models import Device
from tests.automation.rows import (
    IN_STATE,
    finished_run,
    host_with_key,
    offer_run,
    offered_run,
    run_on,
    running_run,
    start_run,
)
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db


def test_a_run_is_made_for_each_account_with_an_event() -> None:
    device = make_device()
    pairs = [(make_account(device=device), device) for _ in range(3)]
    runs = services.enqueue("login", pairs, requested_by="ann")
    assert [run.state for run in runs] == [RunState.PENDING] * 3
    assert RunEvent.objects.filter(new=RunState.PENDING, actor="ann").count() == 3


def test_a_disabled_account_gets_no_run() -> None:
    device = make_device()
    assert not services.enqueue("login", [(make_account(is_enabled=False), device)], requested_by="ann")


@pytest.mark.parametrize(
    "happened",
    [
        lambda account, phone: accounts.set_enabled([account], False),
        lambda account, phone: Account.objects.filter(pk=account.pk).delete(),
        lambda account, phone: Device.objects.filter(pk=phone.pk).delete(),
    ],
    ids=["an account was disabled", "an account was deleted", "a phone was deleted"],
)
def test_what_happened_since_the_targets_were_read_counts(happened) -> None:
    account, phone, other = make_account(device=make_device()), make_device(), make_device()
    targets = [(account, account.device), (None, phone), (None, other)]
    happened(account, phone)
    made = services.enqueue("match", targets, requested_by="ann")
    assert len(made) == 2
    assert other in [run.device for run in made]


def test_an_account_without_a_device_is_told_so_at_once() -> None:
    (run,) = services.enqueue("login", [(make_account(), None)], requested_by="ann")
    run.refresh_from_db()
    assert (run.state, run.outcome, run.reason) == (RunState.FINISHED, Outcome.SKIPPED, "no_device")


def test_the_same_script_is_not_queued_twice_for_an_account() -> None:
    run = run_on()
    assert not services.enqueue("login", [(run.account, run.device)], requested_by="ann")


def test_two_runs_of_one_account_that_are_wanted_again_make_one() -> None:
    first = finished_run()
    again = Run.objects.create(
        script=first.script, account=first.account, device=first.device, state=RunState.FINISHED,
        outcome=Outcome.FAILED, not_before=timezone.now(), start_by=timezone.now(), options={"b": 1},
    )  # fmt: skip
    wanted = [(run, (first.account, first.device)) for run in (first, first, again)]
    assert [run.options for run in services.enqueue_again(wanted, requested_by="ann")] == [{}]


@pytest.mark.parametrize("state", sorted(set(RunState) - {RunState.PENDING}))
def test_only_a_waiting_run_can_be_offered(state: str) -> None:
    run = IN_STATE[state]()
    assert offer_run(run, run.host_id) is None


@pytest.mark.parametrize("state", sorted(set(RunState) - {RunState.OFFERED}))
def test_only_an_offered_run_can_start(state: str) -> None:
    run = IN_STATE[state]()
    with pytest.raises(InvalidTransition):
        start_run(run.pk, run.fence)


def test_a_run_does_not_start_under_an_old_fence() -> None:
    run = offered_run()
    with pytest.raises(InvalidTransition):
        start_run(run.pk, run.fence - 1)


@pytest.mark.parametrize("state", sorted(set(RunState) - {RunState.OFFERED}))
def test_only_an_offer_can_be_withdrawn(state: str) -> None:
    run = IN_STATE[state]()
    assert services.withdraw_offer(run, "test") is False
    run.refresh_from_db()
    assert run.state == state


def test_a_withdrawn_offer_waits_again_and_its_next_offer_has_a_new_fence() -> None:
    run = offered_run()
    assert services.withdraw_offer(run, "test")
    again = offer_run(Run.objects.get(pk=run.pk), run.host_id)
    assert again is not None
    assert again.fence == run.fence + 1


def test_an_end_never_changes() -> None:
    run = finished_run()
    with pytest.raises(InvalidTransition):
        services.finish_run(run, Outcome.FAILED, reason="late")
    run.refresh_from_db()
    assert run.outcome == Outcome.SUCCEEDED


def test_an_end_under_an_old_fence_is_refused() -> None:
    run = offered_run()
    stale = Run.objects.get(pk=run.pk)
    services.withdraw_offer(run, "test")
    offer_run(Run.objects.get(pk=run.pk), run.host_id)
    with pytest.raises(InvalidTransition):
        services.finish_run(stale, Outcome.LOST)


def test_every_change_leaves_an_event() -> None:
    run = finished_run()
    changes = list(run.events.values_list("old", "new"))
    assert changes == [
        ("", "pending"),
        ("pending", "offered"),
        ("offered", "running"),
        ("running", "finished"),
    ]


def test_an_account_disabled_after_its_run_was_made_is_not_offered() -> None:
    run = run_on()
    Account.objects.filter(pk=run.account_id).update(is_enabled=False)
    assert offer_run(run, run.device.host_id) is None


@pytest.mark.parametrize(
    ("of_run", "of_account"),
    [
        ({}, {}),
        ({"not_before": timezone.now() + timedelta(hours=1)}, {}),
        ({"start_by": timezone.now() - timedelta(hours=1)}, {}),
        ({"cancel_requested": True}, {}),
        ({"account": None}, {}),
        ({}, {"is_enabled": False}),
        ({}, {"password_refused": True}),
        ({"script": "sync"}, {"password_refused": True}),
    ],
)
def test_a_run_that_was_read_and_the_question_of_many_say_the_same(of_run, of_account) -> None:
    run, now = run_on(), timezone.now()
    Account.objects.filter(pk=run.account_id).update(**of_account)
    Run.objects.filter(pk=run.pk).update(**of_run)
    is_startable = Run.objects.startable(now).filter(pk=run.pk).exists()
    assert Run.objects.get(pk=run.pk).is_startable(now) == is_startable
    assert (offer_run(run, run.device.host_id) is not None) == is_startable


def test_many_runs_are_offered_by_as_many_statements_as_one(redis_client, django_assert_num_queries) -> None:
    device = make_device(host=host_with_key())
    for phones in ([device], [make_device(host=device.host) for _each in range(8)]):
        runs = [run_on(phone) for phone in phones]
        for run in runs:
            run.account.totp_secret = "JBSWY3DPEHPK3PXP"
            run.account.save()
        claims = [services.Claim(run.pk, run.fence, run.device_id, device.host_id) for run in runs]
        with django_assert_num_queries(7):  # a savepoint, runs with accounts, rows, events, phones, hosts
            offered = services.offer_runs(claims)
        with django_assert_num_queries(1):  # the audit: all that tickets and messages say was read
            assert tickets.issue(offered) == offered
            tickets.announce(offered)


@pytest.mark.parametrize("first", [offered_run, running_run])
def test_two_runs_of_one_account_are_never_in_hand_together(first) -> None:
    run = first()
    other = make_device(host=host_with_key())
    (second,) = services.enqueue("sync", [(run.account, other)], requested_by="ann")
    assert offer_run(second, other.host_id) is None


def test_the_database_refuses_two_running_runs_on_one_device() -> None:
    run = running_run()
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.create(
            script="match",
            device=run.device,
            state=RunState.RUNNING,
            not_before=timezone.now(),
            start_by=timezone.now(),
        )


def test_the_database_refuses_an_end_without_outcome() -> None:
    run = run_on()
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(state=RunState.FINISHED)


@pytest.mark.parametrize("reason", ["phone_offline", "phone_hung"])
def test_a_passing_reason_brings_a_new_attempt_that_waits(reason: str) -> None:
    run = services.finish_run(running_run(), Outcome.FAILED, reason=reason)
    retry = Run.objects.get(retry_of=run)
    assert (retry.state, retry.attempt, retry.account) == (RunState.PENDING, 2, run.account)
    assert retry.not_before > timezone.now()


def test_a_wrong_password_is_not_tried_again() -> None:
    run = services.finish_run(running_run(), Outcome.FAILED, reason="wrong_password")
    assert not Run.objects.filter(retry_of=run).exists()


def test_attempts_are_bounded() -> None:
    run = running_run()
    for _ in range(10):
        services.finish_run(run, Outcome.LOST, reason="host_silent")
        retry = Run.objects.filter(retry_of=run).first()
        if retry is None:
            break
        Run.objects.filter(pk=retry.pk).update(not_before=timezone.now() - timedelta(seconds=1))
        retry.refresh_from_db()
        offered = offer_run(retry, retry.device.host_id)
        run = start_run(offered.pk, offered.fence)
    assert Run.objects.count() == 3


def test_a_login_that_succeeded_sets_the_login_status_and_clears_attention() -> None:
    run = running_run()
    accounts.mark_attention(run.account, "captcha")
    services.finish_run(run, Outcome.SUCCEEDED, reason="signed_in")
    account = Account.objects.get(pk=run.account_id)
    assert (account.is_logged_in, account.attention) == (True, "")


def test_a_captcha_marks_the_account_for_a_person() -> None:
    run = running_run()
    services.finish_run(run, Outcome.NEEDS_PERSON, reason="captcha")
    assert Account.objects.get(pk=run.account_id).attention == "captcha"


def test_a_wrong_password_ends_the_login_status() -> None:
    run = running_run()
    accounts.set_logged_in([run.account], True)
    services.finish_run(run, Outcome.FAILED, reason="wrong_password")
    assert Account.objects.get(pk=run.account_id).is_logged_in is False


def test_what_a_match_could_not_read_is_not_signed_out() -> None:
    device = make_device(host=host_with_key())
    account = make_account(app="instagram", device=device, is_logged_in=True)
    for unreadable, is_logged_in in (["unknown_screen"], True), ([], False):
        (run,) = services.enqueue("match", [(None, device)], requested_by="ann")
        offered = offer_run(run, device.host_id)
        here = {"app": "instagram", "package": "com.instagram.android"}
        result = {
            "found": [{**here, "usernames": ["somebody.else"]}],
            "unreadable": [{**here, "reason": reason} for reason in unreadable],
        }
        services.finish_run(start_run(offered.pk, offered.fence), "succeeded", result=result)
        assert Account.objects.get(pk=account.pk).is_logged_in is is_logged_in


def test_a_waiting_run_is_canceled_at_once_and_a_running_one_is_asked() -> None:
    waiting, running = run_on(), running_run()
    assert services.request_cancel([waiting, running], "ann") == [running]
    waiting.refresh_from_db()
    running.refresh_from_db()
    assert (waiting.outcome, running.state, running.cancel_requested) == ("canceled", "running", True)
