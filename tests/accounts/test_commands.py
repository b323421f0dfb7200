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
    assert "Row 2, status, “7”: Use 0 for enabled" in capsys.readouterr().out
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


@pytest.fixture
def terminal(monkeypatch):
    """A person at the terminal who gives these answers; returns the questions."""
    questions = []

    def sit_down(*answers):
        left = list(answers)

        def ask(question):
            questions.append(question)
            return left.pop(0)

        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", ask)
        return questions

    return sit_down


@pytest.mark.parametrize(("answer", "count"), [("", 0), ("n", 0), ("y", 1), ("YES", 1)])
def test_on_a_terminal_the_preview_comes_before_the_question_and_the_import(
    put, terminal, capsys, answer, count
):
    questions = terminal(answer)
    call_command("import_accounts", put(table("username", ["ann"])), app="tiktok")
    assert questions == ["Import? [y/N] "]
    said = capsys.readouterr().out
    assert "1 new" in said
    assert ("Imported: 1 new" in said, Account.objects.count()) == (bool(count), count)


@pytest.mark.parametrize("option", ["yes", "dry_run"])
def test_with_yes_and_in_a_dry_run_nothing_is_asked(put, terminal, option):
    questions = terminal()
    call_command("import_accounts", put(table("username", ["ann"])), app="tiktok", **{option: True})
    assert questions == []
    assert Account.objects.exists() is (option == "yes")


def test_a_bad_row_is_told_without_a_question(put, terminal):
    questions = terminal()
    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command("import_accounts", put(table("username", [None], ["a b"])), app="tiktok")
    assert questions == []


def test_an_export_has_the_name_of_an_excel_file(tmp_path):
    with pytest.raises(CommandError, match=r"must end in \.xlsx"):
        call_command("export_accounts", str(tmp_path / "accounts.csv"))
    assert not list(tmp_path.iterdir())
    call_command("export_accounts", str(tmp_path / "accounts.XLSX"))


@pytest.mark.parametrize(("answers", "yes"), [(["n"], False), (["y"], False), ([], True)])
def test_on_a_terminal_a_file_is_replaced_only_when_that_is_wanted(tmp_path, terminal, answers, yes):
    questions = terminal(*answers)
    path = tmp_path / "accounts.xlsx"
    call_command("export_accounts", str(path))
    assert questions == []
    path.write_text("old")
    call_command("export_accounts", str(path), yes=yes)
    assert len(questions) == len(answers)
    assert (path.read_bytes() == b"old") is (answers == ["n"])
