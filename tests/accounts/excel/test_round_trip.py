"""Export, then import: nothing changes, whatever the cells hold."""

from __future__ import annotations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.excel.reader import read_sheet
from accounts.excel.resources import export_file, import_file, preview
from accounts.models import Account
from devices.sheets.writer import write_sheet
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXP"
ODD = [
    "=1+1",
    "=SUM(1,2)",
    "+31",
    "-1",
    "@x",
    "00123",
    "1e5",
    "TRUE",
    "#N/A",
    " spaced ",
    "tab\there",
    "two\nlines",
    "carriage\r\nreturn",
    "_x0041_",
    "_x0041_x0042_",
    "_x005F_x0041_",
    "\x0bvertical\x01",
    "<r>a</r>",
    "<r>_x0041_x0042_</r>",
    "<b>&\"'",
    "'quoted",
    "http://example.org",
    "é😀\u2028x",
    f"a:{SECRET}",
    f"a:{SECRET}:",
    "::",
]
#: All that a sheet and a database can hold as text: no half characters, no U+FFFE and U+FFFF.
CELLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=40
)


@pytest.mark.parametrize("app", ["tiktok", "instagram"])
@pytest.mark.parametrize("password", ODD)
def test_an_odd_password_survives(app, password):
    make_account(app=app, username="ann", password=password)
    data = export_file(Account.objects.all(), with_passwords=True)
    assert preview(data).unchanged == 1
    Account.objects.all().delete()
    import_file(data)
    assert Account.objects.get().password.reveal() == password


def test_a_full_list_survives_with_all_its_columns():
    phone = make_device(label="7", address="192.0.2.1:5555")
    make_account(
        app="instagram", username="Full_1", device=phone, totp_secret=SECRET, is_logged_in=True, is_enabled=False,
        nickname="Ann =1", country="NL", followers=0, following=1, hearts=2**40, videos=3, friends=4,
        package_name="com.instagram.clone", tags="warm, nl",
    )  # fmt: skip
    make_account(username="bare", email="", password="")
    make_account(username="padded", nickname=" as synced ", device=make_device(label="007"))
    make_account(username="unlabelled", device=make_device(label=None))
    before = list(Account.objects.order_by("pk").values())
    found = import_file(export_file(Account.objects.all(), with_passwords=True))
    assert (found.new, found.changed, found.unchanged) == (0, 0, 4)
    after = list(Account.objects.order_by("pk").values())
    assert [str(row) for row in before] == [str(row) for row in after]


def test_an_export_has_the_documented_columns_in_their_order():
    make_account(
        username="ann", device=make_device(serial="S1", label="7"), is_enabled=False, is_logged_in=True
    )
    sheet = read_sheet(export_file(Account.objects.all(), with_passwords=True))
    documented = (
        "id email pwd username device device_index logined status nickname country followers following hearts videos "
        "friends app packagename tags"
    )
    assert sheet.headers == documented.split()
    row = dict(zip(sheet.headers, sheet.rows[0][1], strict=True))
    assert (row["device"], row["device_index"], row["logined"], row["status"]) == ("S1", 7, 1, 1)


def test_an_empty_list_exports_the_headers():
    data = export_file(Account.objects.all(), with_passwords=True)
    assert "username" in read_sheet(data).headers
    assert import_file(data).total == 0


def test_an_export_without_passwords_has_no_such_column_and_keeps_them_on_import():
    make_account(password="secret99")
    data = export_file(Account.objects.all(), with_passwords=False)
    assert "pwd" not in read_sheet(data).headers
    assert import_file(data).unchanged == 1


def test_an_export_is_one_query_for_the_accounts_and_one_for_the_drop_down(django_assert_num_queries):
    for _each in range(5):
        make_account(device=make_device())
    with django_assert_num_queries(2):
        export_file(Account.objects.all(), with_passwords=True)


def test_a_formula_is_never_written():
    from io import BytesIO
    from zipfile import ZipFile

    make_account(password="=1+1", email="=cmd")
    with ZipFile(BytesIO(export_file(Account.objects.all(), with_passwords=True))) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


@settings(max_examples=12, deadline=None)
@given(st.lists(CELLS.filter(lambda text: text.strip() != ""), min_size=1, max_size=60))
def test_any_text_reads_back_as_it_was_written(cells):
    sheet = read_sheet(write_sheet("accounts", ["username"], [[cell] for cell in cells]))
    assert [row[0] for _number, row in sheet.rows] == cells


ACCOUNTS = st.fixed_dictionaries(
    {
        "app": st.sampled_from(["tiktok", "instagram"]),
        "password": CELLS.filter(lambda text: "\x00" not in text),  # an import refuses it
        "totp_secret": st.sampled_from(["", SECRET]),
        "nickname": CELLS.filter(lambda text: "\x00" not in text),
        "followers": st.none() | st.integers(0, 2**49),
        "tags": st.lists(CELLS.filter(lambda text: "\x00" not in text), max_size=3).map(",".join),
    }
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ACCOUNTS, min_size=1, max_size=12))
def test_any_list_exports_and_imports_without_a_change(accounts):
    with transaction.atomic():
        for account in accounts:
            secret = account["totp_secret"] if account["app"] == "instagram" else ""
            make_account(**{**account, "totp_secret": secret})
        found = import_file(export_file(Account.objects.all(), with_passwords=True))
        assert (found.changed, found.unchanged, found.invalid) == (0, len(accounts), 0), found
        transaction.set_rollback(True)
