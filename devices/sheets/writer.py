"""Sheets, written so that each cell reads back as it was: text as text, never as a formula.

XlsxWriter's constant_memory mode puts the rows into a temporary file, so that a sheet takes the same memory however
long it is. Cells may be secrets: that file is sealed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from itertools import zip_longest
from tempfile import TemporaryDirectory

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from devices.sheets.sealed import SealedText, SealedZip

#: `_x0041_` is how a sheet spells a character by its number; two of them may share an underscore.
SPELLED = re.compile(r"_(?=x[0-9a-fA-F]{4}_)")
UNHOLDABLE = re.compile(r"[\x00-\x08\x0b-\x1f]")
#: Rows below the last one that still have drop-downs: for those who go on writing.
SPARE_ROWS = 1000
CHOICES_SHEET = "choices"
#: The writers of a cell without the decorator that looks whether its place is spelled "A1".
WRITE_STRING, WRITE_NUMBER = Worksheet.write_string.__wrapped__, Worksheet.write_number.__wrapped__


@dataclass(frozen=True)
class Spoilt:
    """A cell that holds an error, written as one again."""

    text: str


Cell = str | int | float | date | Spoilt | None


@dataclass(frozen=True)
class Layout:
    """What a sheet has beside its cells."""

    widths: Sequence[int] = ()
    #: For each column the values to choose from; others may be typed where the column is in `open_choices`.
    choices: Mapping[str, Sequence[str | int]] = field(default_factory=dict)
    open_choices: frozenset[str] = frozenset()
    #: Name, headers and rows of a second sheet that explains the columns.
    guide: tuple[str, Sequence[str], Sequence[Sequence[str]]] | None = None


def write_sheet(
    name: str, headers: Sequence[str], rows: Iterable[Sequence[Cell]], layout: Layout | None = None
) -> bytes:
    """The bytes of an xlsx."""
    layout, out = layout or Layout(), BytesIO()
    with (
        TemporaryDirectory(prefix="phonerack-") as folder,
        xlsxwriter.Workbook(out, {"constant_memory": True, "tmpdir": folder}) as book,
    ):
        sheet = book.add_worksheet(name)
        text = book.add_format({"num_format": "@"})
        for column, width in enumerate(layout.widths):
            sheet.set_column(column, column, width, text)
        _write_headers(book, sheet, headers)
        last = _write_rows(book, sheet, rows, text)
        sheet.autofilter(0, 0, last, len(headers) - 1)
        if layout.guide:
            _write_guide(book, *layout.guide)
        _put_choices(book, sheet, headers, last + SPARE_ROWS, layout)
    return out.getvalue()


def _write_headers(book: xlsxwriter.Workbook, sheet: Worksheet, headers: Sequence[str]) -> None:
    sheet.freeze_panes(1, 0)
    for column, header in enumerate(headers):
        sheet.write_string(0, column, header, book.add_format({"bold": True}))


def _write_rows(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    rows: Iterable[Sequence[Cell]],
    text: xlsxwriter.format.Format,
) -> int:
    last, number = 0, book.add_format({"num_format": "0"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for last, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                if cell:
                    WRITE_STRING(sheet, last, column, cell, text)
            elif isinstance(cell, int | float):
                WRITE_NUMBER(sheet, last, column, cell, number)
            elif cell is not None:
                _write_rare(sheet, last, column, cell, moment)
    return last


def _write_rare(
    sheet: Worksheet, row: int, column: int, cell: date | Spoilt, moment: xlsxwriter.format.Format
) -> None:
    if isinstance(cell, Spoilt):
        sheet.write_formula(row, column, "=NA()", None, cell.text)
    else:
        sheet.write_datetime(row, column, _naive(cell), moment)


def _naive(moment: date) -> date:
    """Excel knows no time zones."""
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else moment


def _write_guide(
    book: xlsxwriter.Workbook, name: str, headers: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    sheet = book.add_worksheet(name)
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for column, width in enumerate((18, 14, 90)):
        sheet.set_column(column, column, width, wrapped)
    _write_headers(book, sheet, headers)
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            sheet.write_string(number, column, cell, wrapped)


def _put_choices(
    book: xlsxwriter.Workbook, sheet: Worksheet, headers: Sequence[str], last: int, layout: Layout
) -> None:
    """Drop-downs, from lists on a hidden sheet: in a cell's own rule they may be 255 characters long only."""
    columns = [name for name in headers if layout.choices.get(name)]
    if not columns:
        return
    lists = book.add_worksheet(CHOICES_SHEET)
    lists.hide()
    for number, row in enumerate(zip_longest(*([name, *layout.choices[name]] for name in columns))):
        for place, value in enumerate(row):  # row by row: those before are written out
            (lists.write_string if isinstance(value, str) else lists.write)(number, place, value)
    for place, name in enumerate(columns):
        letter, column = chr(ord("A") + place), headers.index(name)
        rule = {
            "validate": "list",
            "source": f"={CHOICES_SHEET}!${letter}$2:${letter}${len(layout.choices[name]) + 1}",
            "error_type": "information" if name in layout.open_choices else "stop",
        }
        sheet.data_validation(1, column, last, column, rule)


def _spelled(text: str | int) -> str | int:
    """The text as a sheet keeps it: what it cannot hold, or would take for such a spelling, is spelled `_x0041_`."""
    if not isinstance(text, str):  # a truth value, of a sheet without shared strings
        return text
    if text.isprintable() and "_x" not in text and not text.startswith("<r>"):
        return text
    spelled = UNHOLDABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", SPELLED.sub("_x005F_", text))
    return f"_x003C_{spelled[1:]}" if spelled.startswith("<r>") else spelled


# The temporary files of XlsxWriter, as it writes, reads and packs them.
for _module in (xlsxwriter.worksheet, xlsxwriter.xmlwriter):
    _module.open = SealedText
xlsxwriter.workbook.ZipFile = SealedZip

# XlsxWriter's own spelling misses the second of `_x0041_x0042_`, and it takes `<r>...</r>` for markup of its own.
Worksheet._escape_control_characters = staticmethod(_spelled)


def _attribute(sheet: Worksheet, value: str | float) -> str | float:
    """An attribute of an element, escaped. A number has nothing to escape, and "A1", the place of a cell, neither."""
    return value if not isinstance(value, str) or value.isalnum() else _escaped(sheet, value)


_escaped, Worksheet._escape_attributes = Worksheet._escape_attributes, _attribute
