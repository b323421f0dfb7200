"""Secrets on rows: sealed, bound to their place, never searched, never shown."""

from __future__ import annotations

import copy
import pickle

import pytest
from django.core import serializers
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection

from accounts.fields import MASK, EncryptedField, Secret
from accounts.keyring import Unreadable, key_ring
from accounts.models import Account
from tests.factories import make_account

pytestmark = pytest.mark.django_db

OLD = "t1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
NEW = "t2:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="


def stored(account: Account, column: str = "password") -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM accounts_account WHERE id = %s", [account.pk])
        return cursor.fetchone()[0]


def store(account: Account, column: str, value: str) -> Account:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_account SET {column} = %s WHERE id = %s", [value, account.pk])
    return Account.objects.get(pk=account.pk)


def test_a_password_comes_back_as_it_was_and_is_not_in_the_database():
    account = make_account(password="pä=ss:word")
    assert "word" not in stored(account)
    assert Account.objects.get(pk=account.pk).password.reveal() == "pä=ss:word"


def test_the_key_id_stands_in_the_value():
    assert stored(make_account()).startswith("t1:")


def test_the_same_password_is_sealed_differently_each_time():
    assert stored(make_account(password="same")) != stored(make_account(password="same"))


def test_an_empty_secret_stays_empty():
    account = make_account(password="")
    assert stored(account) == ""
    assert not account.password
    assert Account.objects.get(pk=account.pk).password.reveal() == ""


def test_a_value_of_another_row_is_an_error():
    ann, bob = make_account(), make_account()
    moved = store(bob, "password", stored(ann))
    with pytest.raises(Unreadable):
        moved.password.reveal()


def test_a_value_of_another_column_is_an_error():
    ann = make_account(totp_secret="JBSWY3DPEHPK3PXP")
    moved = store(ann, "password", stored(ann, "totp_secret"))
    with pytest.raises(Unreadable):
        moved.password.reveal()


@pytest.mark.parametrize("value", ["t1:AAAA", "t1:!!", "plain", "zz:AAAA", "t1:"])
def test_a_damaged_value_is_an_error(value):
    damaged = store(make_account(), "password", value)
    with pytest.raises(Unreadable):
        damaged.password.reveal()


def test_a_wrong_key_is_an_error_and_never_a_value(settings):
    account = make_account()
    settings.PHONERACK_FIELD_KEYS = "t1:" + NEW.partition(":")[2]
    with pytest.raises(Unreadable):
        Account.objects.get(pk=account.pk).password.reveal()


def test_an_old_key_opens_and_the_first_key_seals(settings):
    account = make_account(password="old")
    settings.PHONERACK_FIELD_KEYS = f"{NEW},{OLD}"
    assert Account.objects.get(pk=account.pk).password.reveal() == "old"
    assert stored(make_account()).startswith("t2:")


@pytest.mark.parametrize("keys", ["", "t1", "t1:", "t1:c2hvcnQ=", f"{OLD},{OLD}", "t 1:" + OLD[3:]])
def test_a_bad_key_ring_is_refused_without_repeating_it(settings, keys):
    settings.PHONERACK_FIELD_KEYS = keys
    with pytest.raises(ImproperlyConfigured) as refused:
        key_ring()
    assert "c2hvcnQ" not in str(refused.value)


def test_a_secret_does_not_show_itself():
    secret = make_account(password="hunter22").password
    shown = [str(secret), repr(secret), f"{secret}", repr(vars(make_account(password="hunter22")))]
    assert MASK in shown[0]
    assert not [text for text in shown if "hunter22" in text]
    assert b"hunter22" not in pickle.dumps(copy.deepcopy(secret))


def test_a_secret_of_one_row_cannot_be_put_on_another():
    ann, bob = make_account(password="anns"), make_account()
    bob.password = ann.password
    bob.save()
    with pytest.raises(Unreadable):
        Account.objects.get(pk=bob.pk).password.reveal()


def test_a_deferred_secret_is_fetched_when_asked_for():
    account = make_account(password="later")
    assert Account.objects.defer("password").get(pk=account.pk).password.reveal() == "later"


def test_bulk_writes_seal_too():
    accounts = Account.objects.bulk_create([Account(app="tiktok", username="bulk", password="one")])
    accounts[0].password = "two"
    Account.objects.bulk_update(accounts, ["password"])
    assert Account.objects.get(username="bulk").password.reveal() == "two"
    assert "two" not in stored(accounts[0])


@pytest.mark.parametrize(
    "lookup",
    [
        {"password": "x"},
        {"password__startswith": "x"},
        {"password__contains": ""},
        {"password__in": ["x"]},
        {"password__gt": ""},
        {"password__lower": "x"},
        {"totp_secret__regex": "."},
    ],
)
def test_a_secret_cannot_be_searched(lookup):
    with pytest.raises(FieldError):
        list(Account.objects.filter(**lookup))


def test_only_whether_there_is_a_secret_can_be_asked():
    make_account(password="")
    full = make_account()
    assert Account.objects.filter(password="").count() == 1
    assert list(Account.objects.exclude(password="")) == [full]
    assert Account.objects.filter(password__isnull=True).count() == 0


@pytest.mark.parametrize("name", ["password", "-totp_secret"])
def test_a_secret_has_no_order(name):
    with pytest.raises(FieldError):
        Account.objects.order_by(name)


def test_a_query_cannot_write_a_plain_secret():
    make_account()
    with pytest.raises(TypeError):
        Account.objects.update(password="plain")


def test_dumpdata_refuses_secrets():
    with pytest.raises(FieldError):
        serializers.serialize("json", [make_account()])


def test_no_form_field_is_made_for_a_secret():
    assert EncryptedField().formfield() is None


def test_a_secret_takes_text_only():
    with pytest.raises(TypeError):
        make_account(password=12)


def test_a_secret_without_its_row_is_an_error():
    make_account()
    loose = Account.objects.values_list("password", flat=True)[0]
    assert isinstance(loose, Secret)
    with pytest.raises(Unreadable):
        loose.reveal()
