"""`import_accounts` and `export_accounts`."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from tests.accounts.excel.sheets import table
from tests.factories import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def put(tmp_path):
    """Writes a sheet to a file and gives its name."""

    def write(data):
        path = tmp_path / "in.xlsx"
        path.write_bytes(data)
        return str(path)

    return write


def test_a_file_is_imported_and_the_table_shows_rows_without_secrets(put, capsys):
    call_command(
        "import_accounts", put(table("username pwd nickname", ["@ann[b]", "hunter22", "A"])), app="tiktok"
    )
    said = capsys.readouterr().out
    assert Account.objects.get().password.reveal() == "hunter22"
    assert "ann[b]" in said
    assert "pwd: set" in said
    assert "1 new, 0 changed" in said
    assert "hunter22" not in said


def test_a_dry_run_writes_nothing(put, capsys):
    call_command("import_accounts", put(table("username", ["ann"])), app="tiktok", dry_run=True)
    assert not Account.objects.exists()
    assert "Nothing was written" in capsys.readouterr().out


def test_errors_are_listed_with_their_rows_and_nothing_is_written(put, capsys):
    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command("import_accounts", put(table("username status", ["ann", 7], ["bob", 0])), app="tiktok")
    assert "Row 2, status: Use 0 for enabled" in capsys.readouterr().out
    assert not Account.objects.exists()


@pytest.mark.parametrize("data", [b"no xlsx", table("id", [1])])
def test_a_bad_file_is_one_clear_sentence(put, data):
    with pytest.raises(CommandError, match=r"in\.xlsx: This"):
        call_command("import_accounts", put(data))


@pytest.mark.parametrize("name", ["missing.xlsx", "."])
def test_a_file_that_cannot_be_read_is_one_clear_sentence(tmp_path, name):
    with pytest.raises(CommandError, match=name):
        call_command("import_accounts", str(tmp_path / name))


def test_an_export_is_for_its_owner_only_and_replaces_the_old_one(tmp_path, capsys):
    make_account(username="ann", password="hunter22")
    make_account(username="gram", app="instagram")
    path = tmp_path / "accounts.xlsx"
    path.write_text("old")
    path.chmod(0o644)
    call_command("export_accounts", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["accounts.xlsx"]
    assert "2 accounts" in capsys.readouterr().out
    call_command("import_accounts", str(path))
    assert "2 unchanged" in capsys.readouterr().out
    call_command("export_accounts", str(path), no_passwords=True, app="tiktok")
    Account.objects.all().delete()
    call_command("import_accounts", str(path))
    assert [(a.username, bool(a.password)) for a in Account.objects.all()] == [("ann", False)]


def test_an_export_to_a_folder_that_is_not_there_is_one_clear_sentence(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("export_accounts", str(tmp_path / "none" / "accounts.xlsx"))
