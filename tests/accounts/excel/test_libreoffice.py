"""What real spreadsheet programs make of our files, and we of theirs. Needs LibreOffice (libreoffice-calc)."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from accounts.excel.formats import AccountsCSV
from accounts.excel.reader import read_sheet
from accounts.excel.resources import export_file, import_file, preview
from accounts.models import Account
from tests.accounts.excel.sheets import vendor_file
from tests.accounts.excel.test_round_trip import ODD
from tests.factories import make_account, make_device

SOFFICE = shutil.which("soffice")
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        SOFFICE is None, reason="LibreOffice is not installed: apt-get install libreoffice-calc"
    ),
]
#: What LibreOffice itself does not keep: control characters, \r\n, texts like _x0041_, and <r>, which we spell so.
UNKEPT = {
    text
    for text in ODD
    if "_x00" in text or text.startswith("<r>") or any(sign in text for sign in "\r\x0b\x01")
}


@pytest.fixture(scope="module")
def convert(tmp_path_factory):
    """The file as LibreOffice saves it, in this format."""
    place = tmp_path_factory.mktemp("office")

    def run(data, source, target):
        (place / f"in.{source}").write_bytes(data)
        out = place / "out"
        command = [
            SOFFICE, "--headless", f"-env:UserInstallation=file://{place}/profile", "--convert-to", target,
            "--outdir", str(out), str(place / f"in.{source}"),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=110)
        return (out / f"in.{target.partition(':')[0]}").read_bytes()

    return run


def make_list():
    phone = make_device(label="7")
    for number, password in enumerate(text for text in ODD if text not in UNKEPT):
        make_account(username=f"odd{number}", password=password, nickname=password.strip(), app="instagram")
    make_account(username="full", device=phone, followers=2**40, tags="warm, nl", is_enabled=False)


def test_an_export_saved_by_libreoffice_imports_without_a_change(convert):
    make_list()
    count = Account.objects.count()
    ours = export_file(Account.objects.all(), with_passwords=True)
    saved = convert(ours, "xlsx", "xlsx:Calc MS Excel 2007 XML")
    assert saved != ours
    found = preview(saved)
    assert (found.unchanged, found.changed, found.errors) == (count, 0, []), found.rows
    assert read_sheet(saved).rows == read_sheet(ours).rows


def test_libreoffice_takes_no_cell_of_an_export_for_a_formula(convert):
    make_account(username="ann", password="=1+1", nickname="@SUM(1;2)", email="")
    ours = export_file(Account.objects.all(), with_passwords=True)
    text = convert(ours, "xlsx", "csv:Text - txt - csv (StarCalc):44,34,76").decode()
    assert "=1+1" in text
    assert "@SUM(1;2)" in text


def test_a_vendor_file_saved_by_libreoffice_imports(convert):
    saved = convert(vendor_file("nov2025_10"), "xlsx", "xlsx:Calc MS Excel 2007 XML")
    assert import_file(saved, "instagram").new == 3
    assert Account.objects.get(username="bob.42").password.reveal() == "00123"


def test_a_csv_saved_by_libreoffice_imports(convert):
    saved = convert(vendor_file("nov2025_10"), "xlsx", "csv:Text - txt - csv (StarCalc):59,34,ANSI")
    assert len(AccountsCSV().create_dataset(saved)) == 3
