"""What is kept of an import: the rows that it would change, those that are wrong, and how to take it back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.db.models import Sum

from accounts.excel.cells import COLUMNS, ERROR_COLUMN, NUMBERS
from accounts.excel.formats import AccountsXLSX, SheetDataset
from accounts.excel.models import ImportJob, ImportPart, PartKind
from accounts.excel.plan import PlannedRow
from accounts.excel.preview import CellChange, RowChange, RowError
from accounts.excel.reader import Doubt, ErrorCell, Moment
from accounts.keyring import Unreadable
from accounts.models import Account
from devices.sheets.writer import Cell, Spoilt

SECRETS = ("password", "totp_secret")
#: What says nothing about who touched a row.
NOT_COMPARED = ("id", "vault_id", "created_at", "updated_at")


# What rows would do


def keep_checked(job: ImportJob, rows: list[PlannedRow]) -> None:
    """Keep, sealed, what these rows would change and what is wrong with them."""
    changes = [asdict(row.change()) for row in rows if row.columns and not row.is_wrong]
    wrong = [row for row in rows if row.is_wrong]
    errors = [asdict(error) for row in wrong for error in row.errors]
    if not changes and not wrong:
        return
    part = ImportPart(job=job, kind=PartKind.CHECKED, changes=len(changes), errors=len(errors))
    part.put({"changes": changes, "errors": errors, "bad": [_bad(row) for row in wrong]})
    part.save()


def _bad(row: PlannedRow) -> list[Any]:
    cells = {column: _kept(column, cell) for column, cell in row.cells.items() if column in COLUMNS}
    return [row.row, cells, [f"{error.column}: {error.message}" for error in row.errors]]


def _kept(column: str, cell: Any) -> Any:
    if isinstance(cell, Doubt):
        return int(cell.text) if cell.text and column in NUMBERS else {"error": ""}
    if isinstance(cell, Moment):
        return {"moment": cell.text}
    return {"error": cell.text} if isinstance(cell, ErrorCell) else cell


def bad_rows(job: ImportJob) -> set[int]:
    """The sheet rows that are wrong."""
    return {row[0] for content in _contents(job) for row in content["bad"]}


def _contents(job: ImportJob) -> Iterator[dict[str, Any]]:
    for part in job.parts.filter(kind=PartKind.CHECKED).iterator(chunk_size=20):
        yield part.content()


def change_count(job: ImportJob) -> int:
    return _count(job, "changes")


def error_count(job: ImportJob) -> int:
    return _count(job, "errors")


def _count(job: ImportJob, what: str) -> int:
    found: int | None = job.parts.filter(kind=PartKind.CHECKED).aggregate(sum=Sum(what))["sum"]
    return found or 0


def changes(job: ImportJob, start: int, count: int) -> list[RowChange]:
    """A page of the rows that would be, or were, changed."""
    return [
        RowChange(**{**row, "cells": [CellChange(**cell) for cell in row["cells"]]})
        for row in _page(job, "changes", start, count)
    ]


def errors(job: ImportJob, start: int, count: int) -> list[RowError]:
    """A page of what is wrong."""
    return [RowError(**error) for error in _page(job, "errors", start, count)]


def _page(job: ImportJob, what: str, start: int, count: int) -> list[dict[str, Any]]:
    """Opens only the parts that the page is in."""
    found: list[dict[str, Any]] = []
    passed = 0
    for pk, held in job.parts.filter(kind=PartKind.CHECKED).values_list("pk", what):
        if passed + held > start and len(found) < count:
            content = ImportPart.objects.get(pk=pk).content()[what]
            first = max(start - passed, 0)
            found += content[first : first + count - len(found)]
        passed += held
    return found


def bad_rows_file(job: ImportJob, with_passwords: bool) -> bytes:
    """The rows that were not imported, as an xlsx with a column that says why; it imports again once mended."""
    bad = [row for content in _contents(job) for row in content["bad"]]
    held = {column for _row, cells, _errors in bad for column in cells}
    columns = [name for name in COLUMNS if name in held and (with_passwords or name != "pwd")]
    rows = ([*(_cell(cells.get(name)) for name in columns), "\n".join(said)] for _row, cells, said in bad)
    return AccountsXLSX().export_data(SheetDataset([*columns, ERROR_COLUMN], rows))


def _cell(kept: Any) -> Cell:
    """A spoilt cell is spoilt again, so that a row that nobody mended stays an error."""
    if not isinstance(kept, dict):
        return kept  # type: ignore[no-any-return]
    try:
        return datetime.fromisoformat(kept["moment"])
    except (KeyError, ValueError):
        return Spoilt(kept.get("error") or "#N/A")


# What rows did


def keep_written(job: ImportJob, rows: Iterable[PlannedRow], expected: list[str]) -> None:
    """Keep, sealed, what these rows changed: in the transaction that changes it."""
    kept = [_record(row) for row in rows]
    if kept or expected:
        part = ImportPart(job=job, kind=PartKind.WRITTEN, changes=len(kept))
        part.put({"rows": kept, "expected": expected})
        part.save()


def written_accounts(job: ImportJob) -> list[int]:
    """The ids of the accounts that it made or changed; a part whose key is gone tells none."""
    ids: list[int] = []
    for part in job.parts.filter(kind=PartKind.WRITTEN).iterator(chunk_size=20):
        with suppress(Unreadable):
            ids += [row["pk"] for row in part.content()["rows"]]
    return ids


def _record(row: PlannedRow) -> dict[str, Any]:
    names = compared_columns() if row.is_new else sorted(row.columns)
    return {
        "row": row.row,
        "pk": row.account.pk,
        "name": row.account.username,
        "new": row.is_new,
        "old": {name: plain(name, value) for name, value in row.old.items()} if not row.is_new else {},
        "now": {name: value_of(row.account, name) for name in names},
    }


def compared_columns() -> list[str]:
    return [field.name for field in Account._meta.concrete_fields if field.name not in NOT_COMPARED]


def value_of(account: Account, name: str) -> Any:
    """The value of a column as it is kept."""
    return plain(name, account.device_id if name == "device" else getattr(account, name))


def plain(name: str, value: Any) -> Any:
    if name in SECRETS:
        return value.sealed
    return value.isoformat() if isinstance(value, date) else value
