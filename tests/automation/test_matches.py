"""What becomes of the result of a match: the list, the run, and the pages that show it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import Account
from automation import services
from automation.models import Campaign, Run
from tests.automation.rows import host_with_key, offer_run, start_run
from tests.automation.test_admin import login_as, said
from tests.factories import make_account, make_device, started

pytestmark = pytest.mark.django_db

PAGE, ADD = reverse("console:matches"), reverse("console:match_add")
PACKAGES = {"tiktok": "com.zhiliaoapp.musically", "instagram": "com.instagram.android"}


@pytest.fixture(autouse=True)
def a_person_decides_who_is_added(settings):
    settings.PHONERACK_MATCH_ADDS = False


def found(app: str, *usernames: str) -> dict[str, object]:
    return {"app": app, "package": PACKAGES[app], "usernames": list(usernames), "active": ""}


def unreadable(app: str) -> dict[str, str]:
    return {"app": app, "package": PACKAGES[app], "reason": "unknown_screen"}


@pytest.fixture
def phone():
    return make_device(label="7", host=host_with_key(name="pc1"))


def ended(run: Run, *results: dict, outcome: str = "succeeded") -> Run:
    offered = offer_run(run, run.device.host_id)
    start_run(offered.pk, offered.fence)
    data = {
        "found": [one for one in results if "usernames" in one],
        "unreadable": [one for one in results if "reason" in one],
    }
    return services.finish_run(Run.objects.get(pk=run.pk), outcome, reason="matched", result=data)


def match(device, *results: dict, outcome: str = "succeeded") -> Run:
    (run,) = services.enqueue("match", [(None, device)], requested_by="ann")
    ended(run, *results, outcome=outcome)
    return Run.objects.get(pk=run.pk)


def kinds(run: Run) -> list[tuple[str, str]]:
    return [(one["kind"], one["username"]) for one in run.result["matched"]]


def is_logged_in(account: Account) -> bool:
    return Account.objects.get(pk=account.pk).is_logged_in


def test_a_match_says_of_each_account_what_it_is_and_adds_none(phone):
    make_account(username="moved", device=make_device(label="9"))
    run = match(phone, found("tiktok", "fresh", "moved"))
    assert kinds(run) == [("new", "fresh"), ("moved", "moved")]
    assert Account.objects.get().device == phone


def test_new_ones_are_added_by_the_match_itself_unless_the_settings_say_no(phone, settings):
    settings.PHONERACK_MATCH_ADDS = True
    run = match(phone, found("instagram", "harbour.news", "harbour.shop"))
    assert Account.objects.filter(device=phone, is_logged_in=True).count() == 2
    assert kinds(run) == [("new", "harbour.news"), ("new", "harbour.shop")]


def test_an_app_that_could_not_be_read_signs_nobody_out_also_not_in_its_other_packages(phone):
    account = make_account(device=phone, is_logged_in=True)
    run = match(phone, found("tiktok"), {**unreadable("tiktok"), "package": PACKAGES["tiktok"] + ".clone"})
    assert (kinds(run), is_logged_in(account)) == ([], True)
    run = match(phone, found("tiktok"))
    assert (kinds(run), is_logged_in(account)) == ([("missing", account.username)], False)


def test_an_app_that_is_not_on_the_phone_has_nobody_signed_in(phone):
    account = make_account(app="instagram", device=phone, is_logged_in=True)
    match(phone, found("tiktok"))
    assert not is_logged_in(account)


@pytest.mark.parametrize("outcome", ["needs_person", "canceled", "failed", "errored"])
def test_what_a_match_read_before_it_broke_off_is_kept_but_proves_nobody_missing(phone, outcome):
    account = make_account(username="here", device=phone)
    gone = make_account(username="gone", device=phone, is_logged_in=True)
    run = match(phone, found("tiktok", "here"), outcome=outcome)
    assert kinds(run) == [("known", "here")]
    assert (is_logged_in(account), is_logged_in(gone)) == (True, True)


def test_a_match_that_looked_at_nothing_changes_nothing(phone):
    account = make_account(device=phone, is_logged_in=True)
    (run,) = services.enqueue("match", [(None, phone)], requested_by="ann")
    services.request_cancel([run], "ann")
    assert is_logged_in(account)


def test_a_match_that_came_to_no_app_does_not_hide_the_one_before(admin_client, phone):
    match(phone, found("tiktok", "fresh"))
    match(phone, outcome="failed")
    assert "@fresh" in admin_client.get(PAGE).content.decode()


def test_the_page_shows_the_last_match_of_every_phone_with_counts_names_and_reasons(admin_client, phone):
    make_account(username="moved", device=make_device(label="9", host=host_with_key(name="pc2")))
    make_account(username="gone", device=phone, is_logged_in=True)
    match(phone, found("tiktok", "old"))
    run = match(phone, found("tiktok", "fresh", "moved"), unreadable("instagram"))
    page = admin_client.get(PAGE).content.decode()
    for text in ("@fresh", "@moved", "from 9 (pc2) to 7 (pc1)", "1 new", "1 moved", "1 unreadable", "1 phone",
                 "The app shows a screen that is not known.", f"/run/{run.pk}/change/"):  # fmt: skip
        assert text in page, text
    assert "@old" not in page


def test_one_click_adds_what_is_new_and_a_second_adds_nothing(admin_client, phone):
    run = match(phone, found("tiktok", "fresh", "second"))
    page = admin_client.get(PAGE).content.decode()
    assert "Add all 2 new accounts to the list" in page
    response = admin_client.post(ADD, {"run": run.pk, "next": PAGE}, follow=True)
    assert said(response) == ["2 accounts added."]
    assert "in the list by now" in response.content.decode()
    assert "new accounts to the list" not in response.content.decode()
    assert said(
        admin_client.post(ADD, {"run": run.pk, "next": "https://elsewhere.example"}, follow=True)
    ) == ["0 accounts added."]
    assert Account.objects.filter(device=phone, is_logged_in=True).count() == 2


def test_only_what_the_last_match_of_the_phone_found_can_be_added(admin_client, phone):
    old = match(phone, found("tiktok", "fresh"))
    match(phone, found("tiktok"))
    assert (
        "Add 1 new account"
        not in admin_client.get(reverse("admin:automation_run_change", args=[old.pk])).content.decode()
    )
    assert said(admin_client.post(ADD, {"run": old.pk}, follow=True)) == ["0 accounts added."]
    assert not Account.objects.exists()


def test_who_may_not_add_accounts_is_not_offered_it_and_adds_none(client, phone):
    run = match(phone, found("tiktok", "fresh"))
    login_as(client, "view_account", "view_run", "view_device")
    page = client.get(PAGE)
    assert "@fresh" in page.content.decode()
    assert "Add 1 new account" not in page.content.decode()
    assert client.post(ADD, {"run": run.pk}).status_code == 403
    assert not Account.objects.exists()


@pytest.mark.parametrize("missing", ["view_account", "view_run", "view_device"])
def test_who_may_not_see_accounts_runs_and_devices_sees_no_matches(client, phone, missing):
    run = match(phone, found("tiktok", "fresh"))
    login_as(client, *({"view_account", "view_run", "view_device"} - {missing}))
    assert client.get(PAGE).status_code == 403
    if missing == "view_account":
        assert (
            "@fresh" not in client.get(reverse("admin:automation_run_change", args=[run.pk])).content.decode()
        )
        assert (
            "@fresh"
            not in client.get(reverse("admin:devices_device_change", args=[phone.pk])).content.decode()
        )


def test_the_pages_of_the_run_and_of_the_phone_show_the_match_and_offer_to_add(admin_client, phone):
    run = match(phone, found("tiktok", "fresh"), unreadable("instagram"))
    for name, pk in (("automation_run", run.pk), ("devices_device", phone.pk)):
        page = admin_client.get(reverse(f"admin:{name}_change", args=[pk])).content.decode()
        assert "@fresh" in page, name
        assert "Add 1 new account to the list" in page, name
        assert "The app shows a screen that is not known." in page, name


def test_a_campaign_shows_what_its_last_start_found(admin_client, phone):
    made = Campaign.objects.create(name="Nightly", script="match", overlap="allow")
    other = make_device(label="8", host=host_with_key())
    for names in (["first"], ["second", "third"]):
        for run in started(made):
            ended(run, found("tiktok", *names) if run.device == phone else found("tiktok"))
    match(other, found("tiktok", "elsewhere"))
    (again,) = services.enqueue("match", [(None, other)], requested_by="ann", campaign=made)
    ended(again, found("tiktok", "elsewhere"))
    page = admin_client.get(f"{PAGE}?campaign={made.pk}").content.decode()
    assert ("@second" in page, "@third" in page, "@first" in page, "@elsewhere" in page) == (
        True,
        True,
        False,
        False,
    )
    assert "2 phones" in page
    head = admin_client.get(reverse("admin:automation_campaign_change", args=[made.pk])).content.decode()
    assert "2 new" in head
    assert f"{PAGE}?campaign={made.pk}" in head


def test_the_page_asks_as_many_questions_for_12_phones_as_for_2(admin_client, django_assert_max_num_queries):
    host = host_with_key()
    for number in range(12):
        match(make_device(host=host), found("tiktok", f"ann{number}"))
    with django_assert_max_num_queries(22):
        admin_client.get(PAGE)
