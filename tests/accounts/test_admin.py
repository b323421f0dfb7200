"""The pages of accounts, through the real admin."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from accounts import services
from accounts.models import Account
from accounts.signals import account_disabled
from tests.factories import make_account, make_device, make_host

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_account_changelist")
ADD = reverse("admin:accounts_account_add")
SECRET = "JBSWY3DPEHPK3PXP"


def page_of(account):
    return reverse("admin:accounts_account_change", args=[account.pk])


def toggle_of(account, what):
    return reverse("admin:accounts_account_toggle", args=[account.pk, what])


def filled(**over):
    """What the form sends."""
    return {
        "app": "tiktok",
        "username": "ann",
        "email": "",
        "new_password": "",
        "new_totp_secret": "",
        "is_logged_in": "False",
        "is_enabled": "True",
        "device": "",
        "package_name": "",
        "tags": "",
        **over,
    }


@pytest.fixture
def viewer(client):
    """Someone who may look and not touch."""
    user = User.objects.create_user("viewer", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_account"))
    client.force_login(user)
    return client


def test_the_list_shows_device_and_host_and_tells_offline_from_unassigned(admin_client):
    make_account(username="here", device=make_device(label="7", host=make_host(name="attic")))
    make_account(username="away", device=make_device(label="8", connection="offline"))
    make_account(username="loose")
    html = admin_client.get(LIST).content.decode()
    assert "@here" in html
    assert "attic" in html
    assert html.count(">offline<") == 1
    assert html.count(">unassigned<") == 1


def test_the_list_costs_the_same_queries_however_long(admin_client, django_assert_max_num_queries):
    for _each in range(12):
        make_account(device=make_device())
    with django_assert_max_num_queries(12):
        admin_client.get(LIST)


@pytest.mark.parametrize("term", ["nn_1", "ann@ex", "ZX9", "lab7", "war", "@ann_1"])
def test_search_finds_parts_of_words(admin_client, term):
    make_account(
        username="ann_1",
        email="ann@example.org",
        tags="warm",
        device=make_device(serial="ZX99", label="lab7"),
    )
    make_account(username="other", email="")
    html = admin_client.get(LIST, {"q": term}).content.decode()
    assert "@ann_1" in html
    assert "@other" not in html


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "disabled"}, {"off"}),
        ({"status": "enabled"}, {"in", "needy", "tagged"}),
        ({"login": "in"}, {"in"}),
        ({"login": "out"}, {"off", "needy", "tagged"}),
        ({"needs": "person"}, {"needy"}),
        ({"needs": "nobody"}, {"off", "in", "tagged"}),
        ({"assigned": "yes"}, {"in"}),
        ({"assigned": "no"}, {"off", "needy", "tagged"}),
        ({"tag": "warm"}, {"tagged"}),
        ({"app__exact": "instagram"}, {"tagged"}),
    ],
)
def test_the_list_filters(admin_client, query, found):
    make_account(username="off", is_enabled=False)
    make_account(username="in", is_logged_in=True, device=make_device())
    make_account(username="needy", attention="captcha")
    make_account(username="tagged", tags="warm, nl", app="instagram")
    shown = admin_client.get(LIST, query).context["cl"].queryset
    assert {account.username for account in shown} == found


@pytest.mark.parametrize(
    "query",
    [
        {"password__startswith": "p"},
        {"password": ""},
        {"password__regex": "."},
        {"totp_secret__isnull": "1"},
        {"vault_id": "x"},
        {"o": "password"},
    ],
)
def test_the_address_is_no_oracle_for_secrets(admin_client, query):
    make_account(password="pass")
    answer = admin_client.get(LIST, query)
    if "o" in query:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 400


def test_a_click_on_status_disables_and_tells_before_the_reply(
    admin_client, django_capture_on_commit_callbacks
):
    account, told = make_account(), []

    def listen(account_ids, actor, **_kwargs):
        told.append((account_ids, actor))

    account_disabled.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            answer = admin_client.post(toggle_of(account, "status"), HTTP_HX_REQUEST="true")
    finally:
        account_disabled.disconnect(listen)
    account.refresh_from_db()
    assert not account.is_enabled
    assert told == [([account.pk], "admin")]
    assert "Disabled" in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_a_click_on_login_status_turns_it_and_back(admin_client):
    account = make_account()
    for expected in (True, False):
        answer = admin_client.post(toggle_of(account, "login"), HTTP_REFERER=f"http://testserver{LIST}?q=a")
        assert answer.url == f"http://testserver{LIST}?q=a"
        account.refresh_from_db()
        assert account.is_logged_in is expected
    assert LogEntry.objects.filter(object_id=account.pk).count() == 2


def test_a_toggle_sends_nobody_elsewhere(admin_client):
    answer = admin_client.post(toggle_of(make_account(), "login"), HTTP_REFERER="http://evil.example/")
    assert answer.url == LIST


def test_a_toggle_needs_a_post_a_token_and_the_permission(admin_client, viewer, django_user_model):
    from django.test import Client

    account = make_account()
    assert viewer.post(toggle_of(account, "status")).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(django_user_model.objects.get(username="admin"))
    assert strict.post(toggle_of(account, "status")).status_code == 403
    assert strict.get(toggle_of(account, "status")).status_code == 405
    assert strict.get(LIST).status_code == 200
    account.refresh_from_db()
    assert account.is_enabled


def test_an_unknown_toggle_is_not_found(admin_client):
    assert admin_client.post(toggle_of(make_account(), "password")).status_code == 404


def test_the_list_has_a_button_with_the_word_add(admin_client, viewer):
    html = " ".join(admin_client.get(LIST).content.decode().split())
    button = html.partition(f'<a href="{ADD}"')[2].partition("</a>")[0]
    assert 'aria-label="Add"' in button
    assert button.endswith("Add ")
    assert 'class="addlink' not in viewer.get(LIST).content.decode()


def test_only_the_username_is_needed(admin_client):
    answer = admin_client.post(ADD, filled(username=" @ann "))
    assert answer.url == LIST
    account = Account.objects.get()
    assert (account.username, account.is_enabled, account.is_logged_in) == ("ann", True, False)


def test_without_a_username_nothing_is_saved(admin_client):
    html = admin_client.post(ADD, filled(username="")).content.decode()
    assert "This field is required" in html
    assert not Account.objects.exists()


def test_the_same_username_in_another_case_is_refused_on_the_form(admin_client):
    make_account(username="ann")
    html = admin_client.post(ADD, filled(username="ANN")).content.decode()
    assert "already an account with this username" in html


def test_an_account_cannot_take_the_name_of_another_one_in_its_app(admin_client):
    make_account(username="ann")
    make_account(username="gram", app="instagram")
    account = make_account(username="bob")
    html = admin_client.post(page_of(account), filled(username="ANN")).content.decode()
    assert "already an account with this username" in html
    assert admin_client.post(page_of(account), filled(username="BOB")).status_code == 302
    assert admin_client.post(page_of(account), filled(username="gram")).status_code == 302


def test_the_form_speaks_the_seed_s_words(admin_client):
    html = admin_client.get(ADD).content.decode()
    for words in (
        "Email",
        "Password",
        "Username",
        "Login Status",
        "Status",
        "Device",
        "Enabled",
        "Not logged in",
    ):
        assert words in html


def test_a_password_goes_in_and_never_comes_out(admin_client):
    admin_client.post(ADD, filled(app="instagram", new_password=f"hunter22:{SECRET}"))
    account = Account.objects.get()
    assert (account.password.reveal(), account.totp_secret.reveal()) == ("hunter22", SECRET)
    pages = [page_of(account), LIST, page_of(account).replace("change", "history")]
    refused = admin_client.post(
        page_of(account), filled(username="", new_password="hunter22", new_totp_secret=SECRET)
    )
    for html in [*(admin_client.get(url).content.decode() for url in pages), refused.content.decode()]:
        assert "hunter22" not in html
        assert SECRET not in html
        assert account.password.sealed not in html


def test_an_empty_password_keeps_the_one_that_is_stored(admin_client):
    account = make_account(username="ann", app="instagram", password="kept", totp_secret=SECRET)
    admin_client.post(page_of(account), filled(email="new@example.org", new_password=" "))
    account.refresh_from_db()
    assert account.email == "new@example.org"
    assert (account.password.reveal(), account.totp_secret.reveal()) == ("kept", SECRET)


def test_a_new_password_keeps_the_2fa_secret_and_clears_the_attention(admin_client):
    account = make_account(username="ann", app="instagram", password="old", totp_secret=SECRET)
    services.mark_attention(account, "wrong_password")
    admin_client.post(page_of(account), filled(new_password="new"))
    account.refresh_from_db()
    assert (account.password.reveal(), account.totp_secret.reveal()) == ("new", SECRET)
    assert account.attention == ""


def test_the_2fa_secret_has_a_field_of_its_own_and_can_be_forgotten(admin_client):
    account = make_account(username="ann", app="instagram", password="p")
    admin_client.post(page_of(account), filled(new_totp_secret="jbsw y3dp ehpk 3pxp"))
    account.refresh_from_db()
    assert account.totp_secret.reveal() == SECRET
    admin_client.post(page_of(account), filled(forget_totp_secret="on"))
    account.refresh_from_db()
    assert account.totp_secret.reveal() == ""


def test_a_2fa_secret_is_checked(admin_client):
    html = admin_client.post(ADD, filled(app="instagram", new_totp_secret="short")).content.decode()
    assert "no 2FA secret" in html
    html = admin_client.post(ADD, filled(app="tiktok", new_totp_secret=SECRET)).content.decode()
    assert "Only an Instagram account" in html


def test_disabling_on_the_form_is_told(admin_client, django_capture_on_commit_callbacks):
    account, told = make_account(username="ann"), []

    def listen(account_ids, **_kwargs):
        told.extend(account_ids)

    account_disabled.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            admin_client.post(page_of(account), filled(is_enabled="False"))
    finally:
        account_disabled.disconnect(listen)
    assert told == [account.pk]


def test_the_form_writes_only_what_was_edited(admin_client, monkeypatch):
    account = make_account(username="ann", email="old@example.org")
    real = services.save_edited

    def save_after_a_run_ended(*args):
        services.set_logged_in([account], True)
        real(*args)

    monkeypatch.setattr(services, "save_edited", save_after_a_run_ended)
    admin_client.post(page_of(account), filled(email="new@example.org"))
    account.refresh_from_db()
    assert (account.email, account.is_logged_in) == ("new@example.org", True)
    assert "Status" not in LogEntry.objects.get().get_change_message()


def shown(client, account):
    """What a browser sends of the form as it stands now, hidden inputs and all."""
    answer = client.get(page_of(account))
    sent = filled()
    for bound in answer.context["adminform"].form:
        if bound.name in sent and not bound.name.startswith("new_"):
            sent[bound.name] = "" if bound.value() is None else str(bound.value())
            assert f'name="{bound.html_initial_name}"' in answer.content.decode()
            sent[bound.html_initial_name] = sent[bound.name]
    return sent


def test_a_stale_form_undoes_nothing_that_others_did(admin_client):
    account, phone = make_account(username="ann", is_enabled=True, tags="old"), make_device()
    stale = shown(admin_client, account)
    assert 'name="initial-new_' not in admin_client.get(page_of(account)).content.decode()
    Account.objects.update(is_enabled=False, is_logged_in=True, device=phone, username="anna", email="n@x.nl")
    assert admin_client.post(page_of(account), {**stale, "tags": "new"}).status_code == 302
    account.refresh_from_db()
    assert (account.is_enabled, account.is_logged_in, account.device) == (False, True, phone)
    assert (account.username, account.email, account.tags) == ("anna", "n@x.nl", "new")
    assert "Status" not in LogEntry.objects.get().get_change_message()


def test_what_is_touched_on_a_stale_form_is_written(admin_client):
    account = make_account(username="ann", is_enabled=True)
    stale = shown(admin_client, account)
    assert admin_client.post(page_of(account), {**stale, "is_enabled": "False"}).status_code == 302
    account.refresh_from_db()
    assert account.is_enabled is False


def test_a_device_is_chosen_and_taken_away_on_the_form(admin_client):
    account, phone = make_account(username="ann"), make_device()
    admin_client.post(page_of(account), filled(device=phone.pk))
    account.refresh_from_db()
    assert account.device == phone
    admin_client.post(page_of(account), filled())
    account.refresh_from_db()
    assert account.device is None


def test_an_account_keeps_its_app(admin_client):
    account = make_account(username="ann")
    admin_client.post(page_of(account), filled(app="instagram"))
    account.refresh_from_db()
    assert account.app == "tiktok"


@pytest.mark.parametrize(("action", "enabled"), [("disable_accounts", False), ("enable_accounts", True)])
def test_ticked_rows_are_enabled_and_disabled(admin_client, action, enabled):
    ticked, other = make_account(is_enabled=not enabled), make_account(is_enabled=not enabled)
    admin_client.post(LIST, {"action": action, "_selected_action": [ticked.pk]})
    ticked.refresh_from_db()
    other.refresh_from_db()
    assert (ticked.is_enabled, other.is_enabled) == (enabled, not enabled)


def test_all_that_match_the_filter_are_disabled(admin_client):
    warm = [make_account(tags="warm") for _each in range(3)]
    cold = make_account()
    sent = {"action": "disable_accounts", "select_across": "1", "_selected_action": [warm[0].pk]}
    admin_client.post(f"{LIST}?tag=warm", sent)
    assert set(Account.objects.enabled()) == {cold}


def test_a_viewer_sees_the_list_and_changes_nothing(viewer):
    account = make_account()
    assert viewer.get(LIST).status_code == 200
    assert viewer.get(reverse("admin:accounts_account_import")).status_code == 403
    viewer.post(LIST, {"action": "disable_accounts", "_selected_action": [account.pk]})
    account.refresh_from_db()
    assert account.is_enabled
