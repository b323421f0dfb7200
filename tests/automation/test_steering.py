"""A campaign changes its state by verbs, each from the states it allows, with an event that says who."""

from __future__ import annotations

import pytest

from automation import campaigns, services, steering
from automation.choices import CampaignState
from automation.models import Campaign, CampaignEvent, Run
from automation.services import InvalidTransition
from tests.automation.rows import IN_STATE, host_with_key
from tests.factories import make_device

pytestmark = pytest.mark.django_db

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


def test_the_runs_of_a_deleted_campaign_do_not_go_on_without_its_limits() -> None:
    campaign = made("paused")
    run = IN_STATE["pending"](make_device(host=host_with_key()), campaign=campaign)
    campaign.delete()
    run.refresh_from_db()
    assert (run.outcome, run.reason) == ("canceled", "campaign_deleted")


def test_a_retry_belongs_to_the_start_of_its_run() -> None:
    make_device()
    campaign = Campaign.objects.create(name="Match", script="match")
    (run,) = campaigns.start(campaign, "ann")
    services.finish_run(run, "lost", reason="host_silent")
    assert Run.objects.get(retry_of=run).occurrence == run.occurrence
