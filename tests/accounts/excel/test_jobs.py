"""Large imports: in chunks by the worker, resumed after a crash, canceled, undone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from accounts.audit import Who
from accounts.excel import jobs, records, work
from accounts.excel.models import ImportJob, ImportPart, ImportState
from accounts.excel.uploads import folder
from accounts.models import Account
from accounts.tasks import IMPORT_TASK, imports_tick
from automation.controller.wire import wire
from automation.transport import Ticks
from tests import database
from tests.accounts.excel.sheets import make_xlsx, table
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A large import is one of more than 10 rows, in chunks of 5, without pauses."""
    monkeypatch.setattr(work, "INLINE_ROWS", 10)
    monkeypatch.setattr(work, "LARGE_CHUNK", 5)
    monkeypatch.setattr(work, "pause", lambda _seconds: None)
    for path in folder().iterdir():
        path.unlink()


def rows(count, **over):
    return [[f"u{n}", over.get(f"u{n}", 0), f"pass-{n}"] for n in range(count)]


def begin(data, **choices):
    """A large import, checked by the worker and answered."""
    job = jobs.create(data, "big.xlsx", "tiktok", who=Who("ann"))
    jobs.check_now(job)
    imports_tick()
    job.refresh_from_db()
    assert job.is_large
    jobs.confirm(job, **choices)
    return job


def test_a_large_file_waits_for_the_worker_and_has_the_same_preview():
    job = jobs.create(table("username status pwd", *rows(23, u4=7)), "big.xlsx", "tiktok")
    assert jobs.check_now(job) is None
    job.refresh_from_db()
    assert (job.state, job.total, job.is_large) == (ImportState.CHECKING, 23, True)
    assert imports_tick() == 1
    job.refresh_from_db()
    assert (job.state, job.new, job.invalid, job.position) == (ImportState.READY, 22, 1, 23)
    assert [(error.row, error.value) for error in records.errors(job, 0, 10)] == [(6, "7")]
    assert records.changes(job, 20, 10)[-1].username == "u22"
    assert not Account.objects.exists()


def test_the_worker_is_told_at_once_of_each_import_that_waits_for_it(
    redis_client, django_capture_on_commit_callbacks
):
    calls = []
    for step in (lambda job: jobs.check_now(job), jobs.confirm, jobs.undo):
        job = ImportJob.objects.first() or jobs.create(table("username pwd", *rows(23)), "big.xlsx", "tiktok")
        with django_capture_on_commit_callbacks(execute=True):
            step(job)
        calls.append([Ticks.task_of(json.loads(one)) for one in redis_client.lrange("ticks", 0, -1)])
        redis_client.delete("ticks")
        imports_tick()
    assert calls == [[IMPORT_TASK]] * 3


def test_an_import_waits_for_the_next_tick_when_redis_does_not_answer(
    settings, django_capture_on_commit_callbacks
):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    wire.cache_clear()
    job = jobs.create(table("username pwd", *rows(23)), "big.xlsx", "tiktok")
    with django_capture_on_commit_callbacks(execute=True):
        jobs.check_now(job)
    wire.cache_clear()
    assert imports_tick() == 1


def test_the_worker_speaks_the_language_of_the_one_who_brought_the_file():
    with translation.override("nl"):
        job = jobs.create(table("username status pwd", *rows(23, u4=7)), "big.xlsx", "tiktok")
        jobs.check_now(job)
    imports_tick()
    (error,) = records.errors(job, 0, 10)
    assert error.message.startswith("Gebruik 0")


def test_the_worker_imports_a_large_file_in_chunks_and_the_upload_is_gone():
    job = begin(table("username status pwd", *rows(23)))
    assert not Account.objects.exists()
    imports_tick()
    job.refresh_from_db()
    assert (job.state, job.new, job.position) == (ImportState.DONE, 23, 23)
    assert Account.objects.get(username="u22").password.reveal() == "pass-22"
    assert not list(folder().iterdir())


def test_rows_with_errors_are_left_out_of_a_large_file_wherever_their_other_half_stands():
    body = rows(23)
    body[20][0] = "U1"  # the same name, in another chunk
    job = begin(table("username status pwd", *body), good_rows=True)
    imports_tick()
    job.refresh_from_db()
    assert (job.new, job.invalid) == (21, 2)
    assert not Account.objects.filter(username__iexact="u1").exists()


def test_names_that_move_between_far_rows_are_written_together():
    accounts = [make_account(username=f"u{n}") for n in range(23)]
    names = [f"u{n}" for n in range(23)]
    names[1], names[21] = names[21], names[1]
    body = [[account.pk, name, "new"] for account, name in zip(accounts, names, strict=True)]
    job = begin(table("id username nickname", *body))
    assert job.first_rows == [3, 23]
    imports_tick()
    assert Account.objects.get(pk=accounts[1].pk).username == "u21"
    assert Account.objects.get(pk=accounts[21].pk).username == "u1"
    assert not Account.objects.filter(username__startswith="~").exists()
    job.refresh_from_db()
    jobs.undo(job)
    imports_tick()
    assert dict(Account.objects.values_list("pk", "username")) == {a.pk: a.username for a in accounts}


def test_ids_of_a_first_import_are_kept_in_its_later_chunks_too():
    body = [[100 + n, f"u{n}"] for n in range(23)]
    begin(table("id username", *body))
    imports_tick()
    assert sorted(Account.objects.values_list("pk", flat=True)) == list(range(100, 123))


def test_a_row_that_no_longer_fits_is_told_and_the_others_are_imported():
    job = begin(table("username status pwd", *rows(23)))
    make_account(username="u7")
    imports_tick()
    job.refresh_from_db()
    assert (job.state, job.new, job.invalid) == (ImportState.DONE, 22, 1)
    assert [error.row for error in records.errors(job, 0, 5)] == [9]


def test_cancel_stops_between_two_chunks_and_what_was_imported_can_be_undone(monkeypatch):
    job = begin(table("username status pwd", *rows(23)))
    chunks = iter(range(9))
    monkeypatch.setattr(work, "pause", lambda _s: jobs.cancel(job) if next(chunks) == 1 else None)
    imports_tick()
    job.refresh_from_db()
    assert (job.state, job.position, Account.objects.count()) == (ImportState.CANCELED, 10, 10)
    assert not list(folder().iterdir())
    jobs.undo(job)
    imports_tick()
    job.refresh_from_db()
    assert (job.state, job.undone, Account.objects.count()) == (ImportState.UNDONE, 10, 0)


def test_two_processes_never_work_on_one_import():
    job = begin(table("username status pwd", *rows(23)))
    assert work.claim(job)
    assert work.claim(job) == ""
    assert imports_tick() == 0
    ImportJob.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert imports_tick() == 1


def test_a_process_that_lost_its_claim_writes_nothing(monkeypatch):
    begin(table("username status pwd", *rows(23)))
    monkeypatch.setattr(work, "pause", lambda _s: ImportJob.objects.update(claim="another"))
    imports_tick()
    assert Account.objects.count() == 5


def test_a_file_that_the_worker_cannot_read_ends_as_failed_with_the_reason(monkeypatch):
    monkeypatch.setattr(jobs, "is_large", lambda _data: True)
    job = jobs.create(b"no xlsx", "big.xlsx")
    imports_tick()
    job.refresh_from_db()
    assert (job.state, "This is no .xlsx file" in job.message) == (ImportState.FAILED, True)
    assert not list(folder().iterdir())


def test_queries_of_a_chunk_do_not_grow_with_the_file(django_assert_max_num_queries):
    begin(table("username status pwd", *rows(40)))
    with django_assert_max_num_queries(40 + 8 * 20):
        imports_tick()


def test_the_page_shows_how_far_it_is_and_reloads_at_the_end(admin_client):
    job = begin(table("username status pwd", *rows(23)))
    url = reverse("admin:accounts_importjob_progress", args=[job.pk])
    page = admin_client.get(url)
    assert "every 1s" in page.content.decode()
    assert "waits for the worker" in page.content.decode()
    assert "HX-Refresh" not in page
    imports_tick()
    assert admin_client.get(url)["HX-Refresh"] == "true"


@pytest.mark.django_db(transaction=True)
def test_an_import_goes_on_where_a_killed_process_left_it():
    job = begin(table("username status pwd", *rows(60)))
    program = (
        "import django; django.setup(); from accounts.excel import work, jobs; work.LARGE_CHUNK = 5;"
        "work.PAUSE_SECONDS = 0.1; jobs.tick()"
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database.url()}
    child = subprocess.Popen([sys.executable, "-c", program], env=env)
    deadline = time.monotonic() + 100
    while Account.objects.count() < 10 and time.monotonic() < deadline:
        time.perf_counter()
    child.send_signal(signal.SIGKILL)
    child.wait()
    there = Account.objects.count()
    job.refresh_from_db()
    assert (10 <= there < 60, job.position, job.state) == (True, there, ImportState.IMPORTING)
    assert imports_tick() == 0  # it may still live
    ImportJob.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert imports_tick() == 1
    job.refresh_from_db()
    assert (job.state, job.new, Account.objects.count()) == (ImportState.DONE, 60, 60)
    assert not list(folder().iterdir())
    jobs.undo(job)
    imports_tick()
    assert not Account.objects.exists()


# Undo


def imported(data, **choices):
    job = jobs.create(data, "my.xlsx", "tiktok", who=Who("ann"))
    jobs.check_now(job)
    jobs.confirm(job, **choices)
    return job


def test_undo_gives_back_every_cell_the_secrets_and_the_device():
    phone, other = make_device(), make_device()
    account = make_account(
        username="ann", nickname="A", tags="warm", device=phone, password="old", is_enabled=True, followers=3
    )
    before = Account.objects.filter(pk=account.pk).values().get()
    headers = ["id", "username", "nickname", "tags", "device", "pwd", "status", "followers"]
    job = imported(
        make_xlsx(headers, [account.pk, "anna", "B", "", other.serial, "new", 1, None], [None, "cy"])
    )
    assert Account.objects.count() == 2
    jobs.undo(job)
    job.refresh_from_db()
    assert (job.state, job.undone, job.left) == (ImportState.UNDONE, 2, [])
    after = Account.objects.values().get()
    no_matter = {"updated_at": "", "password": "", "totp_secret": ""}
    assert {**after, **no_matter} == {**before, **no_matter}
    assert Account.objects.get().password.reveal() == "old"
    assert not ImportPart.objects.exists()


def test_undo_leaves_what_somebody_changed_since_and_says_so():
    one, two = make_account(username="one", nickname="A"), make_account(username="two", nickname="A")
    body = [one.pk, "one", "B", "NL", "x"], [two.pk, "two", "B", "NL", "x"], [None, "new", "", "", ""]
    job = imported(table("id username nickname country pwd", *body))
    Account.objects.filter(pk=one.pk).update(nickname="mine")
    account = Account.objects.get(pk=two.pk)
    account.password = "mine"
    account.save()
    Account.objects.filter(username="new").update(is_logged_in=True)
    jobs.undo(job)
    job.refresh_from_db()
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.nickname, one.country, two.nickname, two.password.reveal()) == ("mine", "", "A", "mine")
    assert Account.objects.filter(username="new").exists()
    assert job.left_count == 3
    assert {line.partition(":")[0] for line in job.left} == {"Row 2, @one", "Row 3, @two", "Row 4, @new"}
    assert any("nickname" in line for line in job.left)


def test_undo_takes_no_name_from_somebody_else():
    account = make_account(username="old")
    job = imported(table("id username nickname", [account.pk, "new", "N"]))
    make_account(username="old")
    jobs.undo(job)
    account.refresh_from_db()
    job.refresh_from_db()
    assert (account.username, account.nickname) == ("new", "")
    assert "taken" in job.left[0]


def test_undo_removes_expected_phones_that_nobody_saw_or_uses():
    from devices.models import Device

    job = imported(table("username device", ["a", "NEW1"], ["b", "NEW2"]), expect_phones=True)
    make_account(username="c", device=Device.objects.get(serial="NEW2"))
    jobs.undo(job)
    assert [device.serial for device in Device.objects.all()] == ["NEW2"]


def test_undo_works_once_and_for_seven_days():
    job = imported(table("username", ["a"]))
    ImportJob.objects.update(finished_at=timezone.now() - timedelta(days=7, minutes=1))
    job.refresh_from_db()
    with pytest.raises(jobs.NotNow):
        jobs.undo(job)
    ImportJob.objects.update(finished_at=timezone.now())
    job.refresh_from_db()
    jobs.undo(job)
    job.refresh_from_db()
    with pytest.raises(jobs.NotNow):
        jobs.undo(job)


def test_what_is_old_is_forgotten(monkeypatch):
    old, ancient, unanswered, fresh = (imported(table("username", [name])) for name in "abcd")
    waits = jobs.create(table("username", ["e"]), "my.xlsx", "tiktok")
    jobs.check_now(waits)
    now = timezone.now()
    ImportJob.objects.filter(pk=old.pk).update(finished_at=now - timedelta(days=8))
    ImportJob.objects.filter(pk=ancient.pk).update(finished_at=now - timedelta(days=91))
    ImportJob.objects.filter(pk=waits.pk).update(created_at=now - timedelta(hours=2))
    monkeypatch.setattr(jobs, "KEPT_IMPORTS", 1)
    imports_tick()
    assert set(ImportPart.objects.values_list("job_id", flat=True)) == {fresh.pk}
    assert not ImportJob.objects.filter(pk=ancient.pk).exists()
    waits.refresh_from_db()
    assert waits.state == ImportState.CANCELED
    assert unanswered.pk
    assert not list(folder().iterdir())


def test_the_list_of_imports_says_who_when_and_what_and_undoes(admin_client):
    job = imported(table("username", ["a"]))
    page = admin_client.get(reverse("admin:accounts_importjob_changelist")).content.decode()
    url = reverse("admin:accounts_importjob_undo", args=[job.pk])
    for words in ("my.xlsx", "ann", "1 new, 0 changed", url):
        assert words in page
    assert admin_client.get(url).status_code == 405
    done = admin_client.post(url, follow=True).content.decode()
    assert "1 row is as it was before" in done
    assert not Account.objects.exists()


def test_pages_of_imports_are_for_those_who_may_import(client, django_user_model):
    job = imported(table("username status", ["a", 0], ["b", 7]), good_rows=True)
    user = django_user_model.objects.create_user("viewer", password="x", is_staff=True)
    client.force_login(user)
    for name in ("change", "progress", "bad_rows", "undo", "cancel"):
        url = reverse(f"admin:accounts_importjob_{name}", args=[job.pk])
        answer = client.post(url) if name in ("undo", "cancel") else client.get(url)
        assert answer.status_code == 403, name
    assert client.get(reverse("admin:accounts_importjob_changelist")).status_code == 403
    assert Account.objects.filter(username="a").exists()
