"""The formats of accounts.xlsx and accounts.csv as django-import-export and tablib see them."""

from __future__ import annotations

import csv
import difflib
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.formats import base_formats

from accounts.excel.cells import ALIASES, COLUMNS, ERROR_COLUMN
from accounts.excel.guide import GUIDE_SHEET, guide_rows
from accounts.excel.reader import (
    KNOWN_HEADER,
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_ROWS,
    SHEET_NAME,
    Refused,
    Sheet,
    read_sheet,
)
from devices.models import Device
from devices.sheets.csv_text import ROUNDED, read_csv, unmarked, write_csv
from devices.sheets.formats import Table, TableCSV, TableXLSX
from devices.sheets.writer import Layout, write_sheet

REASONS: dict[str, Promise] = {
    "no_xlsx": gettext_lazy(
        "This is no .xlsx file: save the list as an Excel workbook (.xlsx) and choose that file."
    ),
    "no_csv": gettext_lazy("This is no .csv file: save the list as an Excel workbook (.xlsx) instead."),
    "locked": gettext_lazy("This file is protected by a password: save it without one."),
    "unreadable": gettext_lazy(
        "This .xlsx file cannot be read: it is damaged, or it asks for too much memory."
    ),
    "too_big": gettext_lazy("This file is too big: split it into several files."),
    "too_many_rows": gettext_lazy("This sheet has too many rows: split it into several files."),
    "too_many_columns": gettext_lazy("This sheet is too wide: keep the columns of the export only."),
}
WIDTHS = dict(
    zip(COLUMNS, [8, 28, 24, 24, 22, 12, 8, 8, 20, 10, 10, 10, 10, 10, 10, 11, 28, 24], strict=True)
) | {ERROR_COLUMN: 60}
FLAG = (0, 1)
MAX_CHOICES = 10_000


class FileRefused(Exception):
    """A file that cannot be imported at all; the message is one sentence that says why."""


@contextmanager
def refusal_as_sentence() -> Iterator[None]:
    """What the reader refuses by a code becomes FileRefused."""
    try:
        yield
    except Refused as refused:
        raise FileRefused(str(REASONS[refused.args[0]])) from refused


class SheetDataset(Table):
    """A table that may have been read from a file."""

    def __init__(
        self, headers: Sequence[str], rows: Iterable[Sequence[Any]], numbers: Sequence[int] = ()
    ) -> None:
        super().__init__(headers, rows, SHEET_NAME)
        self.numbers = numbers  #: where each row stands in the sheet
        self.warnings: list[str] = []

    def __len__(self) -> int:
        return len(self.numbers)

    def row(self, place: int) -> dict[str, Any]:
        """Of a dataset that was read: its row at this place, from 0, by column."""
        return dict(zip(self.headers, self.rows[place], strict=True))  # type: ignore[index]

    def part(self, places: Sequence[int]) -> SheetDataset:
        """Of a dataset that was read: only the rows at these places."""
        rows = [self.rows[place] for place in places]  # type: ignore[index]
        return SheetDataset(self.headers, rows, [self.numbers[place] for place in places])


class AccountsXLSX(TableXLSX):
    """accounts.xlsx: read in a child process, written with text as text."""

    def can_import(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> SheetDataset:
        """The rows of the file. Raises FileRefused."""
        with refusal_as_sentence():
            sheet = read_sheet(in_stream)
        return _dataset_of(sheet)

    def export_data(self, dataset: Table, **_kwargs: Any) -> bytes:
        return write_sheet(dataset.name, dataset.headers, dataset, _layout(dataset.headers))


class AccountsCSV(TableCSV):
    """accounts.csv: the same rows and rules, as text."""

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **_kwargs: Any) -> SheetDataset:
        """The rows of the file. Raises FileRefused."""
        with refusal_as_sentence():
            sheet = _sheet_of_csv(in_stream)
        return _dataset_of(sheet)

    def export_data(self, dataset: Table, **_kwargs: Any) -> bytes:  # type: ignore[override]
        """As a whole: nothing is sent before all of it could be made."""
        return b"".join(write_csv(dataset.headers, dataset))


# The export turns cells into texts unless the exact class stands in this list.
base_formats.BINARY_FORMATS += [AccountsXLSX, AccountsCSV]


def format_of(data: bytes, name: str = "") -> base_formats.Format:
    """What a file is: by its bytes, and by its name where they say nothing."""
    is_csv = name.casefold().endswith((".csv", ".txt")) and not zipfile.is_zipfile(BytesIO(data))
    return AccountsCSV() if is_csv else AccountsXLSX()


def _layout(headers: Sequence[str]) -> Layout:
    serials = list(Device.objects.order_by("serial").values_list("serial", flat=True)[:MAX_CHOICES])
    return Layout(
        widths=[WIDTHS[name] for name in headers],
        choices={"logined": FLAG, "status": FLAG, "device": serials},
        open_choices=frozenset({"device"}),
        guide=(str(GUIDE_SHEET), [_("Column"), _("Needed"), _("What it holds")], guide_rows(headers)),
    )


def _sheet_of_csv(data: bytes) -> Sheet:
    """The sheet that a CSV file is. Raises Refused, with codes as of an .xlsx."""
    if len(data) > MAX_BYTES:
        raise Refused("too_big")
    if b"\x00" in data[:1000] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused("no_csv")
    rows: list[tuple[int, list[Any]]] = []
    csv.field_size_limit(MAX_BYTES)
    try:
        for number, cells in enumerate(read_csv(data), start=1):
            _check_size(number, cells)
            if any(cell.strip() for cell in cells):
                rows.append((number, [_csv_cell(cell) for cell in cells]))
    except ValueError as error:
        raise Refused("no_csv") from error
    return _even(rows)


def _check_size(number: int, cells: list[str]) -> None:
    if number > MAX_ROWS:
        raise Refused("too_many_rows")
    if len(cells) > MAX_COLUMNS:
        raise Refused("too_many_columns")


def _csv_cell(text: str) -> Any:
    """The text; a number with too many digits is one, so that it is refused where text belongs."""
    text, is_text = unmarked(text)
    if not is_text and ROUNDED.fullmatch(text.strip()):
        return float(text.strip().replace(",", "."))
    return text if text.strip() else ""


def _even(rows: list[tuple[int, list[Any]]]) -> Sheet:
    """All rows as wide as the widest: a CSV may leave out what is empty at the end."""
    width = max((len(cells) for _number, cells in rows), default=0)
    for _number, cells in rows:
        cells.extend([""] * (width - len(cells)))
    headers = rows[0][1] if rows else []
    return Sheet(headers, rows[1:])


def _dataset_of(sheet: Sheet) -> SheetDataset:
    if not sheet.headers:
        return SheetDataset([], [])
    headers = [_header(cell) for cell in sheet.headers]
    if KNOWN_HEADER not in headers:
        raise FileRefused(_no_usernames(sheet, headers))
    for name in COLUMNS:
        if headers.count(name) > 1:
            raise FileRefused(_("The column “%(name)s” stands twice: remove one.") % {"name": name})
    dataset = SheetDataset(
        headers, [row for _number, row in sheet.rows], [number for number, _row in sheet.rows]
    )
    dataset.warnings = _warnings(sheet, headers)
    return dataset


def _header(cell: Any) -> str:
    name = " ".join(str(cell).split()).casefold()
    return ALIASES.get(name, name)


def _no_usernames(sheet: Sheet, headers: list[str]) -> str:
    for cell, name in zip(sheet.headers, headers, strict=True):
        if _meant(name) == KNOWN_HEADER:
            return _("This sheet has no “username” column: is it the one called “%(name)s”? Rename it.") % {
                "name": str(cell)[:40]
            }
    return _("This sheet has no “username” column: its first row must name the columns, as in an export.")


def _meant(name: str) -> str:
    """The known column that a misspelt one is nearest to, empty for none."""
    near = difflib.get_close_matches(name, [*COLUMNS, *ALIASES], n=1, cutoff=0.7)
    return ALIASES.get(near[0], near[0]) if near else ""


def _warnings(sheet: Sheet, headers: list[str]) -> list[str]:
    unknown = [
        (str(cell)[:40], _meant(name))
        for cell, name in zip(sheet.headers, headers, strict=True)
        if name and name not in COLUMNS and name != ERROR_COLUMN.casefold()
    ]
    found = []
    for cell, meant in unknown:
        if meant and meant not in headers:
            found.append(
                _("The column “%(name)s” is not known and was left out: did you mean “%(meant)s”?")
                % {"name": cell, "meant": meant}
            )
    others = ", ".join(cell for cell, meant in unknown if not meant or meant in headers)
    if others:
        found.append(_("Columns that are not known and were left out: %(names)s.") % {"names": others})
    if _has_cells_without_header(sheet, headers):
        found.append(_("A column without a name in the first row was left out."))
    return found


def _has_cells_without_header(sheet: Sheet, headers: list[str]) -> bool:
    nameless = [place for place, name in enumerate(headers) if not name]
    return any(row[place] != "" for place in nameless for _number, row in sheet.rows)
