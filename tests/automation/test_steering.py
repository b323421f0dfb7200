"""A campaign changes its state by verbs, each from the states it allows, with an event that says who."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from automation import campaigns, services, steering
from automation.choices import CampaignState
from automation.controller import sweep
from automation.models import Campaign, CampaignEvent, Occurrence, Run
from automation.services import InvalidTransition
from tests.automation.rows import IN_STATE, host_with_key, run_on
from tests.factories import make_device, started

pytestmark = pytest.mark.django_db

NIGHT = datetime(2026, 3, 4, 3, tzinfo=UTC)
FROM = {
    steering.pause: {"active"},
    steering.resume: {"paused", "stopped"},
    steering.stop: {"active", "paused", "held"},
    campaigns.go_on: {"held"},
}
TO = {
    steering.pause: "paused",
    steering.resume: "active",
    steering.stop: "stopped",
    campaigns.go_on: "active",
}


def made(state: str = "active") -> Campaign:
    return Campaign.objects.create(name="Some", script="login", state=state, state_reason="held")


@pytest.mark.parametrize("verb", FROM)
@pytest.mark.parametrize("state", CampaignState.values)
def test_each_verb_works_from_its_own_states_only(verb, state: str) -> None:
    campaign = made(state)
    if state not in FROM[verb]:
        with pytest.raises(InvalidTransition):
            verb(campaign, "ann")
        assert not CampaignEvent.objects.exists()
        return
    verb(campaign, "ann")
    campaign.refresh_from_db()
    assert (campaign.state, campaign.state_reason) == (TO[verb], "")
    assert list(campaign.events.values_list("old", "new", "actor")) == [(state, TO[verb], "ann")]


def test_a_verb_goes_by_the_row_and_not_by_what_was_read_earlier() -> None:
    campaign = made()
    steering.pause(Campaign.objects.get(), "ann")
    with pytest.raises(InvalidTransition):
        steering.pause(campaign, "bob")


def test_stop_ends_what_waits_and_asks_what_runs_to_end(redis_client) -> None:
    campaign, host = made(), host_with_key()
    runs = {state: IN_STATE[state](make_device(host=host), campaign=campaign) for state in IN_STATE}
    other = IN_STATE["pending"](make_device(host=host))
    assert steering.stop(campaign, "ann") == 3
    for run in (*runs.values(), other):
        run.refresh_from_db()
    assert (runs["pending"].outcome, runs["running"].outcome, runs["finished"].outcome, other.outcome) == (
        "canceled", "", "succeeded", "",
    )  # fmt: skip
    assert runs["offered"].cancel_requested
    assert runs["running"].cancel_requested
    assert runs["pending"].events.latest("pk").actor == "ann"


def test_pause_leaves_runs_as_they_are() -> None:
    campaign, host = made(), host_with_key()
    run = IN_STATE["pending"](make_device(host=host), campaign=campaign)
    steering.pause(campaign, "ann")
    run.refresh_from_db()
    assert run.state == "pending"


@pytest.mark.parametrize(
    ("halt", "verb"),
    [
        (lambda campaign: steering.pause(campaign, "ann"), steering.resume),
        (
            lambda campaign: steering.hold(Occurrence.objects.get(campaign=campaign), "trial_went_wrong"),
            campaigns.go_on,
        ),
    ],
)
def test_while_a_campaign_stands_the_time_of_its_waiting_runs_does_too(halt, verb) -> None:
    with time_machine.travel(NIGHT, tick=False) as clock:
        campaign = made()
        Occurrence.objects.create(campaign=campaign, due_at=NIGHT, stage=1)
        mine = run_on(campaign=campaign)
        other = run_on(start_within=timedelta(days=3))
        before = other.start_by
        clock.shift(timedelta(hours=20))
        halt(campaign)
        clock.shift(timedelta(hours=40))
        sweep.expire()
        mine.refresh_from_db()
        assert mine.state == "pending"  # though its 24 hours are over
        verb(campaign, "ann")
        mine.refresh_from_db()
        other.refresh_from_db()
        assert (mine.start_by - timezone.now(), other.start_by) == (timedelta(hours=4), before)
        clock.shift(timedelta(hours=5))
        sweep.expire()
        mine.refresh_from_db()
        assert (mine.outcome, mine.reason) == ("skipped", "not_started_in_time")


def test_a_campaign_that_starts_again_after_a_stop_gives_no_time() -> None:
    with time_machine.travel(NIGHT, tick=False) as clock:
        campaign = made()
        steering.stop(campaign, "ann")
        late = run_on(campaign=campaign)  # the last moment of a start that was under way
        clock.shift(timedelta(hours=1))
        steering.resume(campaign, "ann")
        assert Run.objects.get(pk=late.pk).start_by == late.start_by


def test_the_runs_of_a_deleted_campaign_do_not_go_on_without_its_limits() -> None:
    campaign = made("paused")
    run = IN_STATE["pending"](make_device(host=host_with_key()), campaign=campaign)
    campaign.delete()
    run.refresh_from_db()
    assert (run.outcome, run.reason) == ("canceled", "campaign_deleted")


def test_a_retry_belongs_to_the_start_of_its_run() -> None:
    make_device()
    campaign = Campaign.objects.create(name="Match", script="match")
    (run,) = started(campaign)
    services.finish_run(run, "lost", reason="host_silent")
    assert Run.objects.get(retry_of=run).occurrence == run.occurrence
