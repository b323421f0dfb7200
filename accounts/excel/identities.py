"""Which account each row means. Known before the rows are read one by one: a name may move between two rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from django.utils.translation import gettext as _

from accounts.choices import App, app_of_package
from accounts.excel.cells import Reader, lenient
from accounts.models import Account

CHUNK = 500
T = TypeVar("T")


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


class Known(NamedTuple):
    """What tells an account that is in the list from the others."""

    pk: int
    app: str
    username: str


@dataclass(slots=True)
class Identity:
    """What a row says about which account it is. `account` is None for one to be made."""

    row: int
    row_id: int | None
    username: str
    app: str
    says_app: bool
    account: Known | None = None
    kept_id: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What is unique in the list."""
        return self.app, self.username.lower()


class Identities:
    """The identities of all rows, and the questions that need all of them.

    `first_apps` are the apps of which the list had no account when the import began; None: that is now.
    """

    def __init__(
        self,
        chosen: str,
        rows: Iterable[tuple[int, dict[str, Any]]],
        lock: bool,
        read: Mapping[str, Reader],
        first_apps: set[str] | None = None,
    ) -> None:
        self.chosen, self.read = chosen, read
        self.has_app_column = False
        self.of_row = {number: self._read(number, row) for number, row in rows}
        wanted = sorted({identity.row_id for identity in self.of_row.values() if identity.row_id})
        self.accounts = _accounts(wanted, lock)
        self.holders = holders_of(sorted({i.username.lower() for i in self.of_row.values() if i.username}))
        self.accounts |= _accounts(self._of_other_list(), lock)
        self.empty_apps = apps_without_accounts() if first_apps is None else first_apps
        self.kept_ids: set[int] = set()
        self.found_by_name = 0
        for identity in self.of_row.values():
            self._settle(identity)
        self.rows_of_id = _grouped((i.row_id, i.row) for i in self.of_row.values() if i.row_id)
        self.rows_of_key = _grouped((i.key, i.row) for i in self.of_row.values() if i.username)
        self.rows_of_account = _grouped((i.account.pk, i.row) for i in self.of_row.values() if i.account)
        self.new_keys = {i.account.pk: i.key for i in self.of_row.values() if i.account}

    def _read(self, number: int, row: dict[str, Any]) -> Identity:
        self.has_app_column = self.has_app_column or "app" in row
        row_id, username, said, package = (
            lenient(self.read[name], row.get(name)) for name in ("id", "username", "app", "packagename")
        )
        app = said or self.chosen or app_of_package(package or "")
        return Identity(number, row_id, username or "", app, bool(said))

    def _of_other_list(self) -> list[int]:
        """The accounts that rows of the vendor's list mean by name: their ids count another app's accounts."""
        rows = [identity for identity in self.of_row.values() if self._id_is_of_other_list(identity)]
        return sorted({self.holders[identity.key] for identity in rows})

    def _id_is_of_other_list(self, identity: Identity) -> bool:
        account = self.accounts.get(identity.row_id or 0)
        if account is None or self.has_app_column or not identity.app:
            return False
        return account.app != identity.app and identity.key in self.holders

    def _settle(self, identity: Identity) -> None:
        """Find the row's account, or let the id of the file stand for the first accounts of an app.

        A file of the vendor counts its ids per app: one that names no app and whose id is an account of the other
        app means a new account, or the one of that name. A row that names its app means the account with that id.
        A row of which nothing tells the app means that account only when it has its name too.
        """
        account = self.accounts.get(identity.row_id or 0)
        is_first = identity.app in self.empty_apps
        if is_first and account is None and identity.row_id:
            identity.kept_id = identity.row_id
            self.kept_ids.add(identity.row_id)
        elif self._id_is_of_other_list(identity):
            identity.account = self.accounts.get(self.holders[identity.key])
            self.found_by_name += 1
        elif not identity.app:
            if account and account.username.lower() == identity.username.lower():
                identity.account, identity.app = account, account.app
        elif not is_first or identity.says_app:
            identity.account = account

    def ignores_id(self, identity: Identity) -> bool:
        """A first import of this app: an id that another account has says nothing."""
        return identity.app in self.empty_apps and identity.account is None and not identity.kept_id

    def waits_for(self) -> dict[int, int]:
        """Rows that take the name of an account which gets another one in this file, and the row of that account."""
        found = {}
        for identity in self.of_row.values():
            holder = self.holders.get(identity.key)
            if holder is None or (identity.account and identity.account.pk == holder):
                continue
            if self.new_keys.get(holder, identity.key) != identity.key:
                found[identity.row] = self.rows_of_account[holder][0]
        return found

    def clash(self, identity: Identity) -> str:
        """Why the username cannot be this row's; empty when it can."""
        others = [row for row in self.rows_of_key[identity.key] if row != identity.row]
        if others:
            return _("%(username)s also stands in row %(row)s: remove one of the two rows.") % {
                "username": identity.username,
                "row": others[0],
            }
        holder = self.holders.get(identity.key)
        if holder is None or (identity.account and identity.account.pk == holder):
            return ""
        if self.new_keys.get(holder, identity.key) != identity.key:
            return ""  # its account gets another name in this file
        return _(
            "%(username)s is already the account with id %(id)s: put that id into the row to change it."
        ) % {
            "username": identity.username,
            "id": holder,
        }


def _accounts(ids: list[int], lock: bool) -> dict[int, Known]:
    rows = Account.objects.locked() if lock else Account.objects.all()
    columns = rows.values_list("pk", "app", "username")
    return {row[0]: Known(*row) for chunk in chunks(ids) for row in columns.filter(pk__in=chunk)}


def apps_without_accounts() -> set[str]:
    return {app for app in App.values if not Account.objects.of_app(app).exists()}


def holders_of(names: list[str]) -> dict[tuple[str, str], int]:
    """Which account has a name now."""
    rows = (
        row
        for chunk in chunks(names)
        for row in Account.objects.named_any(chunk).values_list("app", "username", "pk")
    )
    return {(app, username.lower()): pk for app, username, pk in rows}


def _grouped(pairs: Iterable[tuple[Any, int]]) -> dict[Any, list[int]]:
    groups: dict[Any, list[int]] = defaultdict(list)
    for key, row in pairs:
        groups[key].append(row)
    return groups
