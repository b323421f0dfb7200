"""What an export has beside its cells: drop-downs, and a sheet that explains the columns."""

from __future__ import annotations

from io import BytesIO

import openpyxl
import pytest
from django.utils import translation

from accounts.excel.cells import COLUMNS
from accounts.excel.guide import MEANINGS
from accounts.excel.reader import read_sheet
from accounts.excel.resources import export_file, import_file
from accounts.models import Account
from tests.accounts.excel.sheets import table
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db


def book():
    return openpyxl.load_workbook(BytesIO(export_file(Account.objects.all(), with_passwords=True)))


def choices(workbook, column):
    """The drop-down of a column: the rows that it is for, its values, and whether others may be typed."""
    sheet = workbook["accounts"]
    letter = next(cell.column_letter for cell in sheet[1] if cell.value == column)
    (rule,) = [one for one in sheet.data_validations.dataValidation if str(one.sqref).startswith(letter)]
    name, cells = rule.formula1.replace("$", "").split("!")
    values = [row[0].value for row in workbook[name][cells]] if ":" in cells else []
    return str(rule.sqref), values, rule.errorStyle == "information"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_flags_and_devices_have_drop_downs_also_below_the_last_row():
    make_device(serial="S2")
    make_device(serial="S1")
    make_account()
    made = book()
    assert choices(made, "logined") == ("G2:G1002", [0, 1], False)
    assert choices(made, "status")[1:] == ([0, 1], False)
    assert choices(made, "device")[1:] == (["S1", "S2"], True)
    assert made["choices"].sheet_state == "hidden"


def test_an_empty_list_is_a_template_with_drop_downs():
    made = book()
    assert choices(made, "status") == ("H2:H1001", [0, 1], False)
    assert [cell.value for cell in made["accounts"][1]] == COLUMNS
    assert made["accounts"].freeze_panes == "A2"
    assert made["accounts"].auto_filter.ref


@pytest.mark.parametrize(("language", "sheet", "word"), [("en", "columns", "yes"), ("nl", "kolommen", "ja")])
def test_a_second_sheet_explains_each_column_in_the_language_of_the_user(language, sheet, word):
    with translation.override(language):
        guide = list(book()[sheet].iter_rows(values_only=True))
        assert [row[0] for row in guide[1:]] == COLUMNS
        assert guide[1 + COLUMNS.index("username")][1] == word
        assert guide[1][2] == str(MEANINGS["id"])


def test_the_password_that_reads_like_the_order_to_forget_it_survives():
    for number, password in enumerate(["#clear#", "##clear#", "#CLEAR#"]):
        make_account(username=f"u{number}", password=password)
    data = export_file(Account.objects.all(), with_passwords=True)
    Account.objects.all().delete()
    import_file(data)
    assert sorted(a.password.reveal() for a in Account.objects.all()) == ["##clear#", "#CLEAR#", "#clear#"]
    assert "##clear#" in str(read_sheet(data))


@pytest.mark.parametrize("order", ["#clear#", "#Clear#"])
def test_an_order_to_forget_clears_password_and_2fa_secret_and_the_preview_says_so(order):
    account = make_account(username="ann", app="instagram", totp_secret="JBSWY3DPEHPK3PXP")
    found = import_file(table("id username pwd", [account.pk, "ann", order]))
    account.refresh_from_db()
    assert (bool(account.password), bool(account.totp_secret)) == (False, False)
    assert [cell.new for cell in found.rows[0].cells] == ["cleared", "cleared"]
    assert import_file(table("id username pwd", [account.pk, "ann", order])).unchanged == 1


def test_a_changed_row_with_a_blank_password_says_that_it_is_kept():
    account = make_account(username="ann")
    (row,) = import_file(table("id username pwd nickname", [account.pk, "ann", "", "A"])).rows
    assert {cell.column: cell.new for cell in row.cells} == {"nickname": "A", "pwd": "kept"}


def test_columns_may_have_the_names_of_the_pages_and_of_the_documents():
    import_file(
        table(
            "Username Password E-mail Package_Name Tag app", ["ann", "p", "a@b.nl", "com.x.y", "t", "tiktok"]
        )
    )
    account = Account.objects.get()
    assert (account.password.reveal(), account.package_name, account.tags) == ("p", "com.x.y", "t")
