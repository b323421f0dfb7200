"""Offers on a real Redis: sealed tickets, single use, withdrawn before a reply is sent."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta

import pytest
from django.db import DatabaseError, connections
from django.db.models.signals import post_delete
from django.utils import timezone

from accounts import services as accounts
from accounts.choices import PACKAGES, AuditAction
from accounts.fields import Secret
from accounts.models import Account, AuditEvent
from accounts.services import RunsMayStart
from accounts.totp import Totp
from automation import services, transitions
from automation.choices import Outcome, RunState
from automation.controller import cancels, dispatch, sweep, tickets
from automation.models import Run
from automation.protocol import Heartbeat, key, moment_of, ticket_key
from devices.choices import Hold
from devices.models import Device
from tests.automation.rows import host_with_key, offer_run, offered_run, run_on, running_run, ticket_of
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_offer_is_a_message_of_ids_and_a_ticket_only_its_host_can_open(redis_client) -> None:
    run = run_on(account=make_account(app="instagram", password="pass:word", totp_secret="JBSWY3DPEHPK3PXP"))
    assert dispatch.offer_all() == 1
    run.refresh_from_db()
    message = json.loads(redis_client.lpop(key(run.host.name, "runs")))
    assert message["headers"]["argsrepr"] == repr([run.pk, run.fence, run.device.serial]).replace('"', "'")
    ticket = ticket_of(run, redis_client)
    assert (ticket.run, ticket.fence, ticket.host) == (run.pk, run.fence, run.host.name)
    assert ticket.credentials is not None
    assert ticket.credentials.password == "pass:word"


def test_a_ticket_carries_codes_of_the_next_minutes_and_never_the_secret(redis_client) -> None:
    run = offered_run(account=make_account(app="instagram", totp_secret="JBSWY3DPEHPK3PXP"))
    tickets.issue([run])
    ticket = ticket_of(run, redis_client)
    assert "JBSWY3DPEHPK3PXP" not in ticket.to_json()
    now = time.time()
    current = next(code for start, code in ticket.credentials.codes if start <= now < start + 30)
    assert current == Totp("JBSWY3DPEHPK3PXP").at(int(now))
    assert ticket.credentials.codes[-1][0] >= now + ticket.seconds


def test_the_codes_of_a_ticket_begin_by_redis_clock_wherever_that_stands(redis_client, monkeypatch) -> None:
    run = offered_run(account=make_account(app="instagram", totp_secret="JBSWY3DPEHPK3PXP"))
    now, hour = moment_of(redis_client), 3600
    monkeypatch.setattr(tickets, "moment_of", lambda _client: now._replace(seconds=now.seconds + hour))
    tickets.issue([run])
    by_redis = now.seconds + hour
    codes = ticket_of(run, redis_client).credentials.codes
    current = next(code for start, code in codes if start <= by_redis < start + 30)
    assert current in {Totp("JBSWY3DPEHPK3PXP").at(now.seconds + late) for late in (-1, 0, 1)}


def test_redis_holds_no_secret_in_clear(redis_client) -> None:
    run_on(account=make_account(app="instagram", password="canary-Pass-1", totp_secret="JBSWY3DPEHPK3PXP"))
    dispatch.offer_all()
    everything = b"".join(_value(redis_client, name) for name in redis_client.keys("*"))
    assert b"canary-Pass-1" not in everything
    assert b"JBSWY3DPEHPK3PXP" not in everything


def _value(client, name: bytes) -> bytes:
    return client.dump(name) or b""


def test_a_taken_ticket_cannot_be_withdrawn_and_a_withdrawn_one_not_taken(redis_client) -> None:
    run = offered_run()
    tickets.issue([run])
    assert tickets.withdraw(run) is True
    assert redis_client.getdel(ticket_key(run.host.name, run.pk, run.fence)) is None
    tickets.issue([run])
    redis_client.getdel(ticket_key(run.host.name, run.pk, run.fence))
    assert tickets.withdraw(run) is False


def test_disabling_an_account_withdraws_its_offer_before_the_reply(redis_client) -> None:
    run = run_on()
    dispatch.offer_all()
    accounts.set_enabled([run.account], False, actor="ann")
    run.refresh_from_db()
    assert (run.state, run.outcome, run.reason) == (RunState.FINISHED, Outcome.SKIPPED, "disabled")
    assert not redis_client.exists(ticket_key(run.host.name, run.pk, run.fence))


def test_an_account_disabled_between_claim_and_ticket_does_not_start(redis_client, monkeypatch) -> None:
    run = run_on()
    issue = tickets.issue

    def disable_first(offered: list[Run]) -> list[Run]:
        Account.objects.filter(pk__in=[one.account_id for one in offered]).update(is_enabled=False)
        return issue(offered)

    monkeypatch.setattr(tickets, "issue", disable_first)
    assert dispatch.offer_all() == 0
    assert redis_client.keys("*ticket*") == []
    assert not redis_client.exists(key(run.device.host.name, "runs"))
    run.refresh_from_db()
    assert run.state == RunState.PENDING  # and the sweep ends it


def test_disabling_cancels_what_runs_and_skips_what_waits(redis_client) -> None:
    running = running_run()
    (waiting,) = services.enqueue("sync", [(running.account, running.device)], requested_by="ann")
    accounts.set_enabled([running.account], False, actor="ann")
    running.refresh_from_db()
    waiting.refresh_from_db()
    assert (running.cancel_requested, waiting.outcome, waiting.reason) == (True, "skipped", "disabled")
    assert json.loads(redis_client.hget(key(running.host.name, "control"), "cancels")) == [
        [running.pk, running.fence]
    ]


def test_a_ticket_put_down_while_its_account_was_being_deleted_is_withdrawn_before_the_reply(
    redis_client,
) -> None:
    run = offered_run()

    def before_the_commit(**_kwargs) -> None:
        tickets.issue([run])  # by a controller that cannot see the deletion yet

    post_delete.connect(before_the_commit, sender=Account)
    try:
        run.account.delete()
    finally:
        post_delete.disconnect(before_the_commit, sender=Account)
    assert redis_client.keys("*ticket*") == []
    run.refresh_from_db()
    assert (run.outcome, run.reason) == ("canceled", "account_deleted")


def test_a_canceled_offer_ends_at_once(redis_client) -> None:
    run = run_on()
    dispatch.offer_all()
    assert cancels.cancel(Run.objects.filter(pk=run.pk), "ann") == 1
    run.refresh_from_db()
    assert (run.state, run.outcome) == (RunState.FINISHED, Outcome.CANCELED)


def test_without_redis_a_cancel_says_that_the_offer_could_not_be_withdrawn(redis_client, settings) -> None:
    run = offered_run()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    tickets.wire.cache_clear()
    with pytest.raises(RunsMayStart, match="Redis does not answer"):
        cancels.cancel(Run.objects.filter(pk=run.pk), "ann")
    run.refresh_from_db()
    assert run.cancel_requested  # the controller goes on with it


def test_an_overdue_offer_whose_ticket_is_there_waits_again(redis_client, monkeypatch) -> None:
    monkeypatch.setattr(sweep, "OFFER_SECONDS", -1)
    run = offered_run()
    tickets.issue([run])
    sweep.overdue_offers(sweep.Questions())
    run.refresh_from_db()
    assert run.state == RunState.PENDING
    assert redis_client.keys("*ticket*") == []


def test_an_offer_of_a_controller_whose_clock_is_ahead_does_not_hold_its_phone_until_then(
    redis_client,
) -> None:
    run = offered_run()
    Run.objects.filter(pk=run.pk).update(offered_at=timezone.now() + timedelta(hours=1))
    tickets.issue([run])
    sweep.overdue_offers(sweep.Questions())
    run.refresh_from_db()
    assert run.state == RunState.PENDING


def test_an_overdue_offer_whose_ticket_is_gone_is_asked_about_and_not_repeated(
    redis_client, monkeypatch
) -> None:
    monkeypatch.setattr(sweep, "OFFER_SECONDS", -1)
    run = offered_run()
    sweep.overdue_offers(sweep.Questions())
    run.refresh_from_db()
    assert run.state == RunState.OFFERED
    assert redis_client.hget(key(run.host.name, "control"), "nonce")


def test_a_question_is_asked_again_when_redis_lost_it(redis_client, monkeypatch) -> None:
    monkeypatch.setattr(sweep, "OFFER_SECONDS", -1)
    run, questions = offered_run(), sweep.Questions()
    for _ in range(2):
        redis_client.flushdb()
        sweep.overdue_offers(questions)
        assert redis_client.hget(key(run.host.name, "control"), "nonce")


def test_a_cancel_that_comes_while_an_offer_is_withdrawn_is_not_lost(redis_client, monkeypatch) -> None:
    monkeypatch.setattr(sweep, "OFFER_SECONDS", -1)
    run, withdraw = offered_run(), tickets.withdraw
    tickets.issue([run])

    def cancel_meanwhile(offered: Run) -> bool:
        done = withdraw(offered)
        monkeypatch.setattr(tickets, "withdraw", withdraw)
        cancels.cancel(Run.objects.filter(pk=run.pk), "ann")
        return done

    monkeypatch.setattr(tickets, "withdraw", cancel_meanwhile)
    sweep.overdue_offers(sweep.Questions())
    run.refresh_from_db()
    assert run.outcome == Outcome.CANCELED


def test_a_password_whose_key_is_gone_stops_its_own_run_only(redis_client) -> None:
    bad, good = run_on(), run_on()
    Account.objects.filter(pk=bad.account_id).update(password=Secret("k9:AAAA"))
    assert dispatch.offer_all() == 1
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.outcome, bad.reason, good.state) == (Outcome.ERRORED, "not_offered", RunState.OFFERED)


def test_a_deleted_account_has_no_runs_any_more(redis_client) -> None:
    run = run_on()
    run.account.delete()
    run.refresh_from_db()
    assert (run.outcome, run.reason) == (Outcome.CANCELED, "account_deleted")


def test_a_disabled_account_nobody_followed_up_is_followed_up_by_the_sweep(redis_client) -> None:
    run = running_run()
    Account.objects.filter(pk=run.account_id).update(is_enabled=False)
    sweep.in_hand(sweep.Questions())
    run.refresh_from_db()
    assert run.cancel_requested


def test_the_sweep_asks_one_question_where_all_is_well(redis_client, django_assert_num_queries) -> None:
    running_run()
    offered_run()
    with django_assert_num_queries(1):
        sweep.in_hand(sweep.Questions())


WRONG = {
    "its phone is kept": lambda run: Device.objects.filter(pk=run.device_id).update(hold=Hold.PERSON),
    "nobody took it": lambda run: Run.objects.update(offered_at=timezone.now() - timedelta(seconds=11)),
    "made by a clock ahead": lambda run: Run.objects.update(offered_at=timezone.now() + timedelta(minutes=1)),
    "somebody canceled it": lambda run: Run.objects.update(cancel_requested=True),
    "its account is off": lambda run: Account.objects.update(is_enabled=False),
    "its host is gone": lambda run: Run.objects.update(host=None),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_sweep_sees_what_is_wrong_with_an_offer(redis_client, wrong: str) -> None:
    run = offered_run()
    tickets.issue([run])
    WRONG[wrong](run)
    for _look in range(2):  # told to end by the first, taken back by the second
        sweep.in_hand(sweep.Questions())
    run.refresh_from_db()
    assert run.state != RunState.OFFERED


def test_an_agent_is_told_to_let_go_of_what_has_ended_here(redis_client) -> None:
    run = running_run()
    services.finish_run(run, Outcome.LOST, reason="host_silent")
    beat = Heartbeat(host=run.host.name, epoch="e1", number=1, last_seq=0, in_hand=[[run.pk, run.fence]])
    cancels.tell(run.host, beat)
    assert json.loads(redis_client.hget(key(run.host.name, "control"), "cancels")) == [[run.pk, run.fence]]


def test_a_cancel_is_not_hidden_by_a_list_that_was_read_before_it_and_is_written_after_it(
    redis_client, monkeypatch
) -> None:
    run, send = running_run(), cancels._send

    def cancel_first(wanted) -> None:
        monkeypatch.setattr(cancels, "_send", send)
        cancels.cancel([run], "ann")
        send(wanted)

    monkeypatch.setattr(cancels, "_send", cancel_first)
    cancels.Cancels().send([run.host], {})
    assert json.loads(redis_client.hget(key(run.host.name, "control"), "cancels")) == [[run.pk, run.fence]]


def test_two_controllers_claim_a_run_once(redis_client, monkeypatch) -> None:
    run, claims, gate, update = run_on(), [], threading.Event(), transitions.Changes._update

    def slow_for_the_first(changes) -> None:
        update(changes)
        if threading.current_thread().name == "first":
            gate.wait(1)

    def claim() -> None:
        claims.append(offer_run(Run.objects.get(pk=run.pk), run.device.host_id))
        connections.close_all()

    monkeypatch.setattr(transitions.Changes, "_update", slow_for_the_first)
    both = [threading.Thread(target=claim, name=name) for name in ("first", "second")]
    for thread in both:
        thread.start()
        time.sleep(0.3)
    gate.set()
    for thread in both:
        thread.join()
    assert len([claim for claim in claims if claim]) == 1


def test_two_requests_at_once_queue_a_login_once(redis_client) -> None:
    device = make_device(host=host_with_key())
    account, together = make_account(device=device), threading.Barrier(2)

    def request() -> None:
        together.wait()
        services.enqueue("login", [(account, device)], requested_by="ann")
        connections.close_all()

    both = [threading.Thread(target=request) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert Run.objects.count() == 1


def test_every_ticket_stands_in_the_audit_before_it_is_in_redis(redis_client, monkeypatch) -> None:
    runs = [run_on() for _each in range(3)]
    monkeypatch.setattr(tickets.bulk, "insert", _refused_for_audit(tickets.bulk.insert))
    with pytest.raises(DatabaseError):
        dispatch.offer_all()
    assert not redis_client.keys("*ticket:*")
    monkeypatch.undo()
    again = run_on()
    assert dispatch.offer_all() == 1
    event = AuditEvent.objects.get()
    assert (event.actor, event.action, event.account) == ("test", AuditAction.TICKET, again.account)
    assert (
        event.detail == f"run {again.pk}, login, phone {again.device.serial}, host {again.device.host.name}"
    )
    assert len(runs) == 3


def test_tickets_of_many_phones_cost_one_statement_more(redis_client, django_assert_num_queries) -> None:
    runs = [offered_run() for _each in range(8)]
    runs = list(
        Run.objects.filter(pk__in=[run.pk for run in runs]).select_related("account", "device", "host")
    )
    with django_assert_num_queries(1):
        tickets.issue(runs)
    assert AuditEvent.objects.filter(action=AuditAction.TICKET).count() == 8


def test_the_names_on_phones_are_read_once_for_all_tickets_without_an_account(
    redis_client, django_assert_num_queries
) -> None:
    host = host_with_key()
    phones = [(None, make_device(host=host)) for _each in range(8)]
    waiting = services.enqueue("match", phones, requested_by="ann")
    runs = [offer_run(run, host.pk) for run in waiting]
    for run in runs:
        make_account(
            username=f"on{run.device_id}",
            nickname="Ann B",
            package_name="com.tiktok.clone",
            device=run.device,
        )
    runs = list(Run.objects.filter(pk__in=[run.pk for run in runs]).select_related("device", "host"))
    with django_assert_num_queries(1):  # names and clones
        tickets.issue(runs)
    ticket = ticket_of(runs[0], redis_client)
    assert ticket.hide == [f"on{runs[0].device_id}", "Ann B"]
    assert ticket.packages["tiktok"] == [*PACKAGES["tiktok"], "com.tiktok.clone"]


def _refused_for_audit(insert):
    def instead(model, *args):
        if model is AuditEvent:
            raise DatabaseError("no audit")
        return insert(model, *args)

    return instead
