"""A campaign that is tried on a few first: one run, three, then all; held where one does not succeed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Account
from automation import campaigns, services, steering
from automation.choices import Outcome
from automation.models import Campaign, Occurrence, Run
from devices.models import Device
from tests.automation.rows import host_with_key
from tests.factories import make_account, make_device, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    """For ten accounts, each on a phone of its own."""
    host = host_with_key()
    for _ in range(10):
        make_account(device=make_device(host=host))
    return Campaign.objects.create(name="Careful", script="login", canary=True)


def end(outcome: str, reason: str = "") -> None:
    """End whatever is not over."""
    for run in Run.objects.unfinished():
        services.finish_run(run, outcome, reason=reason)


def state() -> tuple[str, str, str]:
    """Of the campaign, of its newest start, and why."""
    campaign, newest = Campaign.objects.get(), Occurrence.objects.latest("pk")
    return campaign.state, newest.state, newest.reason


def test_one_then_three_then_the_rest_each_account_once(campaign: Campaign) -> None:
    made = [campaigns.start(campaign, "ann")]
    while Run.objects.unfinished().exists():
        end("succeeded")
        made.append(campaigns.tick())
    assert made == [1, 3, 6, 0]
    assert Run.objects.values("account").distinct().count() == 10
    assert state() == ("active", "over", "")


def test_a_second_beat_makes_no_second_trial(campaign: Campaign) -> None:
    before = datetime(2026, 5, 1, tzinfo=UTC)
    for _ in range(2):
        Campaign.objects.update(every_minutes=60, checked_at=before)
        campaigns.tick(before + timedelta(hours=1))
    assert Run.objects.count() == 1


def test_no_stage_is_made_while_the_one_before_is_not_over(campaign: Campaign) -> None:
    campaigns.start(campaign, "ann")
    end("succeeded")
    campaigns.tick()
    services.finish_run(Run.objects.unfinished().first(), "succeeded")
    assert campaigns.tick() == 0


BAD = sorted(set(Outcome) - {Outcome.SUCCEEDED, Outcome.SKIPPED, Outcome.CANCELED})


@pytest.mark.parametrize("outcome", BAD)
def test_one_run_that_does_not_succeed_holds_the_campaign(campaign: Campaign, outcome: str) -> None:
    campaigns.start(campaign, "ann")
    end("succeeded")
    campaigns.tick()
    services.finish_run(Run.objects.unfinished().first(), outcome, reason="wrong_password")
    end("succeeded")
    assert campaigns.tick() == 0
    assert state() == ("held", "held", "trial_went_wrong")
    assert Run.objects.count() == 4
    event = campaign.events.get()
    assert (event.old, event.new, event.reason, event.actor) == ("active", "held", "trial_went_wrong", "")


@pytest.mark.parametrize("outcome", ["skipped", "canceled"])
def test_a_run_that_says_nothing_does_not_hold_but_another_is_tried(campaign: Campaign, outcome: str) -> None:
    campaigns.start(campaign, "ann")
    end(outcome)
    assert campaigns.tick() == 1
    assert Occurrence.objects.get().stage == 1
    end("succeeded")
    assert campaigns.tick() == 3


def test_of_a_run_that_was_tried_again_the_last_attempt_counts(campaign: Campaign) -> None:
    campaigns.start(campaign, "ann")
    end("failed", "phone_offline")
    assert campaigns.tick() == 0  # its second attempt waits
    end("succeeded")
    assert campaigns.tick() == 3


def test_when_the_attempts_are_used_up_the_last_one_holds_it(campaign: Campaign) -> None:
    campaigns.start(campaign, "ann")
    for _ in range(3):
        end("lost", "host_silent")
    campaigns.tick()
    assert state()[0] == "held"


def test_a_person_who_goes_on_gets_the_next_stage_at_once(campaign: Campaign) -> None:
    campaigns.start(campaign, "ann")
    end("failed", "wrong_password")
    campaigns.tick()
    assert campaigns.go_on(campaign, "bob") == 3
    end("succeeded")
    assert campaigns.tick() == 6  # what went wrong in the first stage is settled
    assert state() == ("active", "started", "")
    assert campaign.events.first().actor == "bob"


def test_a_held_campaign_that_is_stopped_makes_no_run_any_more(campaign: Campaign) -> None:
    campaigns.start(campaign, "ann")
    end("failed", "wrong_password")
    campaigns.tick()
    steering.stop(campaign, "bob")
    assert campaigns.tick() == 0
    assert state() == ("stopped", "stopped", "stopped")
    steering.resume(campaign, "bob")
    assert campaigns.tick() == 0


def test_what_is_due_in_a_held_campaign_is_left_out_and_said(campaign: Campaign) -> None:
    Campaign.objects.update(state="held", every_minutes=1, checked_at="2026-05-01 00:00Z")
    campaigns.tick(Campaign.objects.get().checked_at + timedelta(minutes=5))
    assert list(Occurrence.objects.values_list("state", "reason", "starts")) == [("skipped", "held", 5)]


def test_the_trial_is_on_phones_that_can_work_now(campaign: Campaign) -> None:
    Run.objects.all().delete()
    last = Device.objects.latest("pk")
    Device.objects.exclude(pk=last.pk).update(connection="offline")
    (run,) = started(campaign)
    assert run.device == last


def test_accounts_without_a_phone_are_no_trial(campaign: Campaign) -> None:
    Account.objects.update(device=None)
    runs = started(campaign)
    assert len(runs) == 10
    campaigns.tick()
    assert state() == ("active", "over", "")


def test_a_trial_that_fewer_accounts_than_it_needs_are_there_for_goes_through(campaign: Campaign) -> None:
    keep = Account.objects.values_list("pk", flat=True)[:2]
    Account.objects.exclude(pk__in=list(keep)).delete()
    campaigns.start(campaign, "ann")
    made = []
    for _ in range(4):
        end("succeeded")
        made.append(campaigns.tick())
    assert made == [1, 0, 0, 0]
    assert state() == ("active", "over", "")


def test_the_spread_is_for_the_last_stage_only(campaign: Campaign) -> None:
    Campaign.objects.update(spread_minutes=60)
    campaigns.start(campaign, "ann")
    end("succeeded")
    campaigns.tick()
    three = Run.objects.unfinished().values_list("not_before", flat=True)
    assert len(set(three)) == 1
    end("succeeded")
    campaigns.tick()
    assert len(set(Run.objects.unfinished().values_list("not_before", flat=True))) == 6
