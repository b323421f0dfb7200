"""Import and export in the admin: preview first, secrets masked, nothing left on disk."""

from __future__ import annotations

import os
import time
from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from msoffcrypto import OfficeFile

from accounts.excel.reader import read_sheet
from accounts.excel.uploads import LIFETIME_SECONDS, SealedStorage, UploadGone, folder, sweep
from accounts.models import Account, AuditEvent
from tests.accounts.excel.sheets import table
from tests.factories import make_account

pytestmark = pytest.mark.django_db

IMPORT = reverse("admin:accounts_account_import")
CONFIRM = reverse("admin:accounts_account_process_import")
EXPORT = reverse("admin:accounts_account_export")


@pytest.fixture(autouse=True)
def no_uploads():
    for path in folder().iterdir():
        path.unlink()


def upload(client, data, app="tiktok"):
    sent = {"import_file": SimpleUploadedFile("my.xlsx", data), "app": app, "format": "0", "resource": "0"}
    return client.post(IMPORT, sent)


def confirm(client, answer):
    return client.post(CONFIRM, answer.context["confirm_form"].initial)


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
    assert 'value="Confirm' in html or "Confirm import" in html
    done = confirm(admin_client, answer)
    assert done.url == reverse("admin:accounts_account_changelist")
    account = Account.objects.get()
    assert (account.username, account.app, account.password.reveal()) == ("ann", "tiktok", "hunter22")
    assert "1 new" in LogEntry.objects.get().change_message


def test_errors_come_with_row_and_column_and_cannot_be_confirmed(admin_client):
    answer = upload(admin_client, table("username status pwd", ["ann", 7, "hunter22"]))
    html = answer.content.decode()
    assert "confirm_form" not in answer.context
    assert "Use 0 for enabled" in html
    assert "<code>status</code>" in html
    assert "hunter22" not in html
    assert not list(folder().iterdir())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no", "This is no .xlsx file"),
        (table("id", [1]), "no “username” column"),
        (table("username"), "No valid data"),
    ],
)
def test_a_bad_file_is_refused_on_the_form(admin_client, data, words):
    answer = upload(admin_client, data)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not list(folder().iterdir())


def test_the_upload_waits_sealed_and_is_gone_after_use(admin_client):
    answer = upload(admin_client, table("username pwd", ["ann", "hunter22"]))
    (kept,) = folder().iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert b"PK" not in kept.read_bytes()[:40]
    assert b"xl/worksheets" not in kept.read_bytes()
    confirm(admin_client, answer)
    assert not list(folder().iterdir())


def test_a_confirmation_works_once(admin_client):
    answer = upload(admin_client, table("username", ["ann"]))
    confirm(admin_client, answer)
    again = confirm(admin_client, answer)
    assert again.url == IMPORT
    assert Account.objects.count() == 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "0" * 32, "x"])
def test_a_confirmation_of_another_file_reads_nothing(admin_client, name):
    sent = {"import_file_name": name, "original_file_name": "a", "format": "0", "resource": "0", "app": ""}
    assert admin_client.post(CONFIRM, sent).url == IMPORT


def test_a_list_that_changed_since_the_preview_is_left_alone(admin_client):
    answer = upload(admin_client, table("username nickname", ["ann", "A"], ["bob", "B"]))
    make_account(username="ann", nickname="mine")
    assert confirm(admin_client, answer).url == IMPORT
    assert list(Account.objects.values_list("username", "nickname")) == [("ann", "mine")]
    assert not list(folder().iterdir())


def test_the_upload_is_gone_after_an_import_that_failed(admin_client, monkeypatch):
    answer = upload(admin_client, table("username", ["ann"]))
    monkeypatch.setattr("accounts.excel.identities._holders", lambda _names: {})
    make_account(username="ann")
    assert confirm(admin_client, answer).url == IMPORT
    assert not list(folder().iterdir())


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
