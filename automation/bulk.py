"""Many new rows at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice, repeat
from typing import Any, TypeVar

from django.db import connection, models

TOGETHER = 500  #: rows in one statement; SQLite takes 32,766 values in one

Row = TypeVar("Row", bound=models.Model)


def insert(
    model: type[Row], shared: Mapping[str, Any], columns: Mapping[str, Sequence[Any]]
) -> Iterator[Row]:
    """Insert rows: `columns` have a value for each, `shared` is the same in all, the rest is the model's default.

    bulk_create makes and prepares every value of every row, which takes four times as long. The rows are made as they
    are asked for; they share what is shared, so change nothing inside it.
    """
    fields = [one for one in model._meta.local_concrete_fields if not (one.primary_key or one.generated)]
    sample = model(**shared)
    common = {field.attname: field.pre_save(sample, True) for field in fields if field.attname not in columns}
    ready = [
        _prepared(field, columns[field.attname])
        if field.attname in columns
        else repeat(field.get_db_prep_save(common[field.attname], connection))
        for field in fields
    ]
    numbers = _write(model, [field.column for field in fields], zip(*ready, strict=False))
    names = ["id", *(field.attname for field in fields)]
    values = [columns[name] if name in columns else repeat(common[name]) for name in names[1:]]
    rows = zip(numbers, *values, strict=False)
    return (model.from_db(connection.alias, names, row) for row in rows)


def _write(model: type[models.Model], columns: list[str], rows: Any) -> list[int]:
    """Insert the prepared rows; returns their numbers in the same order."""
    quote, found = connection.ops.quote_name, list[int]()
    names = ", ".join(map(quote, columns))
    head = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES "  # noqa: S608 - our own names
    place = f"({', '.join(['%s'] * len(columns))})"
    with connection.cursor() as cursor:
        while part := list(islice(rows, TOGETHER)):
            statement = f"{head}{', '.join([place] * len(part))} RETURNING id"
            cursor.execute(statement, list(chain.from_iterable(part)))
            found += [number for (number,) in cursor.fetchall()]
    return found


def _prepared(field: models.Field[Any, Any], values: Sequence[Any]) -> list[Any]:
    """As the database takes them; equal ones are prepared once, and whole numbers are as they are."""
    others = {value for value in values if type(value) is not int}
    known = {value: field.get_db_prep_save(value, connection) for value in others}
    return [known.get(value, value) for value in values]
