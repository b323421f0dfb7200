"""accounts.csv: the same rules as the workbook, and no spreadsheet takes a cell for a formula."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.excel.formats import AccountsCSV, FileRefused, format_of
from accounts.excel.resources import AccountResource, Choices
from accounts.models import Account
from devices.sheets.csv_text import FORMULA, read_csv, unmarked, write_csv
from tests.accounts.excel.sheets import table
from tests.accounts.excel.test_pages import confirm, upload
from tests.accounts.excel.test_round_trip import ACCOUNTS, ODD
from tests.factories import make_account

pytestmark = pytest.mark.django_db


def export():
    return AccountsCSV().export_data(AccountResource(with_passwords=True).export(Account.objects.all()))


def found_in(data, dry_run=True):
    return AccountResource().import_data(AccountsCSV().create_dataset(data), dry_run=dry_run).preview


@pytest.mark.parametrize("password", [*ODD, "'=1", "''", "'", "1.2E+15", "'1.2E+15", "1e5"])
def test_an_odd_password_survives_and_is_never_a_formula(password):
    make_account(app="instagram", username="ann", password=password, nickname="=1+1")
    data = export()
    cells = [cell for row in read_csv(data) for cell in row]
    assert not [cell for cell in cells if cell.startswith(FORMULA[:-1])]
    assert found_in(data).unchanged == 1
    Account.objects.all().delete()
    found_in(data, dry_run=False)
    assert Account.objects.get().password.reveal() == password


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2)))
def test_any_text_reads_back_as_it_was_written(rows):
    back = list(read_csv(b"".join(write_csv(["a", "b"], rows))))
    assert [[unmarked(cell)[0] for cell in row] for row in back[1:]] == rows


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ACCOUNTS, min_size=1, max_size=8))
def test_any_list_exports_and_imports_without_a_change(accounts):
    with transaction.atomic():
        for account in accounts:
            secret = account["totp_secret"] if account["app"] == "instagram" else ""
            make_account(**{**account, "totp_secret": secret})
        found = found_in(export())
        assert (found.changed, found.unchanged, found.invalid) == (0, len(accounts), 0), found
        transaction.set_rollback(True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encoding_and_separator_are_found_out(encoding, delimiter):
    lines = ["username", "nickname", "tags"], ["ann", "Zoë €", '"warm; nl"']
    text = "\r\n".join(delimiter.join(line) for line in lines)
    dataset = AccountsCSV().create_dataset(text.encode(encoding))
    found = AccountResource(Choices("tiktok")).import_data(dataset).preview
    assert found.new == 1
    account = Account.objects.get()
    assert (account.nickname, account.tags) == ("Zoë €", "warm, nl")


def test_a_separator_that_the_file_names_is_taken():
    assert list(read_csv(b"sep=|\r\na|b,c\r\n")) == [["a", "b,c"]]


def test_a_number_that_a_spreadsheet_rounded_is_an_error_and_rows_are_counted_as_it_shows_them():
    data = b"username,pwd,status\r\n\r\nann,1.23457E+14,0\r\nbob,x,7\r\n"
    dataset = AccountsCSV().create_dataset(data)
    errors = AccountResource().import_data(dataset, dry_run=True).preview.errors
    assert [(error.row, error.column) for error in errors if error.column != "app"] == [
        (3, "pwd"),
        (4, "status"),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x00\x01\x02username", "no .csv file"),
        (b"username," + b"," * 70, "too wide"),
        (b'username,pwd\r\n"ann', "no .csv file"),
        (b"id,email\r\n1,2", "no “username” column"),
        (b"username\r\n" + b"a\r\n" * 200_001, "too many rows"),
        (b"x" * (25 * 1024 * 1024 + 1), "too big"),
    ],
)
def test_a_csv_that_would_hurt_is_refused_in_one_sentence(data, words):
    with pytest.raises(FileRefused, match=words):
        AccountsCSV().create_dataset(data)


def test_a_workbook_is_one_whatever_its_name():
    assert format_of(table("username"), "a.csv").get_title() == "xlsx"
    assert format_of(b"username", "A.CSV").get_title() == "csv"


def test_a_csv_comes_out_of_the_admin_and_goes_in_again(admin_client):
    make_account(username="ann", password="=1+1", tags="warm")
    make_account(username="bob")
    url = reverse("admin:accounts_account_export_csv") + "?tag=warm"
    answer = admin_client.post(url, {"with_passwords": "on"})
    assert answer["Content-Disposition"] == 'attachment; filename="accounts.csv"'
    assert "'=1+1" in answer.content.decode()
    assert "bob" not in answer.content.decode()
    data = answer.content.replace(b"warm", b"warm; nl")
    page = upload(admin_client, data, app="", name="accounts.csv")
    assert page.context["job"].changed == 1
    confirm(admin_client, page)
    assert Account.objects.get(username="ann").tags == "warm, nl"


def test_the_command_reads_a_csv(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("username;app\nann;tiktok\n")
    call_command("import_accounts", str(path))
    assert Account.objects.get().username == "ann"
