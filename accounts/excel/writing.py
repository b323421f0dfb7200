"""Writes what was planned, in a few statements per 500 rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any

from django.core.management.color import no_style
from django.db import connection
from django.db.models import BigIntegerField, BooleanField, CharField, DateTimeField, Field, ForeignKey, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from accounts.excel.identities import chunks
from accounts.excel.plan import PlannedRow
from accounts.fields import EncryptedField
from accounts.models import Account
from accounts.services import announce_disabled
from devices.models import Device
from devices.services import expect_devices

#: Fields whose values, in the form that the planner leaves them, go to the database unchanged.
AS_IT_IS = (BigIntegerField, BooleanField, CharField, ForeignKey)


def write(
    planned: Sequence[PlannedRow], phones: list[Device], holders: Mapping[tuple[str, str], int], actor: str
) -> None:
    """Write expected devices, new accounts and changed ones. `holders` says which account has a name now."""
    bound = [row.account for row in planned if "device" in row.columns and row.account.device]
    named = {account.device.serial for account in bound if account.device}
    phones[:] = [device for device in phones if device.serial in named]  # none for a row with an error
    expect_devices(phones)
    for account in bound:
        account.device = account.device  # which may have a number only now
    wanted = {(row.account.app, row.account.username.lower()): row.account.pk for row in planned}
    free_names(holders[key] for key, pk in wanted.items() if holders.get(key, pk) != pk)
    _create([row.account for row in planned if row.is_new])
    changed = [row for row in planned if not row.is_new]
    update(changed)
    disabled = [
        row.account.pk for row in changed if "is_enabled" in row.columns and not row.account.is_enabled
    ]
    announce_disabled(disabled, actor)


def _create(new: list[Account]) -> None:
    with_id = [account for account in new if account.pk]
    _insert(with_id, with_id=True)
    if with_id:
        _reset_sequence()
    _insert([account for account in new if not account.pk], with_id=False)


def _insert(accounts: Sequence[Account], with_id: bool) -> None:
    """One statement per 500 rows. Django's bulk_create asks each field about each row, which takes twice as long;
    here only those are asked whose values the database holds in another form.
    """
    now, fields = timezone.now(), Account._meta.local_concrete_fields[0 if with_id else 1 :]
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    row = f"({', '.join(['%s'] * len(fields))})"
    columns = [_column(field) for field in fields]
    for chunk in chunks(accounts):
        for account in chunk:
            account.created_at = account.updated_at = now
        rows = ", ".join([row] * len(chunk))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {Account._meta.db_table} ({names}) VALUES {rows} RETURNING id",  # noqa: S608
                [value(account) for account in chunk for value in columns],
            )
            for account, (account.pk,) in zip(chunk, cursor.fetchall(), strict=True):
                account._state.adding = False


def _column(field: Field[Any, Any]) -> Callable[[Account], Any]:
    """What the database takes for this field of an account."""
    name, of = field.attname, attrgetter(field.attname)
    if isinstance(field, AS_IT_IS):
        return of
    if isinstance(field, EncryptedField):
        return lambda account: (
            account.__dict__[name].sealed
        )  # asked by its name, the row would tie a new one to itself
    prepare: Callable[[Any], Any] = partial(field.get_db_prep_save, connection=connection)
    if isinstance(field, DateTimeField):
        prepare = lru_cache(prepare)  # most are the time of this import, or none
    return lambda account: prepare(of(account))


def update(changed: Sequence[PlannedRow]) -> None:
    """One statement per 500 rows: insert-or-update is many times quicker than a CASE per column.

    The rows must be locked and as the database has them, for all the columns of a chunk are written.
    """
    now = timezone.now()
    for chunk in chunks(changed):
        columns = sorted(set().union(*(row.columns for row in chunk)) | {"updated_at"})
        for row in chunk:
            row.account.updated_at = now
        accounts = [row.account for row in chunk]
        Account.objects.bulk_create(
            accounts, update_conflicts=True, unique_fields=["id"], update_fields=columns
        )


def free_names(moving: Iterable[int]) -> None:
    """Where a name moves from one account to another, the old holder lets go of it first."""
    for chunk in chunks(list(moving)):
        freed = Concat(Value("~"), Cast("pk", CharField()))
        Account.objects.filter(pk__in=chunk).update(username=freed)


def _reset_sequence() -> None:
    """PostgreSQL counts on from its own number: tell it of the ids that were given."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Account]):
            cursor.execute(statement)
