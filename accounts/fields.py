"""Fields of accounts: secrets sealed at rest, usernames and tags in one form."""

from __future__ import annotations

import hmac
from typing import Any, cast
from uuid import UUID

from django.core.exceptions import FieldError
from django.db import models
from django.db.models import lookups

from accounts.keyring import key_ring
from accounts.text import normal_tags, normal_username

MASK = "•••"


class Secret:
    """A sealed text. It shows itself only when asked to."""

    __slots__ = ("_bound_to", "_sealed")

    def __init__(self, sealed: str, bound_to: str = "") -> None:
        self._sealed = sealed
        self._bound_to = bound_to

    @classmethod
    def seal(cls, plain: str, bound_to: str) -> Secret:
        return cls(key_ring().seal_text(plain, bound_to) if plain else "", bound_to)

    def reveal(self) -> str:
        """The plain text. Raises Unreadable when the value is not of this row, column and key ring."""
        return key_ring().open_text(self._sealed, self._bound_to) if self._sealed else ""

    def matches(self, plain: str) -> bool:
        return hmac.compare_digest(self.reveal().encode(), plain.encode())

    @property
    def sealed(self) -> str:
        """What the database holds."""
        return self._sealed

    def __bool__(self) -> bool:
        return bool(self._sealed)

    def __str__(self) -> str:
        return MASK if self._sealed else ""

    def __repr__(self) -> str:
        return f"Secret({str(self)!r})"


class _SealedAttribute:
    """Seals what is put on a row, and ties what comes from the database to that row."""

    def __init__(self, field: EncryptedField) -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type) -> Any:
        if instance is None:
            return self
        if self.field.attname not in instance.__dict__:
            instance.refresh_from_db(fields=[self.field.attname])
        secret = cast(Secret, instance.__dict__[self.field.attname])
        return Secret(secret.sealed, self.field.bound_to(instance)) if secret else secret

    def __set__(self, instance: models.Model, value: Any) -> None:
        if isinstance(value, str):
            value = Secret.seal(value, self.field.bound_to(instance))
        if not isinstance(value, Secret):
            raise TypeError(f"{self.field.name} takes a text or a Secret")
        instance.__dict__[self.field.attname] = value


class EncryptedField(models.TextField):  # type: ignore[type-arg]
    """A text sealed for its table, column and row (the row's `vault_id`, declared before it)."""

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _SealedAttribute(self))

    def bound_to(self, instance: models.Model) -> str:
        return self.place(instance.vault_id)  # type: ignore[attr-defined]

    def place(self, vault_id: UUID) -> str:
        """Table, column and row, as they go into the seal."""
        return f"{self.model._meta.db_table}.{self.column}:{vault_id.hex}"

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> Secret:
        return Secret(value or "")

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str:
        if isinstance(value, Secret):
            return value.sealed
        if value == "":
            return ""
        raise TypeError(f"{self.name} is sealed for its row: put it on the row, not in a query")

    def get_lookup(self, lookup_name: str) -> Any:
        allowed = {"exact": _IsEmpty, "isnull": lookups.IsNull}
        if lookup_name not in allowed:
            raise FieldError(f"{self.name} is a secret: it cannot be searched")
        return allowed[lookup_name]

    def get_transform(self, lookup_name: str) -> Any:
        raise FieldError(f"{self.name} is a secret: it cannot be searched")

    def formfield(self, **_kwargs: Any) -> None:  # type: ignore[override]
        """None: a form shows no secret; it brings write-only fields of its own."""

    def value_to_string(self, obj: models.Model) -> str:
        raise FieldError(
            f"{self.name} is a secret: dumpdata leaves it out; back up the database or export accounts"
        )


class _IsEmpty(lookups.Exact):  # type: ignore[type-arg]
    """`field=""` only."""

    def get_prep_lookup(self) -> Any:
        if self.rhs != "":
            raise FieldError("a secret can only be compared with an empty text")
        return ""


class UsernameField(models.CharField):  # type: ignore[type-arg]
    """A username, stored and looked up without spaces around it and without the leading @."""

    def to_python(self, value: Any) -> Any:
        return normal_username(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(super().get_prep_value(value))


class TagsField(models.CharField):  # type: ignore[type-arg]
    """Tags as one text: "warm, nl"."""

    def to_python(self, value: Any) -> Any:
        return normal_tags(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(super().get_prep_value(value))
