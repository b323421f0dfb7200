"""A file of accounts.xlsx with one row, imported by the product's own code."""

from __future__ import annotations

from accounts.excel import formats, reader
from accounts.excel.resources import import_file
from accounts.models import Account
from tests.accounts.excel.sheets import table


def import_account(account: Account, serial: str, status: int) -> None:
    """The account's row as somebody edited it: on this device, enabled (0) or disabled (1)."""
    row = [account.pk, account.username, serial, status]
    import_file(table("id username device status", row), account.app, actor="ann")


def read_files_here() -> None:
    """From now on: files are read in this process; a child of its own for each takes longer than all the rest."""
    vars(formats)["read_sheet"] = _read_sheet


def _read_sheet(data: bytes) -> reader.Sheet:
    answer = reader._answer(data)
    return reader.Sheet(
        answer["headers"], [(number, reader._revived(cells)) for number, cells in answer["rows"]]
    )
