"""Campaigns start when they are due, once, in their own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from automation import campaigns
from automation.models import Campaign, Occurrence, Run
from tests.automation.rows import host_with_key
from tests.factories import make_account, make_device, started

pytestmark = pytest.mark.django_db

EVENING = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)


def nightly(**over) -> Campaign:
    values = {"name": "Nightly", "script": "match", "cron": "30 3 * * *", "checked_at": EVENING, **over}
    return Campaign.objects.create(**values)


def test_a_campaign_starts_when_it_is_due_and_not_before() -> None:
    make_device()
    nightly()
    assert campaigns.tick(EVENING + timedelta(hours=5)) == 0
    assert campaigns.tick(EVENING + timedelta(hours=5, minutes=31)) == 1


def test_a_double_tick_starts_it_once() -> None:
    make_device()
    campaign = nightly()
    at = EVENING + timedelta(hours=5, minutes=31)
    assert [campaigns.tick(at), campaigns.tick(at)] == [1, 0]
    Campaign.objects.filter(pk=campaign.pk).update(
        checked_at=EVENING
    )  # a second beat that looked at the same moment
    assert campaigns.tick(at) == 0
    assert Occurrence.objects.count() == 1


def test_a_tick_after_a_long_standstill_starts_nothing_old() -> None:
    make_device()
    nightly()
    assert campaigns.tick(EVENING + timedelta(hours=10)) == 0
    assert campaigns.tick(EVENING + timedelta(hours=29, minutes=31)) == 1


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 3), ("Europe/Amsterdam", 1), ("Asia/Kolkata", 22)])
def test_the_schedule_is_read_in_its_time_zone(zone: str, hour: int) -> None:
    due = campaigns.next_due(nightly(time_zone=zone), datetime(2026, 3, 29, 2, 0, tzinfo=UTC))
    assert due is not None
    assert due.astimezone(UTC).hour == hour


def test_a_paused_campaign_and_one_without_a_schedule_are_never_due() -> None:
    make_device()
    nightly(state="paused")
    nightly(name="By hand", cron="")
    assert campaigns.tick(EVENING + timedelta(hours=5, minutes=31)) == 0


def test_a_campaign_is_for_enabled_accounts_of_its_app_with_one_of_its_tags() -> None:
    device = make_device(host=host_with_key())
    wanted = [make_account(device=device, tags="warm, nl"), make_account(device=device, tags="food")]
    make_account(device=device, tags="other")
    make_account(device=device, tags="nl", app="instagram")
    make_account(device=device, tags="nl", is_enabled=False)
    campaign = Campaign.objects.create(name="Some", script="login", app="tiktok", tags="nl, food")
    runs = started(campaign)
    assert {run.account for run in runs} == set(wanted)
    assert {run.campaign for run in runs} == {campaign}


def test_a_match_with_tags_is_made_for_the_phones_of_those_accounts() -> None:
    wanted, other = make_device(), make_device()
    make_account(device=wanted, tags="food")
    make_account(device=other, tags="cars")
    assert [run.device for run in started(nightly(tags="food"))] == [wanted]


def test_a_campaign_that_cannot_start_keeps_no_other_from_starting() -> None:
    make_device()
    nightly(name="Gone", script="no-such-script")
    nightly()
    assert campaigns.tick(EVENING + timedelta(hours=5, minutes=31)) == 1


def test_a_match_is_made_for_every_phone_that_is_not_retired() -> None:
    devices = [make_device(), make_device(connection="offline")]
    make_device(health="retired")
    runs = started(nightly())
    assert {run.device for run in runs} == set(devices)


@time_machine.travel(EVENING, tick=False)
def test_the_beat_task_is_thin() -> None:
    from automation.tasks import campaign_tick

    make_device()
    nightly(cron="0 22 * * *", checked_at=EVENING - timedelta(minutes=1))
    assert campaign_tick() == 1
    assert Run.objects.count() == 1
