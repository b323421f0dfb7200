"""rotate_keys: everything under the newest key, whenever it is killed, and nothing lost that was typed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from django.core.management import call_command
from django.db import connection

from accounts import rotation
from accounts.models import Account
from config.env import BASE
from tests.accounts.test_fields import NEW, OLD, store, stored
from tests.factories import make_account

SECRET = "JBSWY3DPEHPK3PXP"
MANY = 8_000  # enough for the kill to come midway


def rotate(*options: str) -> int:
    """The exit code."""
    try:
        call_command("rotate_keys", *options)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def under(key: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_account WHERE password LIKE %s", [f"{key}:%"])
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_all_secrets_come_under_the_newest_key_and_the_old_one_can_go(settings, capsys):
    account = make_account(app="instagram", password="pä=ss:word", totp_secret=SECRET)
    empty = make_account(password="")
    settings.PHONERACK_FIELD_KEYS = f"{NEW},{OLD}"
    assert rotate("--check") == 1
    assert rotate() == 0
    settings.PHONERACK_FIELD_KEYS = NEW
    account = Account.objects.get(pk=account.pk)
    assert (account.password.reveal(), account.totp_secret.reveal()) == ("pä=ss:word", SECRET)
    assert stored(empty) == ""
    assert rotate("--check") == 0
    said = capsys.readouterr().out
    assert "t2, the newest" in said
    assert "ss:word" not in said
    assert SECRET not in said


@pytest.mark.django_db
def test_what_is_under_the_newest_key_is_left_as_it_is(settings):
    account = make_account()
    before = stored(account)
    assert rotate() == 0
    assert stored(account) == before


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["plain", "t1:AAAA", "zz:AAAA"])
def test_a_value_that_does_not_open_is_named_kept_and_ends_with_1(settings, capsys, value):
    damaged, good = store(make_account(), "password", value), make_account(password="good")
    settings.PHONERACK_FIELD_KEYS = f"{NEW},{OLD}"
    assert rotate() == 1
    assert f"(id {damaged.pk})" in capsys.readouterr().out
    assert stored(damaged) == value
    assert Account.objects.get(pk=good.pk).password.reveal() == "good"
    assert stored(good).startswith("t2:")


@pytest.mark.django_db
def test_a_password_typed_meanwhile_is_not_undone(settings, monkeypatch):
    account = make_account(password="old")
    settings.PHONERACK_FIELD_KEYS = f"{NEW},{OLD}"
    write = rotation._write

    def typed_first(column, new):
        typed = Account.objects.get(pk=account.pk)
        typed.password = "typed"
        typed.save()
        return write(column, new)

    monkeypatch.setattr(rotation, "_write", typed_first)
    rotate()
    assert Account.objects.get(pk=account.pk).password.reveal() == "typed"


def test_every_encrypted_field_of_every_model_is_rotated():
    names = {f"{one.model._meta.label}.{one.name}" for one in rotation.sealed_columns()}
    assert {"accounts.Account.password", "accounts.Account.totp_secret"} <= names


@pytest.mark.django_db(transaction=True)
def test_a_kill_midway_loses_nothing_and_the_next_call_goes_on(settings):
    Account.objects.bulk_create(
        Account(app="tiktok", username=f"a{number}", password=f"word {number}") for number in range(MANY)
    )
    settings.PHONERACK_FIELD_KEYS = f"{NEW},{OLD}"
    started = subprocess.Popen(
        [sys.executable, "manage.py", "rotate_keys"], cwd=BASE, env={**os.environ, **_same_database()},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + 60
    while not under("t2") and started.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    started.kill()
    assert started.wait() == -signal.SIGKILL, "it had ended before"
    done = under("t2")
    assert 0 < done < MANY
    assert under("t1") == MANY - done
    assert rotate() == 0
    settings.PHONERACK_FIELD_KEYS = NEW
    assert [account.password.reveal() for account in Account.objects.order_by("pk")] == [
        f"word {number}" for number in range(MANY)
    ]


def _same_database() -> dict[str, str]:
    """What makes another process use this test's database and keys."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{found['NAME']}"
    else:
        url = (
            f"postgres://{found['USER']}:{found['PASSWORD']}@{found['HOST']}:{found['PORT']}/{found['NAME']}"
        )
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url, "PHONERACK_FIELD_KEYS": f"{NEW},{OLD}",
    }  # fmt: skip
