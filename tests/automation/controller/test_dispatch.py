"""What dispatch reads from the database: the right runs, at a cost that does not grow with what waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automation import services
from automation.choices import CampaignState
from automation.controller import dispatch, gather
from automation.controller.gather import Pace
from automation.models import Campaign, Run
from devices.choices import Connection, Health, Hold
from devices.models import Device, Host
from tests.automation.rows import finished_run, host_with_key, offered_run, run_on, running_run
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db


def planned(**over) -> list[int]:
    return [offer.run for offer in dispatch.plan(timezone.now(), **over).offers]


def test_a_free_phone_is_given_its_next_run() -> None:
    assert planned() == []
    run = run_on()
    assert planned() == [run.pk]
    assert dispatch.why_waiting(run) == "It is next in line."


@pytest.mark.parametrize(
    "trouble",
    [
        {"connection": Connection.OFFLINE},
        {"connection": Connection.UNAUTHORIZED},
        {"health": Health.QUARANTINED},
        {"health": Health.RETIRED},
        {"hold": Hold.PERSON},
        {"battery": 3},
        {"temperature": 51.5},
    ],
)
def test_a_phone_in_trouble_is_given_nothing_and_the_run_says_why(trouble: dict[str, str]) -> None:
    run = run_on()
    Device.objects.filter(pk=run.device_id).update(**trouble)
    assert planned() == []
    assert str(run.device) in dispatch.why_waiting(run)


@pytest.mark.parametrize("trouble", [{"is_silent": True}, {"is_trusted": False}, {"max_runs": 0}])
def test_a_host_that_is_silent_untrusted_or_full_is_given_nothing(trouble: dict[str, bool]) -> None:
    run = run_on()
    Host.objects.filter(pk=run.device.host_id).update(**trouble)
    assert planned() == []
    assert "Host" in dispatch.why_waiting(run)


@pytest.mark.parametrize("in_hand", [offered_run, running_run])
def test_a_phone_with_a_run_in_hand_is_not_free(in_hand) -> None:
    run = in_hand()
    (waits,) = services.enqueue("login", [(make_account(), run.device)], requested_by="ann")
    assert planned() == []
    assert dispatch.why_waiting(waits).startswith(f"Device {run.device} has run {run.pk} in hand")


def test_a_run_does_not_start_before_its_time() -> None:
    run = run_on()
    Run.objects.filter(pk=run.pk).update(not_before=timezone.now() + timedelta(seconds=30))
    assert planned() == []
    assert "It waits until" in dispatch.why_waiting(run)


@pytest.mark.parametrize("state", [CampaignState.PAUSED, CampaignState.HELD, CampaignState.STOPPED])
def test_a_campaign_that_is_not_active_is_given_nothing(state: str) -> None:
    campaign = Campaign.objects.create(name="nightly", script="login", state=state)
    run = run_on(campaign=campaign)
    assert planned() == []
    assert dispatch.why_waiting(run).startswith(f"Its campaign is {CampaignState(state).label}: ")


def test_a_campaign_outside_its_hours_is_given_nothing() -> None:
    hour = timezone.now().hour
    closed = {"active_from": f"{(hour + 2) % 24:02}:00", "active_until": f"{(hour + 3) % 24:02}:00"}
    run = run_on(campaign=Campaign.objects.create(name="nightly", script="login", **closed))
    assert planned() == []
    assert "Its campaign works from" in dispatch.why_waiting(Run.objects.get(pk=run.pk))


def test_a_campaign_works_a_phone_only_so_often_in_the_day_of_its_zone() -> None:
    campaign = Campaign.objects.create(
        name="nightly", script="login", per_device_day=1, time_zone="Asia/Kolkata"
    )
    done = finished_run(campaign=campaign)
    (again,) = services.enqueue("login", [(make_account(), done.device)], requested_by="x", campaign=campaign)
    assert planned() == []
    Run.objects.filter(pk=done.pk).update(started_at=timezone.now() - timedelta(hours=25))
    assert planned() == [again.pk]


def test_a_campaign_gets_no_more_than_it_may_at_once() -> None:
    campaign = Campaign.objects.create(name="nightly", script="login", at_most=1)
    host = host_with_key()
    running_run(make_device(host=host), campaign=campaign)
    run_on(make_device(host=host), campaign=campaign)
    assert planned() == []


def test_of_two_lines_on_one_phone_the_higher_priority_goes() -> None:
    device = make_device(host=host_with_key())
    run_on(device, priority=1)
    high = run_on(device, priority=2)
    assert planned() == [high.pk]


def test_a_run_whose_account_is_at_work_elsewhere_lets_the_next_one_go() -> None:
    busy = running_run()
    device = make_device(host=busy.host)
    services.enqueue("sync", [(busy.account, device)], requested_by="ann")
    following = run_on(device)
    assert planned() == [following.pk]


def test_the_next_run_is_staged_behind_one_of_a_short_script_only() -> None:
    run = running_run()
    following = run_on(run.device)
    assert planned(pace=Pace({"login": 30.0})) == []
    assert planned(pace=Pace({"login": 0.5})) == [following.pk]
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(seconds=60))
    assert planned(pace=Pace({"login": 0.5})) == []


def test_nothing_is_staged_behind_a_run_whose_phone_went_to_another_host() -> None:
    run = running_run()
    run_on(run.device)
    Device.objects.filter(pk=run.device_id).update(host=host_with_key())
    assert planned(pace=Pace({"login": 0.5})) == []


def test_nothing_is_staged_behind_an_offer() -> None:
    run = offered_run()
    run_on(run.device)
    assert planned(pace=Pace({"login": 0.5})) == []


def test_a_run_for_any_phone_goes_to_the_one_that_was_used_the_least() -> None:
    used = finished_run().device
    idle = make_device(host=used.host)
    (run,) = services.enqueue("match", [(None, None)], requested_by="ann", any_device=True)
    assert [(one.run, one.device) for one in dispatch.plan(timezone.now()).offers] == [(run.pk, idle.pk)]
    Device.objects.update(hold=Hold.PERSON)
    assert dispatch.why_waiting(run).startswith("No phone is free")


def test_a_run_for_any_phone_waits_while_its_account_has_another_run_in_hand() -> None:
    busy = running_run()
    make_device(host=busy.device.host)
    (run,) = services.enqueue("sync", [(busy.account, None)], requested_by="ann", any_device=True)
    assert planned() == []
    assert "another run in hand" in dispatch.why_waiting(run)


def test_a_preview_tells_who_would_go_and_why_the_others_would_wait() -> None:
    campaign = Campaign.objects.create(name="nightly", script="login")
    device = make_device(host=host_with_key())
    targets = [
        (make_account(device=device), device),
        (make_account(device=device), device),
        (make_account(), None),
    ]
    found = dispatch.preview(campaign, targets)
    assert [offer.run for offer in found.offers] == [1]
    assert [found.waiting[number].code for number in (2, 3)] == ["behind", "no_device"]
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "work", [lambda: dispatch.plan(timezone.now()), lambda: dispatch.explain(Run.objects.all()[:5])]
)
def test_the_number_of_queries_does_not_grow_with_what_waits(work) -> None:
    device = make_device(host=host_with_key())
    counts = []
    for more in (10, 300):
        services.enqueue("login", [(make_account(), device) for _ in range(more)], requested_by="ann")
        with CaptureQueriesContext(connection) as seen:
            work()
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_many_lines_are_asked_for_their_heads_by_as_many_statements_as_two(django_assert_num_queries) -> None:
    device = make_device(host=host_with_key())
    (clicked,) = services.enqueue("sync", [(make_account(), device)], requested_by="ann")
    first = []
    for number in range(6):
        campaign = Campaign.objects.create(name=f"c{number}", script="login")
        made = services.enqueue(
            "login", [(make_account(), device)] * 2, requested_by="ann", campaign=campaign,
            priority=number % 2, repeat=True,
        )  # fmt: skip
        first.append(made[0].pk)
        lines, slots = gather.lines(), gather.all_slots([device.pk])
        with django_assert_num_queries(3):  # by hand, of campaigns, and what they are
            found = gather.next_runs(slots, timezone.now(), lines)
        assert sorted(one.run for one in found) == [clicked.pk, *first]


def test_what_has_not_gone_out_when_a_drain_begins_stays(redis_client, monkeypatch) -> None:
    monkeypatch.setattr(dispatch, "TOGETHER", 1)
    first, second = run_on(), run_on()
    assert dispatch.offer_all(is_over=Run.objects.offered().exists) == 1
    assert list(Run.objects.pending()) == [second]
    assert list(Run.objects.offered()) == [first]
