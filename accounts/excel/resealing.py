"""Seals anew what imports keep for their undo: their parts, and the secrets of accounts within these."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from django.db import transaction

from accounts.excel.models import ImportPart
from accounts.excel.records import SECRETS
from accounts.fields import EncryptedField
from accounts.keyring import Unreadable, key_id_of, key_ring
from accounts.models import Account
from accounts.rotation import Part, Tally

NAME = "accounts.ImportPart.sealed"


class Inner(NamedTuple):
    """A secret within a part: the cells and the column that it stands in, its place in the seal, and itself."""

    cells: dict[str, Any]
    name: str
    place: str
    plain: str

    @property
    def key(self) -> str:
        return key_id_of(self.cells[self.name])


def count() -> int:
    """How many parts there are."""
    return ImportPart.objects.count()


def rotate() -> Iterator[Part]:
    """Seal all with the newest key: one transaction a part, so that it may be broken off at any moment."""
    for pk in _ids():
        yield _rotate(pk)


def tally() -> Tally:
    """Open all parts, and count the keys of them and of what is sealed in them."""
    found = Tally(NAME)
    for part in ImportPart.objects.order_by("pk").iterator(chunk_size=20):
        found.keys[_key_of(part)] += 1
        try:
            found.keys.update(inner.key for inner in _inner(part.content()))
        except Unreadable:
            found.unreadable.append(part.pk)
    return found


def _ids() -> list[int]:
    return list(ImportPart.objects.order_by("pk").values_list("pk", flat=True))


def _key_of(part: ImportPart) -> str:
    return bytes(part.sealed).partition(b":")[0].decode(errors="replace")


@transaction.atomic
def _rotate(pk: int) -> Part:
    part = ImportPart.objects.select_for_update().filter(pk=pk).first()
    if part is None:  # undone or forgotten meanwhile
        return Part(seen=1)
    try:
        content = part.content()
    except Unreadable:
        return Part(seen=1, unreadable=[pk])
    old = [inner for inner in _inner(content) if inner.key != key_ring().newest]
    if not old and _key_of(part) == key_ring().newest:
        return Part(seen=1)
    for inner in old:
        inner.cells[inner.name] = key_ring().seal_text(inner.plain, inner.place)
    part.put(content)
    part.save(update_fields=["sealed"])
    return Part(seen=1, changed=1)


def _inner(content: dict[str, Any]) -> Iterator[Inner]:
    """The secrets in a part. One that does not open, or whose account is gone, is of no use to the undo."""
    rows = content.get("rows", [])
    vaults = dict(Account.objects.filter(pk__in=[row["pk"] for row in rows]).values_list("pk", "vault_id"))
    for row in rows:
        for cells in (row["old"], row["now"]):
            for name in SECRETS:
                if cells.get(name) and row["pk"] in vaults:
                    place = cast(EncryptedField, Account._meta.get_field(name)).place(vaults[row["pk"]])
                    try:
                        yield Inner(cells, name, place, key_ring().open_text(cells[name], place))
                    except Unreadable:
                        continue
