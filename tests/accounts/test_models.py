"""What the list of accounts holds and forbids."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from accounts.models import Account
from accounts.text import normal_tags, normal_totp_secret, normal_username, split_tags
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db


def test_a_username_is_stored_and_found_without_its_at_sign():
    make_account(username=" @ann ")
    assert Account.objects.get().username == "ann"
    assert Account.objects.filter(username="@ann").exists()


def test_a_username_is_unique_in_its_app_whatever_its_case():
    make_account(username="Ann")
    with pytest.raises(IntegrityError):
        make_account(username="@aNN")


def test_the_same_username_may_be_in_another_app():
    make_account(username="ann")
    make_account(username="ann", app="instagram")
    assert Account.objects.count() == 2


def test_the_database_refuses_an_empty_username():
    with pytest.raises(IntegrityError):
        make_account(username=" @ ")


@pytest.mark.parametrize(
    "username", ["", " ", "@", "two words", "a/b", "<b>", "a=b", "a\\b", "a\x00b", "\u200b"]
)
def test_a_username_is_checked(username):
    with pytest.raises(ValidationError) as wrong:
        Account(app="tiktok", username=username).full_clean()
    assert "username" in wrong.value.message_dict


@pytest.mark.parametrize("username", ["ann", "ann.b_1", "0612345678", "jos\u00e9", "ann@x.nl", "ann-b"])
def test_an_ordinary_username_is_taken(username):
    Account(app="tiktok", username=username).full_clean(exclude=["password", "totp_secret"])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("email", "ann"),
        ("email", "a@b@c"),
        ("email", "a b@c.nl"),
        ("package_name", "x"),
        ("package_name", "com..x"),
    ],
)
def test_an_email_and_a_package_look_like_one(column, value):
    with pytest.raises(ValidationError) as wrong:
        Account(app="tiktok", username="ann", **{column: value}).full_clean()
    assert column in wrong.value.message_dict


def test_a_deleted_device_leaves_its_account_unassigned():
    account = make_account(device=make_device())
    account.device.delete()
    account.refresh_from_db()
    assert account.device is None


def test_tags_are_kept_in_one_form():
    make_account(tags=" warm,nl ; Warm\nnl，new  one")
    assert Account.objects.get().tags == "warm, nl, new one"


@pytest.mark.parametrize("tag", ["warm", "NL", "new one"])
def test_a_whole_tag_is_found(tag):
    account = make_account(tags="warm, nl, new one")
    make_account(tags="warmer, xnl, new ones")
    assert list(Account.objects.all().tagged(tag)) == [account]


def test_questions_have_names():
    phone = make_device(label="7", serial="ZX9")
    off = make_account(is_enabled=False)
    here = make_account(device=phone, is_logged_in=True, attention="captcha", tags="warm", email="ann@x.nl")
    rows = Account.objects.all()
    assert list(rows.enabled()) == [here]
    assert list(rows.on_device(phone)) == list(rows.logged_in()) == list(rows.needing_attention()) == [here]
    assert list(rows.unassigned()) == [off]
    for text in ["zx9", "7 ann", "@" + here.username, "arm"]:
        assert here in rows.matching_search(text)
    assert not rows.matching_search("zx9 nobody")


def test_usernames_tags_and_secrets_have_one_form():
    assert normal_username(" @@ann ") == "ann"
    assert normal_username("\u200b @ann\u200d\ufeff") == "ann"
    assert split_tags("b, a, B") == ["b", "a"]
    assert normal_tags("") == ""
    assert normal_totp_secret("jbsw y3dp-ehpk 3pxp==") == "JBSWY3DPEHPK3PXP"
    assert normal_totp_secret("JBSWY3DPEHPK3PX") == ""
    assert normal_totp_secret("JBSWY3DPEHPK3PX1") == ""
