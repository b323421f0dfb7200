"""Credentials and flags change here alone; the floors above are told after the commit."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import transaction

from accounts import services
from accounts.models import Account
from accounts.signals import account_disabled
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def told():
    """What the floors above were told."""
    heard = []

    def listen(account_ids, actor, **_kwargs):
        heard.append((sorted(account_ids), actor))

    account_disabled.connect(listen)
    yield heard
    account_disabled.disconnect(listen)


@pytest.mark.parametrize(
    ("text", "password", "secret"),
    [
        ("simple", "simple", ""),
        (f"mine:{SECRET}", "mine", SECRET),
        (f"a:b:{SECRET}", "a:b", SECRET),
        ("mine:jbsw y3dp-ehpk 3pxp", "mine", SECRET),
        (f"mine:{SECRET}===", "mine", SECRET),
        ("mine:short", "mine:short", ""),
        ("mine:JBSWY3DPEHPK3PX", "mine:JBSWY3DPEHPK3PX", ""),
        ("mine:JBSWY3DPEHPK3PX1", "mine:JBSWY3DPEHPK3PX1", ""),
        (f"{SECRET}:tail", f"{SECRET}:tail", ""),
        ("ends:", "ends:", ""),
        (f":{SECRET}", "", SECRET),
    ],
)
def test_an_instagram_password_is_split_at_the_last_colon_before_a_secret(text, password, secret):
    assert services.split_password("instagram", text) == (password, secret)


def test_a_tiktok_password_is_never_split():
    assert services.split_password("tiktok", f"mine:{SECRET}") == (f"mine:{SECRET}", "")


@pytest.mark.parametrize(
    "password", ["", "plain", "a:b", f"x:{SECRET}", f"x:{SECRET}:", f"x:{SECRET}::", "::"]
)
@pytest.mark.parametrize("secret", ["", SECRET])
@pytest.mark.parametrize("app", ["tiktok", "instagram"])
def test_what_is_joined_is_split_into_the_same(app, password, secret):
    account = make_account(app=app, password=password, totp_secret=secret)
    expected = (password, secret if app == "instagram" else "")
    assert services.split_password(app, services.join_password(account)) == expected


def test_none_keeps_a_credential():
    account = make_account(password="old", totp_secret=SECRET)
    assert services.set_credentials(account, password="new")[0] == "password"
    account = Account.objects.get()
    assert (account.password.reveal(), account.totp_secret.reveal()) == ("new", SECRET)


def test_the_same_password_again_changes_nothing(django_assert_num_queries):
    account = make_account(password="same")
    with django_assert_num_queries(0):
        assert services.set_credentials(account, password="same", totp_secret="") == []


def test_a_new_password_clears_the_attention_for_a_wrong_one():
    account = make_account()
    services.mark_attention(account, "wrong_password")
    account.refresh_from_db()
    services.set_credentials(account, password="better")
    account.refresh_from_db()
    assert (account.attention, account.attention_since) == ("", None)


def test_a_new_password_leaves_another_attention():
    account = make_account()
    services.mark_attention(account, "captcha")
    account.refresh_from_db()
    services.set_credentials(account, password="better")
    account.refresh_from_db()
    assert account.attention == "captcha"


def test_attention_keeps_the_time_since_when():
    account = make_account()
    services.mark_attention(account, "captcha")
    account.refresh_from_db()
    since = account.attention_since
    services.mark_attention(account, "captcha")
    account.refresh_from_db()
    assert account.attention_since == since
    services.clear_attention(account)
    account.refresh_from_db()
    assert (account.attention, account.attention_text) == ("", "")


@pytest.mark.django_db(transaction=True)
def test_disabling_is_told_after_the_commit(told):
    accounts = [make_account(), make_account()]
    with transaction.atomic():
        assert services.set_enabled(accounts, False, "ann") == 2
        assert told == []
    assert told == [(sorted(a.pk for a in accounts), "ann")]


@pytest.mark.django_db(transaction=True)
def test_disabling_again_is_told_again(told):
    account = make_account(is_enabled=False)
    assert services.set_enabled([account], False) == 0
    assert told == [([account.pk], "")]


@pytest.mark.django_db(transaction=True)
def test_enabling_tells_nobody(told):
    account = make_account(is_enabled=False)
    assert services.set_enabled([account], True) == 1
    account.refresh_from_db()
    assert account.is_enabled
    assert told == []


@pytest.mark.django_db(transaction=True)
def test_a_disabling_that_is_rolled_back_is_not_told(told):
    account = make_account()
    with transaction.atomic():
        services.set_enabled([account], False)
        transaction.set_rollback(True)
    assert told == []


def test_login_status_and_device_are_set():
    account, phone = make_account(), make_device()
    assert services.set_logged_in([account], True) == 1
    assert services.set_logged_in([account], True) == 0
    assert services.assign_device([account], phone) == 1
    account.refresh_from_db()
    assert account.is_logged_in
    assert account.device == phone


def test_figures_that_were_not_read_stay():
    account = make_account(followers=5, hearts=7)
    when = datetime(2026, 1, 2, tzinfo=UTC)
    services.record_figures(account, {"followers": 6, "hearts": None, "username": "no"}, when)
    account.refresh_from_db()
    assert (account.followers, account.hearts, account.last_synced_at) == (6, 7, when)
    assert account.username != "no"


PACKAGE = "com.zhiliaoapp.musically"


def test_match_makes_binds_moves_and_misses():
    phone, other = make_device(), make_device()
    make_account(username="Known", device=phone, is_logged_in=True)
    make_account(username="moved", device=other, is_logged_in=True)
    make_account(username="loose")
    make_account(username="gone", device=phone, is_logged_in=True)
    make_account(username="signed_out", device=phone)
    make_account(username="known", app="instagram", device=other)
    found = services.record_match(phone, "tiktok", PACKAGE, ["@known", "moved", "loose", "new"])
    assert found == {"new": ["new"], "moved": ["moved"], "known": ["Known", "loose"], "missing": ["gone"]}
    here = Account.objects.filter(app="tiktok", device=phone)
    assert set(here.logged_in().values_list("username", flat=True)) == {"Known", "moved", "loose", "new"}
    assert set(Account.objects.filter(app="instagram").values_list("device", flat=True)) == {other.pk}


def test_the_same_match_again_changes_nothing():
    phone = make_device()
    make_account(username="gone", device=phone, is_logged_in=True)
    services.record_match(phone, "tiktok", PACKAGE, ["new"])
    before = list(Account.objects.values("username", "device", "is_logged_in", "package_name", "updated_at"))
    found = services.record_match(phone, "tiktok", PACKAGE, ["new"])
    assert found == {"new": [], "moved": [], "known": ["new"], "missing": []}
    assert before == list(
        Account.objects.values("username", "device", "is_logged_in", "package_name", "updated_at")
    )


def test_a_clone_is_matched_apart_from_the_usual_app():
    phone = make_device()
    services.record_match(phone, "tiktok", PACKAGE, ["usual"])
    services.record_match(phone, "tiktok", PACKAGE + ".clone", ["cloned"])
    packages = dict(Account.objects.logged_in().values_list("username", "package_name"))
    assert packages == {"usual": "", "cloned": PACKAGE + ".clone"}
