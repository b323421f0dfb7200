"""Sheets for tests, as a spreadsheet program writes them: each cell with the type that Python gives it."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Any

import xlsxwriter

VENDOR_HEADERS = {
    "feb2025_7": "id email pwd username device logined status",
    "mar2025_8": "id email pwd username device device_index logined status",
    "jun2025_15": "id email pwd username device device_index logined status "
    "nickname country followers following hearts videos friends",
    "nov2025_10": "id email pwd username packagename device device_index logined status tags",
}
VENDOR_ROWS = [
    {
        "id": 1,
        "email": "ann@example.org",
        "pwd": "secret1:JBSWY3DPEHPK3PXP",
        "username": "@ann",
        "device": "R58M00TEST1",
        "device_index": 1,
        "logined": 1,
        "status": 0,
        "nickname": "Ann",
        "country": "NL",
        "followers": "1234",
        "tags": "warm, nl",
    },
    {"id": 2, "pwd": "00123", "username": "bob.42", "device": "192.0.2.10:5555", "device_index": 2}
    | dict.fromkeys(["logined", "status"], 0)
    | dict.fromkeys(["followers", "following", "hearts", "videos", "friends"], "-"),
    {"id": 3, "username": "@carol", "device": "", "device_index": "offline", "logined": 0, "status": 1},
]


def make_xlsx(*rows: list[Any], sheets: dict[str, list[list[Any]]] | None = None, hidden: str = "") -> bytes:
    """The bytes of a workbook; the given rows become a sheet named accounts."""
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        moment = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, body in (sheets or {"accounts": list(rows)}).items():
            sheet = book.add_worksheet(name)
            if name == hidden:
                sheet.hide()
            for number, row in enumerate(body):
                for column, cell in enumerate(row):
                    _write(sheet, number, column, cell, moment)
    return out.getvalue()


class Broken(str):
    """A cell whose formula gave this error."""


def _write(sheet: Any, row: int, column: int, cell: Any, moment: Any) -> None:
    if isinstance(cell, Broken):
        sheet.write_formula(row, column, "=A1+1", None, str(cell))
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell)
    elif isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, datetime):
        sheet.write_datetime(row, column, cell, moment)
    elif cell is not None:
        sheet.write_number(row, column, cell)


def table(headers: str, *rows: list[Any]) -> bytes:
    """A sheet with these columns (named in one text) and rows."""
    return make_xlsx(headers.split(), *rows)


def vendor_file(version: str) -> bytes:
    """A file of one version of the vendor's own format."""
    headers = VENDOR_HEADERS[version].split()
    return make_xlsx(headers, *([row.get(name) for name in headers] for row in VENDOR_ROWS))
