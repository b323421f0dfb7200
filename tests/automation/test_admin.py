"""The pages of runs, campaigns, and what is ordered for accounts and devices, through the real admin."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from accounts.models import Account, FiguresOfDay
from automation import services
from automation.controller.wire import wire
from automation.models import Campaign, Run
from tests.automation.rows import finished_run, host_with_key, offered_run, run_on, running_run
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db

RUNS = reverse("admin:automation_run_changelist")
ACCOUNTS = reverse("admin:accounts_account_changelist")
DEVICES = reverse("admin:devices_device_changelist")
CAMPAIGNS = reverse("admin:automation_campaign_changelist")
ADD_CAMPAIGN = reverse("admin:automation_campaign_add")


def login_as(client, *permissions):
    user = User.objects.create_user("vic", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def page_of(run):
    return reverse("admin:automation_run_change", args=[run.pk])


def act(client, url, action, *rows, **more):
    ticked = {"action": action, "_selected_action": [row.pk for row in rows], "index": 0}
    return client.post(url, {**ticked, **more}, follow=True)


def said(response):
    return [str(message) for message in response.context["messages"]]


# What is ordered for accounts


def test_login_is_ordered_for_ticked_accounts_and_the_message_says_who_was_left_out(admin_client):
    here, homeless, disabled = (
        make_account(device=make_device()), make_account(), make_account(is_enabled=False),
    )  # fmt: skip
    waiting = run_on().account
    response = act(admin_client, ACCOUNTS, "log_in", here, homeless, disabled, waiting)
    assert said(response) == [
        "2 runs made; 1 left out: disabled; 1 already waiting; 1 ended at once: on no device."
    ]
    assert set(Run.objects.values_list("account", flat=True)) == {here.pk, homeless.pk, waiting.pk}
    assert Run.objects.get(account=here).requested_by == "admin"


def test_an_order_for_all_that_match_the_filter_reaches_other_pages_too(admin_client):
    phone = make_device()
    for number in range(60):
        make_account(device=phone, tags="nl" if number % 2 else "be")
    ticked = Account.objects.filter(tags="nl").first()
    act(admin_client, f"{ACCOUNTS}?tag=nl", "sync", ticked, select_across=1)
    assert Run.objects.filter(script="sync", account__tags="nl").count() == Run.objects.count() == 30


def test_match_is_ordered_once_for_each_phone_of_the_ticked_accounts(admin_client):
    phone = make_device()
    accounts = [make_account(device=phone), make_account(device=phone), make_account()]
    disabled = make_account(device=make_device(), is_enabled=False)
    response = act(admin_client, ACCOUNTS, "match", *accounts, disabled)
    assert said(response) == ["1 run made; 1 left out: disabled; 1 left out: on no device."]
    run = Run.objects.get()
    assert (run.script, run.device, run.account) == ("match", phone, None)


def test_when_nothing_is_made_the_message_warns(admin_client):
    response = act(admin_client, ACCOUNTS, "log_in", make_account(is_enabled=False))
    assert said(response) == ["0 runs made; 1 left out: disabled."]
    assert [message.level_tag for message in response.context["messages"]] == ["warning"]


def test_runs_of_ticked_accounts_are_canceled(admin_client):
    run, other = run_on(), run_on()
    assert said(act(admin_client, ACCOUNTS, "cancel", run.account)) == ["1 run canceled."]
    run.refresh_from_db()
    other.refresh_from_db()
    assert (run.outcome, other.outcome) == ("canceled", "")


def test_match_is_ordered_for_ticked_devices_but_not_for_retired_ones(admin_client):
    phone, retired = make_device(), make_device(health="retired")
    response = act(admin_client, DEVICES, "match", phone, retired)
    assert said(response) == ["1 run made; 1 left out: device retired."]
    assert Run.objects.get().device == phone


@pytest.mark.parametrize("action", ["log_in", "match", "sync"])
def test_who_may_not_add_runs_orders_none(client, action):
    account = make_account(device=make_device())
    act(login_as(client, "view_account", "change_account"), ACCOUNTS, action, account)
    act(client, DEVICES, "match", account.device)
    assert not Run.objects.exists()


def test_who_may_not_change_runs_cancels_none(client):
    run = run_on()
    login_as(client, "view_account", "change_account", "view_run", "add_run")
    act(client, ACCOUNTS, "cancel", run.account)
    act(client, RUNS, "cancel", run)
    run.refresh_from_db()
    assert run.state == "pending"


def test_the_page_of_an_account_shows_its_last_runs_and_its_buttons(admin_client):
    run = finished_run()
    page = admin_client.get(reverse("admin:accounts_account_change", args=[run.account_id])).content.decode()
    assert page_of(run) in page
    assert "The account is signed in." in page
    assert 'value="log_in"' in page


def test_the_page_of_an_instagram_account_offers_no_sync_of_figures_that_it_does_not_show(admin_client):
    def offers_sync(app: str) -> bool:
        url = reverse("admin:accounts_account_change", args=[make_account(app=app).pk])
        return 'value="sync"' in admin_client.get(url).content.decode()

    assert (offers_sync("tiktok"), offers_sync("instagram")) == (True, False)


def test_the_question_before_deleting_counts_the_figures_and_names_the_accounts(
    admin_client, django_assert_max_num_queries
):
    account = make_account()
    days = [date(2026, 1, 1) + timedelta(number) for number in range(300)]
    FiguresOfDay.objects.bulk_create(FiguresOfDay(account=account, day=day) for day in days)
    sent = {"action": "delete_selected", "_selected_action": [account.pk]}
    with django_assert_max_num_queries(30):
        page = admin_client.post(ACCOUNTS, sent).content.decode()
    assert str(account) in page
    assert re.search(r"[Ff]igures of a day:?\s*300", page)
    assert "2026-01-05" not in page
    admin_client.post(ACCOUNTS, {**sent, "post": "yes"})
    assert not Account.objects.exists()


def test_the_page_of_a_device_shows_its_accounts_and_runs(admin_client):
    run = finished_run()
    page = admin_client.get(reverse("admin:devices_device_change", args=[run.device_id])).content.decode()
    assert page_of(run) in page
    assert str(run.account) in page


# Runs


def test_runs_are_read_and_never_written_by_hand(admin_client):
    run = finished_run()
    assert admin_client.get(reverse("admin:automation_run_add")).status_code == 403
    assert admin_client.post(reverse("admin:automation_run_delete", args=[run.pk])).status_code == 403
    assert admin_client.post(page_of(run), {"state": "pending"}).status_code == 403
    act(admin_client, RUNS, "delete_selected", run, post="yes")
    assert Run.objects.get().state == "finished"


def test_the_list_says_why_a_run_waits_and_why_it_ended(admin_client):
    run_on(make_device(host=host_with_key(), connection="offline"))
    services.finish_run(running_run(), "failed", reason="wrong_password")
    services.finish_run(running_run(), "lost", reason="agent_stopping")
    run_on(running_run().device)
    run_on()
    page = admin_client.get(RUNS).content.decode()
    for sentence in (
        "is offline: check its cable",
        "The app refused the password.",
        "The agent of the host was stopped.",
        "in hand: it waits for the end of that one.",
        "It is next in line.",
    ):
        assert sentence in page


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("automation_run", "No run yet: choose accounts or devices"),
        ("accounts_importjob", "it begins in the list of accounts"),
        ("devices_device", "once the agent of a host sees the phone"),
        ("devices_host", "once an agent runs there"),
        ("accounts_account", "“Import” brings a whole list"),
        ("automation_campaign", "Nothing here yet."),
    ],
)
def test_an_empty_list_says_how_its_rows_come_about(admin_client, name, words):
    page = admin_client.get(reverse(f"admin:{name}_changelist")).content.decode()
    assert words in page
    assert "Create a new item" not in page
    assert "Nothing fits the search" not in page


def test_a_search_that_finds_nothing_says_so(admin_client):
    page = admin_client.get(reverse("admin:automation_run_changelist") + "?q=nobody").content.decode()
    assert "Nothing fits the search and the filters." in page
    assert "Reset filters" in page


def test_the_list_asks_as_many_questions_for_100_runs_as_for_25(admin_client, django_assert_max_num_queries):
    def count():
        with django_assert_max_num_queries(30) as queries:
            admin_client.get(f"{RUNS}?all=")
        return len(queries)

    host = host_with_key()
    for number in range(25):
        run_on(make_device(host=host, connection="online" if number % 2 else "offline"))
    few = count()
    for number in range(75):
        run_on(make_device(host=host, connection="online" if number % 2 else "offline"))
    assert count() == few


@pytest.mark.parametrize("url", [DEVICES, ACCOUNTS])
def test_the_lists_of_devices_and_accounts_ask_as_many_questions_for_100_as_for_25(
    admin_client, django_assert_max_num_queries, url
):
    def count():
        with django_assert_max_num_queries(30) as queries:
            admin_client.get(f"{url}?all=")
        return len(queries)

    host = host_with_key()
    states = ["online", "offline", "unauthorized"]
    for number in range(25):
        make_account(device=make_device(host=host, connection=states[number % 3]))
    few = count()
    for number in range(75):
        make_account(device=make_device(host=host, connection=states[number % 3]))
    assert count() == few


def test_the_page_itself_gets_only_its_rows(admin_client):
    run_on()
    whole, rows = admin_client.get(RUNS), admin_client.get(RUNS, headers={"X-Live": "1"})
    assert b'id="result_list"' in rows.content
    assert b"<html" not in rows.content
    assert len(rows.content) < len(whole.content) / 2


def test_the_page_of_a_run_tells_its_steps_and_its_result(admin_client):
    run = running_run()
    run.events.create(kind="step", name="open the app", seconds=2.5, actor="rack-a")
    services.finish_run(run, "succeeded", reason="matched", result={"new": ["mila", "noor"], "missing": []})
    page = admin_client.get(page_of(run)).content.decode()
    for text in ("open the app", "2.5 s", "mila, noor", "waiting", "offered", "running", "finished"):
        assert text in page


def test_the_page_of_a_run_links_to_the_attempts_before_and_after_it(admin_client):
    first = services.finish_run(running_run(), "lost", reason="host_silent")
    second = Run.objects.get(retry_of=first)
    assert page_of(second) in admin_client.get(page_of(first)).content.decode()
    assert page_of(first) in admin_client.get(page_of(second)).content.decode()


def test_a_run_in_hand_looks_at_itself_again_and_one_that_is_over_does_not(admin_client):
    run = running_run()
    assert "every 2s" in admin_client.get(page_of(run)).content.decode()
    services.finish_run(run, "succeeded")
    assert "every 2s" not in admin_client.get(page_of(run)).content.decode()


def test_a_message_with_markup_stays_text(admin_client):
    run = services.finish_run(running_run(), "errored", message="<script>alert(1)</script>")
    page = admin_client.get(page_of(run)).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_waiting_run_is_canceled_from_its_own_page(admin_client):
    run = run_on()
    assert 'value="cancel"' in admin_client.get(page_of(run)).content.decode()
    response = act(admin_client, RUNS, "cancel", run, from_page=run.pk)
    assert response.redirect_chain[-1][0] == page_of(run)
    run.refresh_from_db()
    assert run.outcome == "canceled"


def test_what_is_over_is_not_canceled_again(admin_client):
    run = finished_run()
    assert said(act(admin_client, RUNS, "cancel", run)) == ["0 runs canceled."]


def test_without_redis_a_cancel_says_that_it_is_not_done_yet(admin_client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    wire.cache_clear()
    run = offered_run()
    (text,) = said(act(admin_client, RUNS, "cancel", run))
    wire.cache_clear()
    assert "Redis" in text
    run.refresh_from_db()
    assert run.cancel_requested


def test_a_run_that_is_over_is_asked_for_again(admin_client):
    run, disabled = finished_run(), finished_run()
    Account.objects.filter(pk=disabled.account_id).update(is_enabled=False)
    response = act(admin_client, RUNS, "again", run, disabled)
    assert said(response) == ["1 run made; 1 left out: disabled."]
    again = Run.objects.order_by("-pk")[0]
    assert (again.account, again.device, again.script) == (run.account, run.device, run.script)


def test_runs_are_found_by_state_outcome_account_and_device(admin_client):
    wanted, other = finished_run(), run_on()
    for query in ("state__exact=finished", "outcome__exact=succeeded", f"q={wanted.account.username}"):
        page = admin_client.get(f"{RUNS}?{query}").content.decode()
        assert page_of(wanted) in page
        assert page_of(other) not in page


# Campaigns


def campaign(**over):
    return {
        "name": "nightly", "script": "match", "app": "", "tags": "", "cron": "0 3 * * *",
        "time_zone": "Europe/Amsterdam", "missed": "skip", "overlap": "skip", "priority": "0", **over,
    }  # fmt: skip


def test_a_campaign_is_made_and_its_next_start_shown_in_its_own_zone(admin_client, monkeypatch):
    admin_client.post(ADD_CAMPAIGN, campaign(cron="  0   3 * * * "))
    assert Campaign.objects.get().cron == "0 3 * * *"
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2026, 7, 1, 12, tzinfo=UTC))
    assert "2026-07-02 03:00 Europe/Amsterdam" in admin_client.get(CAMPAIGNS).content.decode()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"cron": "every night"}, "is no schedule."),
        ({"cron": "61 3 * * *"}, "is no schedule."),
        ({"cron": "0 0 31 2 *"}, "is no schedule."),
        ({"time_zone": "Amsterdam"}, "is no time zone."),
        ({"script": "like"}, "Select a valid choice."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_a_wrong_campaign_is_refused_with_a_sentence(admin_client, wrong, sentence):
    assert sentence in admin_client.post(ADD_CAMPAIGN, campaign(**wrong)).content.decode()
    assert not Campaign.objects.exists()


def test_a_campaign_is_started_now_and_counts_its_runs(admin_client):
    made = Campaign.objects.create(name="logins", script="login", tags="nl")
    wanted = make_account(device=make_device(), tags="nl")
    make_account(device=make_device(), tags="nl", is_enabled=False)
    make_account(device=make_device())
    assert said(act(admin_client, CAMPAIGNS, "start_now", made)) == ["logins: 1 run made."]
    assert Run.objects.get().account == wanted
    assert "1 not over" in admin_client.get(CAMPAIGNS).content.decode()


def test_who_may_not_add_runs_starts_no_campaign(client):
    made = Campaign.objects.create(name="all", script="match")
    make_device()
    act(login_as(client, "view_campaign", "change_campaign"), CAMPAIGNS, "start_now", made)
    assert not Run.objects.exists()
