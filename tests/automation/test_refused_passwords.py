"""A password that an app has refused is tried once, and never again until it changes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Account
from automation import services
from automation.choices import Outcome, RunState
from automation.controller import dispatch, tickets
from automation.models import Run
from devices.models import Device
from tests.automation.rows import host_with_key, offer_run, running_run, start_run
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone() -> Device:
    return make_device(host=host_with_key())


@pytest.fixture
def account(phone: Device) -> Account:
    """Its password was refused just now."""
    account = make_account(device=phone, password="old-one")
    refuse(account, phone)
    return account


def refuse(account: Account, phone: Device) -> None:
    services.finish_run(running_run(phone, account=account), Outcome.FAILED, reason="wrong_password")
    account.refresh_from_db()


def ask(account: Account, script: str = "login") -> Run:
    [run] = services.enqueue(script, [(account, account.device)], requested_by="alice")
    return Run.objects.get(pk=run.pk)


def ask_while_it_is_refused(account: Account, phone: Device) -> Run:
    """A login that waits behind the one whose password is refused."""
    first = running_run(phone, account=account)
    [waiting] = services.enqueue("login", [(account, phone)], requested_by="alice", repeat=True)
    services.finish_run(first, Outcome.FAILED, reason="wrong_password")
    account.refresh_from_db()
    return waiting


def test_no_login_is_made_for_it_and_the_operator_is_told_why(account: Account) -> None:
    run = ask(account)

    assert account.password_refused
    assert (run.state, run.outcome, run.reason) == (RunState.FINISHED, Outcome.SKIPPED, "password_refused")


def test_a_script_that_types_no_password_goes_on(account: Account) -> None:
    assert ask(account, "sync").state == RunState.PENDING


def test_a_login_that_waited_already_is_not_offered_and_says_why(phone: Device) -> None:
    account = make_account(device=phone, password="old-one")
    waiting = ask_while_it_is_refused(account, phone)

    assert waiting not in Run.objects.startable(timezone.now() + timedelta(seconds=1))
    assert dispatch.plan(timezone.now() + timedelta(seconds=1)).offers == []
    assert "refused" in dispatch.why_waiting(waiting)


def test_it_keeps_nobody_else_on_the_phone_waiting(phone: Device) -> None:
    account, other = make_account(device=phone, password="old-one"), make_account(device=phone)
    ask_while_it_is_refused(account, phone)
    next_one = ask(other)

    assert [offer.run for offer in dispatch.plan(timezone.now() + timedelta(seconds=1)).offers] == [
        next_one.pk
    ]


def test_a_new_password_is_tried(account: Account) -> None:
    accounts.set_credentials(account, password="new-one")

    assert ask(account).state == RunState.PENDING


def test_the_same_password_typed_again_is_no_new_one(account: Account) -> None:
    accounts.set_credentials(account, password="old-one")

    assert ask(account).reason == "password_refused"


def test_whatever_else_happens_to_the_account_does_not_make_it_good(account: Account, phone: Device) -> None:
    other = offer_run(ask(account, "sync"), phone.host_id)
    services.finish_run(start_run(other.pk, other.fence), Outcome.NEEDS_PERSON, reason="captcha")
    accounts.clear_attention(account)
    account.refresh_from_db()

    assert ask(account).reason == "password_refused"


def test_a_password_that_was_changed_while_the_old_one_was_tried_is_not_blamed(phone: Device) -> None:
    account = make_account(device=phone, password="old-one")
    run = running_run(phone, account=account)
    accounts.set_credentials(account, password="new-one")
    services.finish_run(run, Outcome.FAILED, reason="wrong_password")
    account.refresh_from_db()

    assert (account.password_refused, account.attention) == (False, "")
    assert ask(account).state == RunState.PENDING


def test_no_ticket_carries_it(account: Account) -> None:
    assert tickets._credentials(account, with_secrets=True)["password"] == ""
