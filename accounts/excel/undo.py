"""Takes back what an import wrote, cell by cell, and leaves what somebody changed since."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from django.db.models import Field
from django.utils.translation import gettext as _

from accounts.excel.identities import holders_of
from accounts.excel.plan import PlannedRow
from accounts.excel.records import SECRETS, value_of
from accounts.excel.writing import free_names, update
from accounts.fields import EncryptedField, Secret
from accounts.keyring import Unreadable
from accounts.models import Account
from accounts.services import announce_disabled
from devices.models import Device
from devices.services import forget_expected


@dataclass
class TakenBack:
    """How many rows are as before, and those of which something was left, in words."""

    rows: int = 0
    left: list[str] = field(default_factory=list)

    def leave(self, record: dict[str, Any], why: str) -> None:
        facts = {"row": record["row"], "name": record["name"], "why": why}
        self.left.append(_("Row %(row)s, @%(name)s: %(why)s") % facts)


def take_back(content: dict[str, Any], actor: str) -> TakenBack:
    """Take back one part of an import; within the caller's transaction."""
    done = TakenBack()
    ids = [record["pk"] for record in content["rows"]]
    accounts = {row.pk: row for row in Account.objects.locked().filter(pk__in=ids)}
    _remove_new(content["rows"], accounts, done)
    rows = [row for record in content["rows"] if (row := _as_before(record, accounts, done))]
    _write(rows, done)
    announce_disabled(
        [row.account.pk for row in rows if "is_enabled" in row.columns and not row.account.is_enabled], actor
    )
    in_use = set(Account.objects.filter(device__serial__in=content["expected"]).values_list("device__serial"))
    forget_expected([serial for serial in content["expected"] if (serial,) not in in_use])
    return done


def _remove_new(records: list[dict[str, Any]], accounts: dict[int, Account], done: TakenBack) -> None:
    """Remove the accounts that the import made and nobody touched since."""
    made = [record for record in records if record["new"] and record["pk"] in accounts]
    touched = [record for record in made if _changed_since(record, accounts[record["pk"]])]
    for record in touched:
        done.leave(record, _("was made by this import and changed since; it stays"))
    gone = {record["pk"] for record in made} - {record["pk"] for record in touched}
    Account.objects.filter(pk__in=gone).delete()
    done.rows += len(gone)


def _changed_since(record: dict[str, Any], account: Account) -> list[str]:
    """The columns that no longer hold what the import wrote."""
    return [name for name, wrote in record["now"].items() if not _holds(account, name, wrote)]


def _holds(account: Account, name: str, wrote: Any) -> bool:
    value = value_of(account, name)
    if value == wrote or name not in SECRETS:
        return bool(value == wrote)
    try:  # sealed anew with another key it is still the same
        return bool(value and wrote) and _secret(account, name, value).matches(
            _secret(account, name, wrote).reveal()
        )
    except Unreadable:
        return False


def _secret(account: Account, name: str, sealed: str) -> Secret:
    return Secret(sealed, cast(EncryptedField, Account._meta.get_field(name)).bound_to(account))


def _as_before(record: dict[str, Any], accounts: dict[int, Account], done: TakenBack) -> PlannedRow | None:
    """The account with its old values where it still has the import's."""
    if record["new"]:
        return None
    account = accounts.get(record["pk"])
    if account is None:
        done.leave(record, _("was deleted since"))
        return None
    since = _changed_since(record, account)
    row = PlannedRow(record["row"], account, is_new=False)
    for name, old in record["old"].items():
        if name not in since:
            _put(account, name, old)
            row.columns.add(name)
    if since:
        done.leave(record, _("changed since, left as it is: %(columns)s") % {"columns": ", ".join(since)})
    return row if row.columns else None


def _put(account: Account, name: str, old: Any) -> None:
    if name in SECRETS:
        setattr(account, name, Secret(old))
    elif name == "device":
        account.device_id = old
    else:
        setattr(account, name, cast("Field[Any, Any]", Account._meta.get_field(name)).to_python(old))


def _write(rows: list[PlannedRow], done: TakenBack) -> None:
    """Write them; a name that somebody else has by now is not taken from him."""
    moving = {row.account.pk: row for row in rows if "username" in row.columns}
    holders = holders_of([row.account.username for row in moving.values()])
    while taken := [row for row in moving.values() if _holder(row.account, holders) not in moving]:
        for row in taken:
            account = moving.pop(row.account.pk).account
            done.leave({"row": row.row, "name": account.username}, _("this name is taken by now"))
            row.columns.discard("username")
            account.username = Account.objects.values_list("username", flat=True).get(pk=account.pk)
    free_names(moving)
    update(_with_living_devices([row for row in rows if row.columns]))
    done.rows += sum(bool(row.columns) for row in rows)


def _holder(account: Account, holders: dict[tuple[str, str], int]) -> int:
    return holders.get((account.app, account.username.lower()), account.pk)


def _with_living_devices(rows: list[PlannedRow]) -> list[PlannedRow]:
    """A device that was deleted since is no device."""
    wanted = {row.account.device_id for row in rows} - {None}
    living = set(Device.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    for row in rows:
        if row.account.device_id not in living:
            row.account.device_id = None
    return rows
