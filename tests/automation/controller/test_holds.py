"""A phone that waits for a person: nothing begins on it, and it comes back by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from automation.choices import RunState
from automation.controller import dispatch, reports, sweep, tickets
from automation.models import Run
from automation.protocol import Report, key, ticket_key
from devices import services as devices
from devices.choices import Hold
from devices.models import Device
from tests.automation.rows import host_with_key, offered_run, run_on, running_run
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db(transaction=True)


def staged_behind(run: Run) -> Run:
    """A run that is offered while the other has the phone."""
    staged = offered_run(run.device, account=make_account(device=run.device))
    tickets.issue([staged])
    return staged


def report_needs_person(client, run: Run) -> None:
    body = {"outcome": "needs_person", "reason": "captcha"}
    report = Report("finished", run.pk, run.fence, epoch="e1", seq=1, body=body)
    client.xadd(key(run.host.name, "reports"), {"report": report.to_json()})


def test_what_was_staged_on_the_phone_is_taken_back_before_the_agent_hears_of_the_end(redis_client) -> None:
    run = running_run()
    staged = staged_behind(run)
    ticket = ticket_key(run.host.name, staged.pk, staged.fence)
    assert redis_client.exists(ticket)
    report_needs_person(redis_client, run)
    seen = []

    def acknowledge(client, host) -> None:
        seen.append(redis_client.exists(ticket))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reports, "acknowledge", acknowledge)
        reports.apply_host(run.host.name)
    staged.refresh_from_db()
    assert (seen, staged.state) == ([0], RunState.PENDING)


def test_a_phone_that_was_taken_between_claim_and_ticket_is_given_no_run(redis_client, monkeypatch) -> None:
    run = run_on()
    issue = tickets.issue

    def hold_then_issue(runs):
        devices.hold([run.device])
        return issue(runs)

    monkeypatch.setattr(tickets, "issue", hold_then_issue)
    assert dispatch.offer_all() == 0
    run.refresh_from_db()
    assert run.state == RunState.PENDING
    assert redis_client.llen(key(run.device.host.name, "runs")) == 0


def test_the_hold_ends_by_itself_at_its_time_and_not_before(redis_client) -> None:
    now, host = timezone.now(), host_with_key()
    over, going_on, without_end = (make_device(host=host) for _ in range(3))
    devices.hold([over], now - timedelta(seconds=1))
    devices.hold([going_on], now + timedelta(minutes=1))
    devices.hold([without_end])
    sweep.end_holds()
    holds = dict(Device.objects.values_list("pk", "hold"))
    assert holds == {over.pk: Hold.NONE, going_on.pk: Hold.PERSON, without_end.pk: Hold.PERSON}


def test_a_held_phone_is_given_no_run_until_then(redis_client) -> None:
    run = run_on()
    devices.hold([run.device], timezone.now() + timedelta(minutes=1))
    assert dispatch.offer_all() == 0
    Device.objects.update(hold_until=timezone.now())
    sweep.end_holds()
    assert dispatch.offer_all() == 1
