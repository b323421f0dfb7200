"""A file of accounts.xlsx with one row, imported by the product's own code."""

from __future__ import annotations

from accounts.excel.resources import import_file
from accounts.models import Account
from tests.accounts.excel.sheets import table


def import_account(account: Account, serial: str, status: int) -> None:
    """The account's row as somebody edited it: on this device, enabled (0) or disabled (1)."""
    row = [account.pk, account.username, serial, status]
    import_file(table("id username device status", row), account.app, actor="ann")
