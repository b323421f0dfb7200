"""Import and export in the admin: preview first, secrets masked, nothing left on disk."""

from __future__ import annotations

import os
import time
from datetime import datetime
from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from msoffcrypto import OfficeFile

from accounts.excel.models import ImportJob, ImportPart, ImportState
from accounts.excel.pages import page_of
from accounts.excel.reader import read_sheet
from accounts.excel.uploads import LIFETIME_SECONDS, SealedStorage, UploadGone, folder, sweep
from accounts.models import Account, AuditEvent
from tests.accounts.excel.sheets import Broken, make_xlsx, table
from tests.factories import make_account

pytestmark = pytest.mark.django_db

IMPORT = reverse("admin:accounts_account_import")
CONFIRM = reverse("admin:accounts_account_process_import")
EXPORT = reverse("admin:accounts_account_export")


@pytest.fixture(autouse=True)
def no_uploads():
    for path in folder().iterdir():
        path.unlink()


def upload(client, data, app="tiktok", name="my.xlsx"):
    """The page of the import, or the form that says why there is none."""
    sent = {"import_file": SimpleUploadedFile(name, data), "app": app, "resource": "0"}
    return client.post(IMPORT, sent, follow=True)


def confirm(client, answer, **choices):
    job = answer.context["job"].pk
    return client.post(CONFIRM, {"job": job, "expect_phones": "1", **choices}, follow=True)


def client_of(client, *permissions):
    user = User.objects.create_user("someone", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def test_a_preview_comes_before_anything_is_written(admin_client):
    answer = upload(admin_client, table("username pwd device", ["@ann", "hunter22", "NEW1"]))
    html = answer.content.decode()
    assert not Account.objects.exists()
    assert "1 new, 0 changed, 0 unchanged, 0 invalid" in html
    assert "@ann" in html
    assert "hunter22" not in html
    assert "expected phone" in html
    assert "Confirm import" in html
    done = confirm(admin_client, answer)
    assert "Imported: 1 new" in done.content.decode()
    account = Account.objects.get()
    assert (account.username, account.app, account.password.reveal()) == ("ann", "tiktok", "hunter22")
    assert "1 new" in LogEntry.objects.get().change_message


def test_of_a_changed_password_a_preview_says_only_that_it_changes(admin_client):
    account = make_account(username="ann", password="hunter11")
    answer = upload(admin_client, table("id username pwd", [account.pk, "@ann", "hunter22"]))
    html = answer.content.decode()
    assert "0 new, 1 changed, 0 unchanged, 0 invalid" in html
    assert "hunter" not in html


def test_errors_come_with_row_column_and_value_and_all_rows_cannot_be_confirmed(admin_client):
    answer = upload(admin_client, table("username status pwd", ["ann", 7, "hunter22"], ["bob", 0, 1e15]))
    html = answer.content.decode()
    for words in ("Use 0 for enabled", "<code>status</code>", ">7<", "Excel keeps only 15 digits"):
        assert words in html
    assert "hunter22" not in html
    assert "1000000000000000" not in html
    assert "Some rows have errors" in confirm(admin_client, answer).content.decode()
    assert not Account.objects.exists()


def test_only_the_good_rows_are_imported_when_that_is_chosen(admin_client):
    answer = upload(admin_client, table("username status", ["ann", 7], ["bob", 0]))
    done = confirm(admin_client, answer, rows="good")
    assert "1 new, 0 changed, 0 unchanged, 1 invalid" in done.content.decode()
    assert [account.username for account in Account.objects.all()] == ["bob"]
    assert not list(folder().iterdir())


def test_the_rows_with_errors_come_back_and_import_once_they_are_mended(admin_client):
    headers = ["username", "status", "pwd", "nickname"]
    answer = upload(
        admin_client,
        make_xlsx(
            headers,
            ["ann", 7, "=1+1", datetime(2026, 1, 2)],
            ["bob", 0, "", ""],
            ["cy", 0, Broken("#N/A"), ""],
        ),
    )
    confirm(admin_client, answer, rows="good")
    url = reverse("admin:accounts_importjob_bad_rows", args=[answer.context["job"].pk])
    file = admin_client.get(url)
    assert "no-store" in file["Cache-Control"]
    again = upload(admin_client, file.content)
    found = [(error.row, error.column) for error in again.context["errors"]]
    assert found == [(2, "status"), (2, "nickname"), (3, "pwd")]
    sheet = read_sheet(file.content)
    assert sheet.headers == ["pwd", "username", "status", "nickname", "Error"]
    assert "status: Use 0 for enabled" in sheet.rows[0][1][4]
    mended = [[*row[:2], 0, "", row[4]] for _number, row in sheet.rows]
    mended[1][0] = "x"
    done = confirm(admin_client, upload(admin_client, make_xlsx(sheet.headers, *mended)))
    assert done.context["job"].warnings == []
    assert Account.objects.get(username="ann").password.reveal() == "=1+1"


def test_others_get_the_rows_with_errors_without_passwords(admin_client, client):
    answer = upload(admin_client, table("username status pwd", ["ann", 7, "hunter22"]))
    url = reverse("admin:accounts_importjob_bad_rows", args=[answer.context["job"].pk])
    file = client_of(client, "add_account", "change_account", "import_accounts").get(url)
    assert "hunter22" not in str(read_sheet(file.content))
    assert "ann" in str(read_sheet(file.content))


def test_an_unknown_phone_needs_a_tick(admin_client):
    answer = upload(admin_client, table("username device", ["ann", "NEW1"]))
    assert 'name="expect_phones"' in answer.content.decode()
    refused = confirm(admin_client, answer, expect_phones="")
    assert "phones that are not known" in refused.content.decode()
    assert not Account.objects.exists()
    confirm(admin_client, answer, expect_phones="", rows="good")
    assert not Account.objects.exists()
    assert "No device is called so" in admin_client.get(page_of(answer.context["job"])).content.decode()


def test_all_changes_and_errors_can_be_reached_page_by_page(admin_client):
    rows = [[f"u{n}", 0 if n % 2 else 7] for n in range(240)]
    job = upload(admin_client, table("username status", *rows)).context["job"]
    seen = {"changes": [], "errors": []}
    for number in (1, 2, 3):
        page = admin_client.get(page_of(job), {"changes": number, "errors": number})
        for name, found in seen.items():
            found += [row.row for row in page.context[name]]
    assert seen["changes"] == [n + 2 for n in range(240) if n % 2]
    assert seen["errors"] == [n + 2 for n in range(240) if not n % 2]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no", "This is no .xlsx file"),
        (table("id", [1]), "no “username” column"),
        (table("id usernam", [1, "a"]), "is it the one called “usernam”"),
        (table("username"), "no rows"),
    ],
)
def test_a_bad_file_is_refused_on_the_form(admin_client, data, words):
    answer = upload(admin_client, data)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not list(folder().iterdir())
    assert not ImportJob.objects.exists()


def test_the_upload_waits_sealed_and_is_gone_after_use(admin_client):
    answer = upload(admin_client, table("username pwd", ["ann", "hunter22"]))
    (kept,) = folder().iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert b"PK" not in kept.read_bytes()[:40]
    assert b"xl/worksheets" not in kept.read_bytes()
    confirm(admin_client, answer)
    assert not list(folder().iterdir())


def test_what_is_kept_of_an_import_is_sealed(admin_client):
    make_account(username="bob", password="hunter11")
    rows = ["ann", 7, "hunter22"], ["cy", 0, "hunter33"]
    confirm(admin_client, upload(admin_client, table("username status pwd", *rows)), rows="good")
    kept = [bytes(part.sealed) for part in ImportPart.objects.all()]
    assert len(kept) == 2
    assert not any(word in part for part in kept for word in (b"hunter", b"ann", b"PK\x03\x04"))


def test_a_confirmation_works_once(admin_client):
    answer = upload(admin_client, table("username", ["ann"]))
    confirm(admin_client, answer)
    assert "does not wait for an answer" in confirm(admin_client, answer).content.decode()
    assert Account.objects.count() == 1


@pytest.mark.parametrize("number", ["", "x", "-1", "999999", "9" * 30])
def test_a_confirmation_of_no_import_is_not_found(admin_client, number):
    assert admin_client.post(CONFIRM, {"job": number}).status_code == 404


def test_a_list_that_changed_since_the_preview_is_left_alone_and_previewed_again(admin_client):
    answer = upload(admin_client, table("username nickname", ["ann", "A"], ["bob", "B"]))
    make_account(username="ann", nickname="mine")
    again = confirm(admin_client, answer)
    assert "The list has changed since the preview" in again.content.decode()
    assert [error.row for error in again.context["errors"]] == [2]
    assert list(Account.objects.values_list("username", "nickname")) == [("ann", "mine")]


def test_an_import_that_the_database_refuses_is_previewed_again(admin_client, monkeypatch):
    answer = upload(admin_client, table("username", ["ann"]))
    monkeypatch.setattr("accounts.excel.identities.holders_of", lambda _names: {})
    make_account(username="ann")
    assert "The list has changed" in confirm(admin_client, answer).content.decode()
    assert Account.objects.count() == 1


def test_a_canceled_import_leaves_nothing(admin_client):
    job = upload(admin_client, table("username", ["ann"])).context["job"]
    admin_client.post(reverse("admin:accounts_importjob_cancel", args=[job.pk]))
    job.refresh_from_db()
    assert job.state == ImportState.CANCELED
    assert not list(folder().iterdir())
    assert not ImportPart.objects.exists()


def test_an_upload_is_gone_after_an_hour():
    kept = SealedStorage()
    kept.save(b"secret")
    assert SealedStorage(name=kept.name).read() == b"secret"
    old = time.time() - LIFETIME_SECONDS - 1
    os.utime(folder() / kept.name, (old, old))
    with pytest.raises(UploadGone):
        SealedStorage(name=kept.name).read()
    assert not list(folder().iterdir())
    assert sweep() == 0


def test_an_upload_under_another_name_is_unreadable():
    kept = SealedStorage()
    kept.save(b"secret")
    other = "f" * 32
    (folder() / kept.name).rename(folder() / other)
    with pytest.raises(UploadGone):
        SealedStorage(name=other).read()


def test_an_export_holds_passwords_only_for_those_who_may(client, admin_client):
    make_account(username="ann", password="hunter22")
    full = admin_client.post(EXPORT, {"with_passwords": "on"})
    assert full["Content-Disposition"] == 'attachment; filename="accounts.xlsx"'
    assert "no-store" in full["Cache-Control"]
    assert "hunter22" in str(read_sheet(full.content))
    without = read_sheet(admin_client.post(EXPORT, {"file_password": ""}).content)
    assert "pwd" not in without.headers
    sheet = read_sheet(client_of(client, "view_account").post(EXPORT, {"with_passwords": "on"}).content)
    assert "pwd" not in sheet.headers


def test_a_link_never_leads_to_a_file_with_passwords(admin_client):
    make_account(username="ann", password="hunter22")
    page = admin_client.get(EXPORT)
    assert "text/html" in page["Content-Type"]
    assert "hunter22" not in page.content.decode()
    assert not AuditEvent.objects.exists()


def test_an_export_with_passwords_can_have_one_of_its_own_that_excel_asks_for(admin_client):
    make_account(username="ann", password="hunter22")
    data = admin_client.post(EXPORT, {"with_passwords": "on", "file_password": "ten letters"}).content
    assert b"hunter22" not in data
    locked = OfficeFile(BytesIO(data))
    locked.load_key(password="ten letters")
    opened = BytesIO()
    locked.decrypt(opened)
    assert "hunter22" in str(read_sheet(opened.getvalue()))
    short = admin_client.post(EXPORT, {"with_passwords": "on", "file_password": "short"})
    assert "text/html" in short["Content-Type"]


def test_an_export_without_the_permission_has_no_passwords(client):
    make_account(username="ann", password="hunter22")
    sheet = read_sheet(client_of(client, "view_account").get(EXPORT).content)
    assert "pwd" not in sheet.headers
    assert "hunter22" not in str(sheet)
    assert "ann" in str(sheet)


def test_an_export_takes_the_filter_along(admin_client):
    make_account(username="warm_one", tags="warm")
    make_account(username="cold_one")
    sheet = read_sheet(admin_client.post(f"{EXPORT}?tag=warm", {"with_passwords": "on"}).content)
    assert "warm_one" in str(sheet)
    assert "cold_one" not in str(sheet)


@pytest.mark.parametrize("missing", ["add_account", "change_account", "import_accounts"])
def test_import_needs_three_permissions_and_export_one(client, missing):
    wanted = {"add_account", "change_account", "import_accounts"} - {missing}
    someone = client_of(client, "view_account", *wanted)
    assert someone.get(IMPORT).status_code == 403
    assert someone.post(CONFIRM, {}).status_code == 403
    user = User.objects.get(username="someone")
    user.user_permissions.clear()
    assert someone.get(EXPORT).status_code == 403


def test_the_import_page_names_the_columns(admin_client):
    assert "device_index, logined, status" in admin_client.get(IMPORT).content.decode()
