"""The audit: who did what with which secrets, written before the answer, changed by nobody."""

from __future__ import annotations

from io import BytesIO, StringIO

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from msoffcrypto import OfficeFile

from accounts import audit
from accounts.audit import Who
from accounts.audit_guard import SAYS, guard, unguard
from accounts.choices import AuditAction
from accounts.excel import jobs
from accounts.excel.models import ImportJob, ImportState
from accounts.excel.reader import read_sheet
from accounts.excel.resources import import_file
from accounts.models import Account, AuditEvent
from accounts.rotation import sealed_columns
from tests.accounts.excel.sheets import table
from tests.accounts.test_fields import store
from tests.factories import make_account

pytestmark = pytest.mark.django_db

EXPORT = reverse("admin:accounts_account_export")
LIST = reverse("admin:accounts_auditevent_changelist")
FILE = reverse("admin:accounts_auditevent_export")
OWN = "my own password"
SECRET = "JBSWY3DPEHPK3PXP"


def reveal_of(account: Account) -> str:
    return reverse("admin:accounts_account_reveal", args=[account.pk])


@pytest.fixture
def somebody(client):
    """Signs in somebody with these permissions."""

    def sign_in(*permissions: str):
        user = User.objects.create_user("sam", password=OWN, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return sign_in


def broken(**_values):
    raise DatabaseError("no audit")


# Reveal


def test_a_password_is_shown_to_one_who_may_after_their_own_password_and_it_is_written_down(somebody):
    client, account = (
        somebody("view_account", "view_password"),
        make_account(app="instagram", totp_secret=SECRET),
    )
    account.password = "hunter22 <b>:x"
    account.save()
    assert "hunter22" not in client.get(reveal_of(account)).content.decode()
    assert not AuditEvent.objects.exists()
    shown = client.post(reveal_of(account), {"own_password": OWN}, REMOTE_ADDR="10.1.2.3")
    assert "hunter22 &lt;b&gt;:x" in shown.content.decode()
    assert SECRET in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    event = AuditEvent.objects.get()
    assert (event.actor, event.action, event.account, event.address) == (
        "sam", AuditAction.SECRET_SHOWN, account, "10.1.2.3",
    )  # fmt: skip


@pytest.mark.parametrize("typed", ["", "wrong", OWN.upper()])
def test_without_ones_own_password_nothing_is_shown(somebody, typed):
    client, account = somebody("view_account", "view_password"), make_account(password="hunter22")
    assert "hunter22" not in client.post(reveal_of(account), {"own_password": typed}).content.decode()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("permissions", [(), ("view_account",), ("view_password",), ("change_account",)])
def test_without_the_permission_the_page_is_not_there(somebody, permissions):
    client, account = somebody(*permissions), make_account()
    for answer in (client.get(reveal_of(account)), client.post(reveal_of(account), {"own_password": OWN})):
        assert answer.status_code == 403
    assert not AuditEvent.objects.exists()


def test_only_who_may_sees_the_button(somebody, admin_client):
    account = make_account()
    page = reverse("admin:accounts_account_change", args=[account.pk])
    assert reveal_of(account) in admin_client.get(page).content.decode()
    assert reveal_of(account) not in somebody("view_account").get(page).content.decode()


def test_a_value_that_does_not_open_is_said_and_not_written_down_as_seen(somebody):
    client, account = somebody("view_account", "view_password"), store(make_account(), "password", "t1:AAAA")
    assert "was changed, moved" in client.post(reveal_of(account), {"own_password": OWN}).content.decode()
    assert not AuditEvent.objects.exists()


def test_without_its_row_there_is_no_answer(somebody, monkeypatch):
    client = somebody("view_account", "view_password", "export_passwords")
    client.raise_request_exception = False
    account = make_account(password="hunter22")
    monkeypatch.setattr(AuditEvent.objects, "create", broken)
    for url, sent in ((reveal_of(account), {"own_password": OWN}), (EXPORT, {"with_passwords": "on"})):
        answer = client.post(url, sent)
        assert answer.status_code == 500
        assert b"hunter22" not in answer.content


# Export and import


def test_an_export_with_passwords_says_whose_and_one_without_is_not_written_down(admin_client):
    accounts = [make_account() for _each in range(4)]
    accounts.pop(1).delete()
    admin_client.post(EXPORT, {"file_password": ""})
    assert not AuditEvent.objects.exists()
    admin_client.post(EXPORT, {"with_passwords": "on"})
    event = AuditEvent.objects.get()
    first, *others = [account.pk for account in accounts]
    assert (event.action, event.count) == (AuditAction.EXPORTED, 3)
    assert event.accounts == f"{first}, {others[0]}-{others[1]}"
    assert event.detail == "not behind a password"


def test_an_export_by_command_is_written_down(tmp_path):
    make_account()
    call_command("export_accounts", tmp_path / "a.xlsx", "--no-passwords", stdout=StringIO())
    assert not AuditEvent.objects.exists()
    call_command("export_accounts", tmp_path / "b.xlsx", stdout=StringIO())
    assert "shell" in AuditEvent.objects.get().actor


def test_the_command_locks_its_file_with_what_is_typed_twice(tmp_path, monkeypatch):
    make_account(password="hunter22")
    typed = iter(["ten letters", "ten letters", "ten letters", "another one"])
    monkeypatch.setattr("accounts.management.commands.export_accounts.getpass", lambda _question: next(typed))
    call_command("export_accounts", tmp_path / "a.xlsx", "--lock", stdout=StringIO())
    assert OfficeFile(BytesIO((tmp_path / "a.xlsx").read_bytes())).is_encrypted()
    assert AuditEvent.objects.get().detail == "behind a password"
    with pytest.raises(CommandError, match="Nothing was written"):
        call_command("export_accounts", tmp_path / "b.xlsx", "--lock", stdout=StringIO())
    assert not (tmp_path / "b.xlsx").exists()


def test_an_import_says_which_accounts_it_wrote(django_assert_max_num_queries):
    known = make_account(username="ann")
    import_file(table("id username", [known.pk, "anna"], [None, "bob"]), "tiktok", actor="ann")
    event, bob = AuditEvent.objects.get(), Account.objects.get(username="bob")
    assert (event.actor, event.action, event.count) == ("ann", AuditAction.IMPORTED, 2)
    assert event.accounts == audit.spans([known.pk, bob.pk])


def test_an_import_without_its_row_writes_nothing(monkeypatch):
    monkeypatch.setattr(AuditEvent.objects, "create", broken)
    with pytest.raises(DatabaseError):
        import_file(table("username", ["bob"]), "tiktok")
    assert not Account.objects.exists()


def imported(data) -> ImportJob:
    job = jobs.create(data, "my.xlsx", "tiktok", who=Who("ann"))
    jobs.check_now(job)
    jobs.confirm(job)
    return job


def test_an_undo_says_who_took_back_which_accounts_of_which_file(somebody):
    known = make_account(username="ann")
    job = imported(table("id username", [known.pk, "anna"], [None, "bob"]))
    ids = audit.spans(Account.objects.values_list("pk", flat=True))
    client = somebody("view_account", "add_account", "change_account", "import_accounts")
    client.post(reverse("admin:accounts_importjob_undo", args=[job.pk]))
    event = AuditEvent.objects.get(action=AuditAction.UNDONE)
    assert (event.actor, event.address, event.subject) == ("sam", "127.0.0.1", "my.xlsx")
    assert (event.accounts, event.count) == (ids, 2)
    assert f"№ {job.pk}" in event.detail
    assert Account.objects.get().username == "ann"


def test_an_undo_without_its_row_takes_nothing_back(monkeypatch):
    job = imported(table("username", ["bob"]))
    monkeypatch.setattr(AuditEvent.objects, "create", broken)
    with pytest.raises(DatabaseError):
        jobs.undo(job, Who("sam"))
    job.refresh_from_db()
    assert job.state == ImportState.DONE
    assert Account.objects.get().username == "bob"


def test_an_undo_that_is_refused_leaves_no_row():
    job = imported(table("username", ["bob"]))
    jobs.undo(job, Who("sam"))
    with pytest.raises(jobs.NotNow):
        jobs.undo(job, Who("sam"))
    assert AuditEvent.objects.filter(action=AuditAction.UNDONE).count() == 1


@pytest.mark.parametrize(
    ("ids", "text"), [([], ""), ([7], "7"), ([3, 1, 2], "1-3"), ([5, 9, 6, 5, 20], "5-6, 9, 20")]
)
def test_many_ids_are_told_in_short(ids, text):
    assert audit.spans(ids) == text


# Nobody changes it


def event_of(account: Account) -> AuditEvent:
    return audit.note(AuditAction.SECRET_SHOWN, audit.Who("ann"), account)


def test_the_program_only_ever_adds():
    event = event_of(make_account())
    everything = AuditEvent.objects.all()
    for change in (
        event.save, event.delete, everything.delete, lambda: everything.update(actor="x"),
        lambda: AuditEvent.objects.bulk_update([event], ["actor"]),
        lambda: AuditEvent.objects.bulk_create([event], update_conflicts=True, unique_fields=["id"]),
        lambda: AuditEvent.objects.update_or_create(pk=event.pk, defaults={"actor": "x"}),
    ):  # fmt: skip
        with pytest.raises(TypeError), transaction.atomic():
            change()


@pytest.mark.parametrize(
    "statement", ["UPDATE accounts_auditevent SET actor = 'x'", "DELETE FROM accounts_auditevent"]
)
def test_the_database_itself_refuses_to_change_or_delete(statement):
    account = make_account()
    event_of(account)
    guard()
    guard()
    try:
        with pytest.raises(DatabaseError, match=SAYS), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        account.delete()
        event_of(make_account())
        assert AuditEvent.objects.filter(actor="ann").count() == 2
    finally:
        unguard()


def test_it_stays_when_its_account_is_gone():
    account = make_account(username="ann")
    event_of(account)
    number = account.pk
    account.delete()
    event = AuditEvent.objects.get()
    assert (event.account_id, event.subject) == (number, "@ann (TikTok)")


# The page


def test_the_page_filters_and_its_file_holds_what_the_filter_shows(admin_client):
    event_of(make_account(username="ann"))
    audit.note_many(AuditAction.EXPORTED, audit.Who("=1+1", "10.0.0.9"), [1, 2, 3], "accounts.xlsx")
    page = admin_client.get(LIST).content.decode()
    for said in ("@ann (TikTok)", "=1+1", "10.0.0.9", "3 accounts", "saw the password"):
        assert said in page
    only = f"?action__exact={AuditAction.EXPORTED}"
    assert "@ann" not in admin_client.get(LIST + only).content.decode()
    assert f"{FILE}{only}" in admin_client.get(LIST + only).content.decode()
    sheet = read_sheet(admin_client.get(FILE + only).content)
    ((_number, row),) = sheet.rows
    assert (row[1], row[4], row[6]) == ("=1+1", "1-3", "10.0.0.9")
    assert len(read_sheet(admin_client.get(FILE).content).rows) == 2


def test_the_page_and_its_file_are_for_those_who_may(somebody):
    client = somebody("view_account", "change_account")
    assert client.get(LIST).status_code == 403
    assert client.get(FILE).status_code == 403


def test_every_sealed_column_is_write_only_in_the_admin():
    assert all(column.formfield() is None for column in sealed_columns())


def test_the_page_of_one_event_says_when_it_was(admin_client):
    event = audit.note(AuditAction.SECRET_SHOWN, audit.Who("ann"), make_account())
    page = admin_client.get(reverse("admin:accounts_auditevent_change", args=[event.pk])).content.decode()
    assert timezone.localtime(event.at).isoformat(sep=" ", timespec="seconds") in page
