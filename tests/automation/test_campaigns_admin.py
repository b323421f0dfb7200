"""The pages of campaigns: the form, the buttons, what they show of the starts, and the preview."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from automation import campaigns, services, steering
from automation.admin.campaigns import CampaignAdmin
from automation.admin.orders import ORDERS
from automation.choices import CampaignState
from automation.models import Campaign, Run
from tests.automation.rows import host_with_key, running_run
from tests.factories import make_account, make_device, started

pytestmark = pytest.mark.django_db

LIST = reverse("admin:automation_campaign_changelist")
ADD = reverse("admin:automation_campaign_add")


def entered(**over):
    """What a person posts: a nightly match."""
    return {
        "name": "nightly", "script": "match", "app": "", "tags": "", "cron": "0 3 * * *", "time_zone": "UTC",
        "missed": "skip", "overlap": "skip", "priority": "0", **over,
    }  # fmt: skip


def made(**over) -> Campaign:
    return Campaign.objects.create(**{"name": "Some", "script": "login", **over})


def page_of(campaign: Campaign) -> str:
    return reverse("admin:automation_campaign_change", args=[campaign.pk])


def preview_of(campaign: Campaign) -> str:
    return reverse("admin:automation_campaign_preview", args=[campaign.pk])


def act(client, action: str, *rows: Campaign, **more):
    ticked = {"action": action, "_selected_action": [row.pk for row in rows], "index": 0}
    return client.post(LIST, {**ticked, **more}, follow=True)


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def with_permissions(client, *codenames: str):
    user = User.objects.create_user("vic", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return client


# The form


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"every_minutes": "30"}, "Give a schedule or an interval, not both."),
        ({"cron": "", "every_minutes": "0"}, "Give 1 to 10080 minutes, or leave it empty."),
        ({"cron": "", "every_minutes": "20000"}, "Give 1 to 10080 minutes, or leave it empty."),
        ({"spread_minutes": "1500"}, "Give 1 to 1440 minutes, or leave it empty."),
        ({"cron": "", "every_minutes": "30", "spread_minutes": "31"}, "due after 30 minutes"),
        ({"missed": "all"}, "Only the first of them would start"),
        ({"canary": "on", "overlap": "allow"}, "A trial must be over before the next start."),
        ({"active_from": "08:00"}, "Give both times, or none for the whole day."),
        ({"active_until": "08:00"}, "Give both times, or none for the whole day."),
        ({"active_from": "08:00", "active_until": "08:00"}, "Both times are the same."),
        ({"at_most": "0"}, "With 0 nothing would ever start."),
        ({"per_device_day": "0"}, "With 0 nothing would ever start."),
    ],
)
def test_what_does_not_go_together_is_refused_with_a_sentence(admin_client, wrong, sentence) -> None:
    assert sentence in admin_client.post(ADD, entered(**wrong)).content.decode()
    assert not Campaign.objects.exists()


def test_all_that_is_entered_is_kept(admin_client) -> None:
    wanted = {
        "cron": "", "every_minutes": 90, "time_zone": "Asia/Kolkata", "missed": "all", "overlap": "queue",
        "canary": True, "spread_minutes": 60, "priority": 2, "at_most": 5, "per_device_day": 3,
    }  # fmt: skip
    hours = {"active_from": "22:00", "active_until": "06:00"}
    response = admin_client.post(ADD, entered(**{**wanted, **hours, "canary": "on"}))
    assert response.status_code == 302
    campaign = Campaign.objects.get()
    assert {name: getattr(campaign, name) for name in wanted} == wanted
    assert (campaign.active_from, campaign.active_until, campaign.state) == (time(22), time(6), "active")


def test_a_new_schedule_counts_from_now_and_another_change_leaves_it_alone(admin_client) -> None:
    campaign = made(name="nightly", script="match", cron="0 3 * * *")
    long_ago = timezone.now() - timedelta(days=3)
    Campaign.objects.update(checked_at=long_ago)
    admin_client.post(page_of(campaign), entered(tags="nl"))
    campaign.refresh_from_db()
    assert (campaign.tags, campaign.checked_at) == ("nl", long_ago)
    admin_client.post(page_of(campaign), entered(tags="nl", cron="0 4 * * *"))
    campaign.refresh_from_db()
    assert campaign.checked_at > long_ago + timedelta(days=2)


def test_saving_the_form_leaves_a_state_alone_that_changed_meanwhile(admin_client, monkeypatch) -> None:
    campaign = made(name="nightly", script="match", cron="0 3 * * *")
    read = Campaign.objects.get(pk=campaign.pk)
    steering.pause(campaign, "ann")
    monkeypatch.setattr("automation.admin.campaigns.CampaignAdmin.get_object", lambda *_args, **_more: read)
    admin_client.post(page_of(campaign), entered(tags="nl"))
    campaign.refresh_from_db()
    assert (campaign.state, campaign.tags) == ("paused", "nl")


# The buttons


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        ("active", {"start_now", "pause", "stop"}),
        ("paused", {"resume", "stop"}),
        ("held", {"go_on", "stop"}),
        ("stopped", {"resume"}),
    ],
)
def test_the_page_offers_what_can_be_done_in_its_state(admin_client, state, buttons) -> None:
    page = admin_client.get(page_of(made(state=state))).content.decode()
    actions = ("start_now", "pause", "resume", "go_on", "stop")
    assert {name for name in actions if f'name="action" value="{name}"' in page} == buttons


def test_a_campaign_is_paused_resumed_and_stopped_and_the_page_says_who_did_it(admin_client) -> None:
    campaign = made()
    assert said(act(admin_client, "pause", campaign)) == ["Some is paused now."]
    assert said(act(admin_client, "resume", campaign)) == ["Some is active now."]
    assert said(act(admin_client, "stop", campaign, from_page=campaign.pk)) == ["Some is stopped now."]
    assert list(campaign.events.values_list("new", "actor")) == [
        ("stopped", "admin"),
        ("active", "admin"),
        ("paused", "admin"),
    ]
    page = admin_client.get(page_of(campaign)).content.decode()
    assert page.count("<small>admin</small>") == 3


def test_stop_cancels_the_runs_of_the_campaign(admin_client) -> None:
    campaign = made(script="match")
    make_device()
    campaigns.start(campaign, "ann")
    act(admin_client, "stop", campaign)
    assert Run.objects.get().outcome == "canceled"


def test_what_its_state_forbids_is_said(admin_client) -> None:
    campaign = made(state="held")
    for action in ("start_now", "pause", "resume"):
        (text,) = said(act(admin_client, action, campaign))
        assert text.startswith("Some is held")


@pytest.mark.parametrize("state", CampaignState.values)
def test_what_can_be_done_with_it_in_its_state_is_said_and_true(admin_client, state: str) -> None:
    can = [str(order) for order in ORDERS[CampaignState(state)]]
    for name in ("start_now", "pause", "resume", "go_on", "stop"):
        (text, *_more) = said(act(admin_client, name, made(name=name, state=state)))
        is_refused = text.endswith(
            "what can be done with it now is " + ", ".join(f"“{one}”" for one in can) + "."
        )
        assert is_refused == (getattr(CampaignAdmin, name).short_description not in can)


@pytest.mark.parametrize("action", ["pause", "stop", "resume", "go_on"])
def test_who_may_not_steer_campaigns_steers_none(client, action) -> None:
    state = {"resume": "paused", "go_on": "held"}.get(action, "active")
    campaign = made(state=state)
    act(
        with_permissions(client, "view_campaign", "change_campaign", "add_run", "change_run"),
        action,
        campaign,
    )
    campaign.refresh_from_db()
    assert campaign.state == state
    assert action not in client.get(page_of(campaign)).context["page_buttons"]


def test_who_may_steer_campaigns_does(client) -> None:
    campaign = made()
    act(with_permissions(client, "view_campaign", "control_campaign"), "pause", campaign)
    campaign.refresh_from_db()
    assert campaign.state == "paused"


def test_a_start_that_is_left_out_or_queued_says_why(admin_client) -> None:
    make_device()
    campaign = made(script="match")
    act(admin_client, "start_now", campaign)
    assert said(act(admin_client, "start_now", campaign)) == [
        "Some: left out. Runs of the start before were not over."
    ]
    Campaign.objects.update(overlap="queue")
    assert said(act(admin_client, "start_now", campaign)) == [
        "Some: queued. Runs of the start before were not over."
    ]


@pytest.mark.parametrize(("state", "belongs"), [("active", True), ("held", False), ("paused", False)])
def test_a_run_that_is_asked_for_again_does_not_wait_for_a_campaign_that_is_not_active(
    admin_client, state, belongs
) -> None:
    make_device()
    campaign = made(script="match")
    (run,) = started(campaign)
    services.finish_run(run, "failed")
    Campaign.objects.update(state=state)
    admin_client.post(
        reverse("admin:automation_run_changelist"),
        {"action": "again", "_selected_action": [run.pk], "index": 0},
    )
    assert (Run.objects.latest("pk").campaign == campaign) is belongs


# What the pages show


def test_the_list_shows_state_and_next_start(admin_client) -> None:
    made(cron="0 3 * * *", state="held", state_reason="trial_went_wrong")
    made(name="Other", every_minutes=90)
    page = admin_client.get(LIST).content.decode()
    for text in ("held", "Runs of the trial did not succeed", "every 90 minutes", "0 3 * * *"):
        assert text in page


def test_the_page_shows_its_last_starts_with_stage_counts_and_reason(admin_client) -> None:
    host = host_with_key()
    for _ in range(5):
        make_account(device=make_device(host=host))
    campaign = made(canary=True, overlap="queue")
    campaigns.start(campaign, "ann")
    for run in Run.objects.unfinished():
        services.finish_run(run, "succeeded")
    campaigns.tick()
    campaigns.start(campaign, "bob")
    page = admin_client.get(page_of(campaign)).content.decode()
    for text in (
        "trial 2 of 2",
        "1 succeeded",
        "3 not over",
        "queued",
        "Runs of the start before",
        "ann",
        "bob",
    ):
        assert text in page


def test_the_runs_of_one_start_are_a_click_away(admin_client) -> None:
    make_device()
    campaign = made(script="match")
    (run,) = started(campaign)
    other = running_run()
    link = f"{reverse('admin:automation_run_changelist')}?occurrence__id__exact={run.occurrence_id}"
    assert link in admin_client.get(page_of(campaign)).content.decode()
    page = admin_client.get(link).content.decode()
    assert reverse("admin:automation_run_change", args=[run.pk]) in page
    assert reverse("admin:automation_run_change", args=[other.pk]) not in page


def test_the_page_asks_as_many_questions_for_20_starts_as_for_5(
    admin_client, django_assert_max_num_queries
) -> None:
    make_device()
    campaign = made(script="match", overlap="allow")

    def questions(starts: int) -> int:
        for _ in range(starts):
            campaigns.start(campaign, "ann")
        with django_assert_max_num_queries(40) as queries:
            admin_client.get(page_of(campaign))
        return len(queries)

    assert questions(5) == questions(15)


# The preview


def test_the_preview_says_who_is_in_it_and_who_is_left_out_and_makes_nothing(admin_client) -> None:
    phone = make_device(label="7", host=host_with_key())
    away = make_device(label="8", host=phone.host, connection="offline")
    names = [make_account(device=phone, tags="nl").username for _ in range(2)]
    make_account(device=away, tags="nl")
    make_account(tags="nl")
    make_account(tags="nl", is_enabled=False)
    make_account(device=phone, tags="be")
    busy = make_account(device=phone, tags="nl")
    services.enqueue("login", [(busy, phone)], requested_by="ann")
    before = Run.objects.count()
    page = admin_client.get(preview_of(made(tags="nl", canary=True, spread_minutes=60))).content.decode()
    for text in (
        "3 runs would be made", "Tried on 1 first", "one every 20.0 min", "1 could begin at once", *names,
        "The account is disabled", "Without a device: the run ends at once.", "The same script is not over for it.",
        "Another run goes first on its phone.", "is offline: check its cable",
    ):  # fmt: skip
        assert text in page, text
    assert Run.objects.count() == before


def test_the_preview_of_a_script_for_phones_counts_the_retired_ones(admin_client) -> None:
    phone = make_device(label="7")
    make_device(health="retired")
    page = admin_client.get(preview_of(made(script="match"))).content.decode()
    for text in ("1 run would be made", "The device is retired.", str(phone)):
        assert text in page


def test_the_preview_promises_what_a_start_then_makes(admin_client) -> None:
    phones = [make_device() for _ in range(3)]
    for number in range(7):
        make_account(device=phones[number % 3])
    campaign = made()
    promised = admin_client.get(preview_of(campaign)).context["preview"].names
    runs = started(campaign)
    assert [f"{run.account} → {run.device}" for run in runs] == promised


def test_the_preview_asks_as_many_questions_for_100_accounts_as_for_25(
    admin_client, django_assert_max_num_queries
) -> None:
    host, campaign = host_with_key(), made()

    def questions(count: int) -> int:
        for number in range(count):
            make_account(device=make_device(host=host, connection="online" if number % 2 else "offline"))
        with django_assert_max_num_queries(30) as queries:
            admin_client.get(preview_of(campaign))
        return len(queries)

    assert questions(25) == questions(75)


def test_who_may_not_see_accounts_sees_no_name_of_one(client) -> None:
    account = make_account(device=make_device())
    page = with_permissions(client, "view_campaign").get(preview_of(made())).content.decode()
    assert "1 run would be made" in page
    assert account.username not in page


def test_who_may_not_see_campaigns_sees_no_preview(client) -> None:
    campaign = made()
    assert with_permissions(client, "view_run").get(preview_of(campaign)).status_code == 403
    assert client.get(reverse("admin:automation_campaign_preview", args=[campaign.pk + 1])).status_code == 404
