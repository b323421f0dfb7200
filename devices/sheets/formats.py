"""Tables as files, inside django-import-export: what a list shows, as an .xlsx or as a .csv."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from import_export.formats import base_formats
from import_export.resources import ModelResource

from devices.sheets.csv_text import write_csv
from devices.sheets.writer import Layout, write_sheet

WIDTH = 20


class Table:
    """What import-export needs of a tablib dataset, without its copies: rows come one at a time."""

    def __init__(self, headers: Sequence[str], rows: Iterable[Sequence[Any]], name: str = "") -> None:
        self.headers = list(headers)
        self.rows = rows
        self.name = name

    def __iter__(self) -> Iterator[Sequence[Any]]:
        return iter(self.rows)


class TableXLSX(base_formats.XLSX):
    """Text as text, never a formula. The library's own answers need openpyxl, which is not there."""

    def get_title(self) -> str:
        return "xlsx"

    def get_extension(self) -> str:
        return "xlsx"

    def can_export(self) -> bool:
        return True

    def export_data(self, dataset: Table, **_kwargs: Any) -> bytes:
        layout = Layout(widths=[WIDTH] * len(dataset.headers))
        return write_sheet(dataset.name, dataset.headers, dataset, layout)


class TableCSV(base_formats.CSV):
    """UTF-8; what a spreadsheet program could take for a formula has a ' before it."""

    def is_binary(self) -> bool:
        return True

    def export_data(self, dataset: Table, **_kwargs: Any) -> Iterator[bytes]:
        """Piece by piece, so that a long list takes no memory."""
        return write_csv(dataset.headers, dataset)


# The export turns cells into texts unless the exact class stands in this list.
base_formats.BINARY_FORMATS += [TableXLSX, TableCSV]


class TableResource(ModelResource):
    """Exports rows by `columns`: header and what stands under it, in one query."""

    columns: dict[str, Callable[[Any], Any]] = {}
    related: tuple[str, ...] = ()

    def export(self, queryset: QuerySet[Any] | None = None, **_kwargs: Any) -> Table:
        rows = self.get_queryset() if queryset is None else queryset
        return Table(list(self.columns), self._rows(rows), self._meta.model._meta.model_name + "s")

    def _rows(self, rows: QuerySet[Any]) -> Iterator[list[Any]]:
        for row in rows.select_related(*self.related).iterator(chunk_size=2000):
            yield [cell(row) for cell in self.columns.values()]
