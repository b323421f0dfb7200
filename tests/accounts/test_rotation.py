"""rotate_keys: everything under the newest key, whenever it is killed, and nothing lost that was typed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import connection

from accounts import rotation
from accounts.excel import jobs
from accounts.excel.models import ImportJob, ImportPart, PartKind
from accounts.models import Account
from config.env import BASE
from tests.accounts.excel.sheets import table
from tests.accounts.test_fields import NEW, OLD, store, stored
from tests.factories import make_account

SECRET = "JBSWY3DPEHPK3PXP"
MANY, MANY_PARTS = 8_000, 2_000  # enough for the kill to come midway


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


def imported(data) -> ImportJob:
    job = jobs.create(data, "my.xlsx", "instagram")
    jobs.check_now(job)
    jobs.confirm(job)
    return job


@pytest.mark.django_db
def test_an_import_is_undone_to_the_old_secrets_after_the_old_key_has_gone(settings, capsys):
    account = make_account(app="instagram", username="ann", password="old", totp_secret=SECRET)
    data = table("id username pwd", [account.pk, "ann", f"new:{SECRET[::-1]}"], [None, "bob", "bob's own"])
    settings.PHONERACK_FIELD_KEYS = f"{OLD},{NEW}"
    job = imported(data)
    settings.PHONERACK_FIELD_KEYS = f"{NEW},{OLD}"
    assert rotate("--check") == 1
    assert "ImportPart" in capsys.readouterr().out
    assert rotate() == 0
    settings.PHONERACK_FIELD_KEYS = NEW
    assert rotate("--check") == 0
    jobs.undo(job)
    job.refresh_from_db()
    account = Account.objects.get()
    assert (account.password.reveal(), account.totp_secret.reveal()) == ("old", SECRET)
    assert (job.undone, job.left) == (2, [])


@pytest.mark.django_db
def test_secrets_under_the_old_key_within_a_part_under_the_new_one_are_sealed_anew(settings):
    account = make_account(app="instagram", username="ann", password="old")
    settings.PHONERACK_FIELD_KEYS = f"{NEW},{OLD}"
    job = imported(table("id username pwd", [account.pk, "ann", "new"]))
    assert bytes(job.parts.last().sealed).startswith(b"t2:")
    assert rotate("--check") == 1
    assert rotate() == 0
    settings.PHONERACK_FIELD_KEYS = NEW
    jobs.undo(job)
    assert Account.objects.get().password.reveal() == "old"


@pytest.mark.django_db
def test_a_part_under_the_newest_key_is_left_as_it_is_and_one_that_does_not_open_is_named(settings, capsys):
    job = imported(table("username pwd", ["ann", "secret1"]))
    before = [bytes(part.sealed) for part in job.parts.all()]
    assert rotate() == 0
    assert [bytes(part.sealed) for part in job.parts.all()] == before
    part = job.parts.last()
    ImportPart.objects.filter(pk=part.pk).update(sealed=b"zz:gone")
    assert rotate() == 1
    assert f"(id {part.pk}): their imports cannot be undone" in " ".join(capsys.readouterr().out.split())
    assert bytes(ImportPart.objects.get(pk=part.pk).sealed) == b"zz:gone"


@pytest.mark.django_db
def test_a_rotation_that_ends_within_a_part_leaves_it_whole_and_the_next_goes_on(settings, monkeypatch):
    jobs_done = [imported(table("username pwd", [name, f"secret of {name}"])) for name in ("ann", "bob")]
    settings.PHONERACK_FIELD_KEYS = f"{NEW},{OLD}"
    real, saved = ImportPart.save, []

    def dies_at_the_third(part, **kwargs):
        real(part, **kwargs)
        saved.append(part.pk)
        if len(saved) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ImportPart, "save", dies_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            rotate()
    keys = [bytes(part.sealed)[:2] for part in ImportPart.objects.order_by("pk")]
    assert keys == [b"t2", b"t2", b"t1", b"t1"]
    assert rotate() == 0
    settings.PHONERACK_FIELD_KEYS = NEW
    for job in jobs_done:
        jobs.undo(job)
    assert not Account.objects.exists()


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
    kill_once(lambda: under("t2"))
    done = under("t2")
    assert 0 < done < MANY
    assert under("t1") == MANY - done
    assert rotate() == 0
    settings.PHONERACK_FIELD_KEYS = NEW
    assert [account.password.reveal() for account in Account.objects.order_by("pk")] == [
        f"word {number}" for number in range(MANY)
    ]


@pytest.mark.django_db(transaction=True)
def test_a_kill_among_the_parts_of_imports_loses_nothing_either(settings):
    job = ImportJob.objects.create(file_name="my.xlsx")
    for number in range(MANY_PARTS):
        part = ImportPart(job=job, kind=PartKind.CHECKED)
        part.put({"bad": [[number, {"pwd": f"word {number}"}, []]]})
        part.save()

    def parts_under(key: str) -> int:
        return sum(bytes(part.sealed).startswith(key.encode()) for part in ImportPart.objects.all())

    settings.PHONERACK_FIELD_KEYS = f"{NEW},{OLD}"
    kill_once(lambda: parts_under("t2"))
    assert 0 < parts_under("t2") < MANY_PARTS
    assert rotate() == 0
    settings.PHONERACK_FIELD_KEYS = NEW
    assert [part.content()["bad"][0][1]["pwd"] for part in job.parts.all()] == [
        f"word {number}" for number in range(MANY_PARTS)
    ]


def kill_once(has_begun: Callable[[], int]) -> None:
    """Start a rotation in a process of its own, and kill it once it has done something."""
    started = subprocess.Popen(
        [sys.executable, "manage.py", "rotate_keys"], cwd=BASE, env={**os.environ, **_same_database()},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + 60
    while not has_begun() and started.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    started.kill()
    assert started.wait() == -signal.SIGKILL, "it had ended before"


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
