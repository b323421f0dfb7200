"""Which run goes to which phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automation import services
from automation.controller import dispatch
from automation.controller.dispatch import Candidate, assign
from automation.models import Run
from devices.choices import Connection, Health, Hold
from devices.models import Device, Host
from tests.automation.rows import host_with_key, offered_run, run_on, running_run
from tests.factories import make_account, make_device


def test_the_highest_priority_goes_first_and_then_the_oldest() -> None:
    runs = [Candidate(1, 1, 1), Candidate(2, 2, 1, priority=10), Candidate(3, 3, 1)]
    assert [one.run for one in assign(runs, {1: 2}, {}).offers] == [2, 1]


def test_a_host_gets_no_more_runs_than_it_has_lanes_and_the_rest_is_told_why() -> None:
    plan = assign([Candidate(1, 1, 1), Candidate(2, 2, 1)], {1: 3}, {1: 2})
    assert [one.run for one in plan.offers] == [1]
    assert "works on 3 phones" in plan.waiting[2]


def test_one_account_is_offered_once() -> None:
    plan = assign([Candidate(1, 1, 1, account=7), Candidate(2, 2, 1, account=7)], {1: 5}, {})
    assert [one.run for one in plan.offers] == [1]
    assert "another run" in plan.waiting[2]


@pytest.mark.django_db
def test_a_free_phone_is_given_its_next_run() -> None:
    run = run_on()
    assert [one.run for one in dispatch.candidates(timezone.now())] == [run.pk]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "trouble",
    [
        {"connection": Connection.OFFLINE},
        {"connection": Connection.UNAUTHORIZED},
        {"health": Health.QUARANTINED},
        {"health": Health.RETIRED},
        {"hold": Hold.PERSON},
    ],
)
def test_a_phone_in_trouble_is_given_nothing_and_the_run_says_why(trouble: dict[str, str]) -> None:
    run = run_on()
    Device.objects.filter(pk=run.device_id).update(**trouble)
    assert dispatch.candidates(timezone.now()) == []
    assert str(run.device) in dispatch.why_waiting(Run.objects.get(pk=run.pk))


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", [{"is_silent": True}, {"is_trusted": False}])
def test_a_host_that_is_silent_or_untrusted_is_given_nothing(trouble: dict[str, bool]) -> None:
    run = run_on()
    Host.objects.filter(pk=run.device.host_id).update(**trouble)
    assert dispatch.candidates(timezone.now()) == []
    assert "Host" in dispatch.why_waiting(Run.objects.get(pk=run.pk))


@pytest.mark.django_db
@pytest.mark.parametrize("in_hand", [offered_run, running_run])
def test_a_phone_with_a_run_in_hand_is_not_free(in_hand) -> None:
    run = in_hand()
    services.enqueue("login", [(make_account(), run.device)], requested_by="ann")
    assert dispatch.candidates(timezone.now()) == []


@pytest.mark.django_db
def test_a_run_does_not_start_before_its_time() -> None:
    run = run_on()
    Run.objects.filter(pk=run.pk).update(not_before=timezone.now() + timedelta(seconds=30))
    assert dispatch.candidates(timezone.now()) == []


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_what_waits() -> None:
    device = make_device(host=host_with_key())
    counts = []
    for more in (10, 300):
        services.enqueue("login", [(make_account(), device) for _ in range(more)], requested_by="ann")
        with CaptureQueriesContext(
            connection,
        ) as seen:
            dispatch.candidates(timezone.now())
        counts.append(len(seen))
    assert counts[0] == counts[1]
