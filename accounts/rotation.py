"""Seals every secret anew with the newest key, in parts that may be broken off at any moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction

from accounts.fields import EncryptedField, Secret
from accounts.keyring import Unreadable, key_id_of, key_ring

TOGETHER = 500  #: values written in one transaction, so that other writers come in between

Row = tuple[int, UUID, Secret]


@dataclass
class Part:
    """What became of some values of one column."""

    seen: int = 0
    changed: int = 0
    unreadable: list[int] = field(default_factory=list)  #: ids of rows whose value no key opens


@dataclass
class Tally:
    """How many values of one kind are under which key, and which of their rows do not open."""

    name: str
    keys: Counter[str] = field(default_factory=Counter)
    unreadable: list[int] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether the newest key alone is enough for these."""
        return not self.unreadable and set(self.keys) <= {key_ring().newest}


def sealed_columns() -> list[EncryptedField]:
    """Every encrypted field of every model: none can be forgotten in a list kept by hand."""
    fields = (one for model in apps.get_models() for one in model._meta.local_concrete_fields)
    return [one for one in fields if isinstance(one, EncryptedField)]


def count(column: EncryptedField) -> int:
    """How many values there are."""
    return column.model._base_manager.exclude(**{column.name: ""}).count()


def rotate(column: EncryptedField) -> Iterator[Part]:
    """Seal the values of a column with the newest key; what is under it already stays as it is."""
    for rows in _parts(column):
        yield _rotate(column, rows)


def tally(column: EncryptedField) -> Tally:
    """Open and count all values of a column."""
    found = Tally(f"{column.model._meta.label}.{column.name}")
    for rows in _parts(column):
        found.keys.update(key_id_of(secret.sealed) for _pk, _vault, secret in rows)
        found.unreadable += [pk for pk, vault, secret in rows if _opened(column, vault, secret) is None]
    return found


def _parts(column: EncryptedField) -> Iterator[list[Row]]:
    rows, last = column.model._base_manager.exclude(**{column.name: ""}).order_by("pk"), 0
    while part := list(rows.filter(pk__gt=last).values_list("pk", "vault_id", column.name)[:TOGETHER]):
        yield part
        last = part[-1][0]


def _rotate(column: EncryptedField, rows: list[Row]) -> Part:
    part, new = Part(seen=len(rows)), []
    for pk, vault, secret in rows:
        plain = None if key_ring().is_newest(secret.sealed) else _opened(column, vault, secret)
        if plain is not None:
            new.append((key_ring().seal_text(plain, column.place(vault)), pk, secret.sealed))
        elif not key_ring().is_newest(secret.sealed):
            part.unreadable.append(pk)
    part.changed = _write(column, new) if new else 0
    return part


def _opened(column: EncryptedField, vault: UUID, secret: Secret) -> str | None:
    try:
        return Secret(secret.sealed, column.place(vault)).reveal()
    except Unreadable:
        return None


def _write(column: EncryptedField, new: list[tuple[str, int, str]]) -> int:
    """Only where the value is still the one that was read: a password typed meanwhile is never undone."""
    table, name = map(connection.ops.quote_name, (column.model._meta.db_table, column.column))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {name} = %s WHERE id = %s AND {name} = %s", new)  # noqa: S608 - our own names
        return int(cursor.rowcount)
