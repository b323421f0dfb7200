"""What no other test holds by name: promises that a defect on purpose (mutants_list.py) must not break unnoticed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Account
from automation import services
from automation.choices import RunState
from automation.controller import dispatch, sweep, tickets
from automation.models import Run, RunEvent
from tests.automation.rows import offer_run, offered_run, run_on, running_run
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_that_takes_long_on_a_host_that_is_heard_goes_on(redis_client: Any) -> None:
    run = running_run()
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(hours=2))
    sweep.in_hand(sweep.Questions())
    sweep.expire()
    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_a_run_whose_account_was_disabled_unseen_is_put_before_no_phone(redis_client: Any) -> None:
    run = run_on()
    Account.objects.filter(pk=run.account_id).update(is_enabled=False)
    assert dispatch.offer_all() == 0


@pytest.mark.parametrize(
    ("state", "shared"), [("offered", "device"), ("offered", "account"), ("running", "account")]
)
def test_the_database_refuses_two_runs_in_hand_of_one_phone_or_account(state: str, shared: str) -> None:
    run, now = offered_run(), timezone.now()
    others = {"device": make_device(), "account": make_account(), shared: getattr(run, shared)}
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.create(script="login", state=state, not_before=now, start_by=now, **others)


def test_an_offer_made_anew_meanwhile_is_not_withdrawn_with_the_old_one() -> None:
    old = offered_run()
    assert services.withdraw_offer(Run.objects.get(pk=old.pk), "test")
    anew = offer_run(Run.objects.get(pk=old.pk), old.host_id or 0)
    assert anew is not None
    assert services.withdraw_offer(old, "the sweep looked before") is False
    anew.refresh_from_db()
    assert (anew.state, anew.fence) == (RunState.OFFERED, 2)


def test_a_password_is_opened_only_after_the_event_of_its_offer_is_written(
    redis_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, make, written = run_on(), tickets.make, []

    def watched(run: Run, *more: Any) -> Any:
        written.append(RunEvent.objects.filter(run=run, new=RunState.OFFERED).exists())
        return make(run, *more)

    monkeypatch.setattr(tickets, "make", watched)
    assert dispatch.offer_all() == 1
    run.refresh_from_db()
    assert (run.state, written) == (RunState.OFFERED, [True])
