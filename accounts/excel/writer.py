"""accounts.xlsx, written so that each cell reads back as it was: text as text, never as a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from io import BytesIO

import xlsxwriter
from xlsxwriter.sharedstrings import SharedStrings
from xlsxwriter.worksheet import Worksheet

#: `_x0041_` is how a sheet spells a character by its number; two of them may share an underscore.
SPELLED = re.compile(r"_(?=x[0-9a-fA-F]{4}_)")
UNHOLDABLE = re.compile(r"[\x00-\x08\x0b-\x1f]")

Cell = str | int | float | None


def write_sheet(
    name: str, headers: Sequence[str], rows: Iterable[Sequence[Cell]], widths: Sequence[int] = ()
) -> bytes:
    """The bytes of an xlsx with one sheet. Nothing touches the disk: the cells may be secrets."""
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet(name)
        text = book.add_format({"num_format": "@"})
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width, text)
        sheet.freeze_panes(1, 0)
        for column, header in enumerate(headers):
            sheet.write_string(0, column, header, book.add_format({"bold": True}))
        last = _write_rows(sheet, rows, book.add_format({"num_format": "0"}), text)
        sheet.autofilter(0, 0, last, len(headers) - 1)
    return out.getvalue()


def _write_rows(
    sheet: Worksheet,
    rows: Iterable[Sequence[Cell]],
    number: xlsxwriter.format.Format,
    text: xlsxwriter.format.Format,
) -> int:
    last = 0
    for last, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, str) and cell:
                sheet.write_string(last, column, cell, text)
            elif isinstance(cell, int | float):
                sheet.write_number(last, column, cell, number)
    return last


def _spelled(text: str) -> str:
    """The text as a sheet keeps it: what it cannot hold, or would take for such a spelling, is spelled `_x0041_`."""
    spelled = UNHOLDABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", SPELLED.sub("_x005F_", text))
    return f"_x003C_{spelled[1:]}" if spelled.startswith("<r>") else spelled


# XlsxWriter's own spelling misses the second of `_x0041_x0042_`, and it takes `<r>...</r>` for markup of its own.
SharedStrings._escape_control_characters = staticmethod(_spelled)
