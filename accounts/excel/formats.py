"""The xlsx format as django-import-export and tablib see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.formats import base_formats

from accounts.excel.cells import ALIASES, COLUMNS
from accounts.excel.reader import KNOWN_HEADER, SHEET_NAME, Refused, Sheet, read_sheet
from accounts.excel.writer import Cell, write_sheet

REASONS: dict[str, Promise] = {
    "no_xlsx": gettext_lazy(
        "This is no .xlsx file: save the list as an Excel workbook (.xlsx) and choose that file."
    ),
    "locked": gettext_lazy("This file is protected by a password: save it without one."),
    "unreadable": gettext_lazy(
        "This .xlsx file cannot be read: it is damaged, or it asks for too much memory."
    ),
    "too_big": gettext_lazy("This file is too big: split it into several files."),
    "too_many_rows": gettext_lazy("This sheet has too many rows: split it into several files."),
    "too_many_columns": gettext_lazy("This sheet is too wide: keep the columns of the export only."),
}
WIDTHS = [8, 28, 24, 24, 22, 12, 8, 8, 20, 10, 10, 10, 10, 10, 10, 11, 28, 24]


class FileRefused(Exception):
    """A file that cannot be imported at all; the message is one sentence that says why."""


class SheetDataset:
    """What import-export needs of a tablib dataset, without its copies: exported rows come one at a time."""

    def __init__(
        self, headers: Sequence[str], rows: Iterable[Sequence[Any]], numbers: Sequence[int] = ()
    ) -> None:
        self.headers = list(headers)
        self.rows = rows
        self.numbers = numbers  #: where each row stands in the sheet
        self.warnings: list[str] = []

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Sequence[Any]]:
        return iter(self.rows)


class AccountsXLSX(base_formats.XLSX):
    """accounts.xlsx: read in a child process, written with text as text."""

    def get_title(self) -> str:
        return "xlsx"

    def can_import(self) -> bool:
        return True

    def can_export(self) -> bool:
        return True

    def get_extension(self) -> str:
        return "xlsx"

    def create_dataset(self, in_stream: bytes) -> SheetDataset:
        """The rows of the file. Raises FileRefused."""
        try:
            sheet = read_sheet(in_stream)
        except Refused as refused:
            raise FileRefused(str(REASONS[refused.args[0]])) from refused
        return _dataset_of(sheet)

    def export_data(self, dataset: SheetDataset, **_kwargs: Any) -> bytes:
        rows: Iterable[Sequence[Cell]] = dataset
        widths = [WIDTHS[COLUMNS.index(name)] for name in dataset.headers]
        return write_sheet(SHEET_NAME, dataset.headers, rows, widths)


# The export turns cells into texts unless the exact class stands in this list.
base_formats.BINARY_FORMATS.append(AccountsXLSX)


def _dataset_of(sheet: Sheet) -> SheetDataset:
    if not sheet.headers:
        return SheetDataset([], [])
    headers = [_header(cell) for cell in sheet.headers]
    if KNOWN_HEADER not in headers:
        raise FileRefused(
            _("This sheet has no “username” column: its first row must name the columns, as in an export.")
        )
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


def _warnings(sheet: Sheet, headers: list[str]) -> list[str]:
    unknown = [
        str(cell) for cell, name in zip(sheet.headers, headers, strict=True) if name and name not in COLUMNS
    ]
    found = []
    if unknown:
        names = ", ".join(name[:40] for name in unknown)
        found.append(_("Columns that are not known and were left out: %(names)s.") % {"names": names})
    if _has_cells_without_header(sheet, headers):
        found.append(_("A column without a name in the first row was left out."))
    return found


def _has_cells_without_header(sheet: Sheet, headers: list[str]) -> bool:
    nameless = [place for place, name in enumerate(headers) if not name]
    return any(row[place] != "" for place in nameless for _number, row in sheet.rows)
