"""Many rows at once: new ones, and changes of known ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, repeat
from typing import Any, TypeAlias, TypeVar, overload

from django.db import connection, models

TOGETHER = 500  #: rows in one statement; SQLite takes 32,766 values in one

Row = TypeVar("Row", bound=models.Model)
Field: TypeAlias = "models.Field[Any, Any]"


class Inserted(Sequence[Row]):
    """Rows that are in the database. Their numbers are known; they themselves are made when the first is asked for."""

    def __init__(self, numbers: Sequence[int] = (), make: Callable[[], list[Row]] = list) -> None:
        self.numbers, self._make = numbers, make

    @cached_property
    def _rows(self) -> list[Row]:
        return self._make()

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        return self._rows[place]


def insert(
    model: type[Row], shared: Mapping[str, Any], columns: Mapping[str, Sequence[Any]]
) -> Inserted[Row]:
    """Insert rows: `columns` have a value for each, `shared` is the same in all, the rest is the model's default.

    bulk_create makes, prepares and sends every value of every row, which takes four times as long. The rows share
    what is shared, so change nothing inside it.
    """
    fields = [one for one in model._meta.local_concrete_fields if not (one.primary_key or one.generated)]
    sample = model(**shared)
    common = {field: field.pre_save(sample, True) for field in fields if field.attname not in columns}
    each = {field: columns[field.attname] for field in fields if field.attname in columns}
    numbers = _write(model, common, each)

    def make() -> list[Row]:
        names = ["id", *(field.attname for field in fields)]
        values = [each[field] if field in each else repeat(common[field]) for field in fields]
        rows = zip(numbers, *values, strict=False)
        return [model.from_db(connection.alias, names, row) for row in rows]

    return Inserted(numbers, make)


def _write(
    model: type[models.Model], common: Mapping[Field, Any], each: Mapping[Field, Sequence[Any]]
) -> list[int]:
    """Send what is common once a statement; returns the numbers of the rows in their order."""
    quote, found = connection.ops.quote_name, list[int]()
    names = ", ".join(quote(field.column) for field in (*common, *each))
    selected = [_typed(field, "%s") for field in common]
    selected += [f"v.column{place}" for place in range(1, len(each) + 1)]
    head = f"INSERT INTO {quote(model._meta.db_table)} ({names}) SELECT {', '.join(selected)} FROM "  # noqa: S608 - our own names
    first = [field.get_db_prep_save(value, connection) for field, value in common.items()]
    with connection.cursor() as cursor:
        for table, values in _tables(list(each), list(each.values())):
            cursor.execute(f"{head}{table} RETURNING id", [*first, *values])
            found += [number for (number,) in cursor.fetchall()]
    return found


def update(
    model: type[models.Model], known: Mapping[str, Sequence[Any]], new: Mapping[str, Sequence[Any]]
) -> int:
    """Change each row that is still as it is `known`, its id among it; returns how many were.

    bulk_update tells rows apart by their id alone, and writes a CASE for each of them.
    """
    fields: list[Field] = [model._meta.get_field(name) for name in (*known, *new)]  # type: ignore[misc]
    quote, rows = connection.ops.quote_name, connection.ops.quote_name(model._meta.db_table)
    pairs = [(quote(one.column), f"v.column{place}") for place, one in enumerate(fields, start=1)]
    setting = ", ".join(f"{column} = {value}" for column, value in pairs[len(known) :])
    where = " AND ".join(f"{rows}.{column} = {value}" for column, value in pairs[: len(known)])
    changed = 0
    with connection.cursor() as cursor:
        for table, values in _tables(fields, [*known.values(), *new.values()]):
            cursor.execute(f"UPDATE {rows} SET {setting} FROM {table} WHERE {where}", values)  # noqa: S608 - our own names
            changed += cursor.rowcount
    return changed


def _tables(fields: Sequence[Field], columns: Sequence[Sequence[Any]]) -> Iterator[tuple[str, list[Any]]]:
    """The rows, part by part, as a table `v` for FROM and its values."""
    prepared = [_prepared(field, values) for field, values in zip(fields, columns, strict=True)]
    as_table = _as_json if connection.vendor == "postgresql" else _as_values
    for start in range(0, len(prepared[0]), TOGETHER):
        yield as_table(fields, list(zip(*(one[start : start + TOGETHER] for one in prepared), strict=True)))


def _as_values(fields: Sequence[Field], rows: list[tuple[Any, ...]]) -> tuple[str, list[Any]]:
    one_row = f"({', '.join(['%s'] * len(fields))})"
    return f"(VALUES {', '.join([one_row] * len(rows))}) AS v", list(chain.from_iterable(rows))


def _as_json(fields: Sequence[Field], rows: list[tuple[Any, ...]]) -> tuple[str, list[Any]]:
    """One text for PostgreSQL: half the time of an array for each column, most of which was Python's; and the statement
    is the same for any number of rows.
    """
    names = [f"column{place}" for place in range(1, len(fields) + 1)]
    types = ", ".join(
        f"{name} {field.db_type(connection)}" for name, field in zip(names, fields, strict=True)
    )
    text = json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=_plain)
    return f"json_to_recordset(CAST(%s AS json)) AS v({types})", [text]


def _plain(value: Any) -> Any:
    """What psycopg's Jsonb holds; as text what JSON does not know, such as a time."""
    return value.obj if hasattr(value, "obj") else str(value)


def _typed(field: Field, text: str) -> str:
    """PostgreSQL takes a value for text unless it is told otherwise."""
    return f"CAST({text} AS {field.db_type(connection)})" if connection.vendor == "postgresql" else text


def _prepared(field: Field, values: Sequence[Any]) -> list[Any]:
    """As the database takes them; equal ones are prepared once, and whole numbers are as they are."""
    if isinstance(field, models.JSONField):  # its values have no hash
        return [field.get_db_prep_save(value, connection) for value in values]
    others = {value for value in values if type(value) is not int}
    known = {value: field.get_db_prep_save(value, connection) for value in others}
    return [known.get(value, value) for value in values]
