"""What one row does to the list. Nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID, uuid4

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.choices import App, app_of_package
from accounts.excel.cells import ATTRIBUTES, COLUMNS, CellError, lenient, readers, shown
from accounts.excel.identities import CHUNK, Identities, Identity
from accounts.excel.phones import Phones
from accounts.excel.preview import CellChange, Preview, RowChange, RowError
from accounts.fields import Secret
from accounts.models import Account
from accounts.services import put_credentials, split_password
from devices.models import Device

#: The columns that say which account a row means.
IDENTITY = ("id", "username", "app")
FLAGS = ("logined", "status")
#: What a page calls the two secrets of a `pwd` cell.
SECRET_NAMES = {"password": "pwd", "totp_secret": gettext_lazy("2FA secret")}
#: What a `pwd` cell can change.
CREDENTIALS = (
    "password", "totp_secret", "attention", "attention_since", "password_refused", "password_changed_at",
)  # fmt: skip


class Rows(Protocol):
    """The rows of a file, each with its number in the sheet."""

    headers: list[str]
    numbers: Sequence[int]

    def row(self, place: int) -> dict[str, Any]: ...


@dataclass(slots=True)
class PlannedRow:
    """An account as the row wants it, not yet written."""

    row: int
    account: Account
    is_new: bool
    columns: set[str] = field(default_factory=set)
    old: dict[str, Any] = field(default_factory=dict)  #: what the changed attributes were
    changes: list[tuple[str, Any, Any]] = field(default_factory=list)  #: column, old value, new value
    secrets: dict[str, tuple[bool, bool]] = field(default_factory=dict)  #: whether one was set, and is
    cells: Mapping[str, Any] = field(default_factory=dict)  #: as they stand in the file, while that matters
    errors: list[RowError] = field(default_factory=list)
    is_refused: bool = False  #: wrong, and what is wrong stands at another row

    @property
    def is_wrong(self) -> bool:
        return self.is_refused or bool(self.errors)

    def wrong(self, column: str, message: str) -> None:
        self.errors.append(RowError(self.row, column, message, shown(column, self.cells.get(column))))

    def change(self) -> RowChange:
        """What a page shows of it."""
        cells = [
            CellChange(column, "" if self.is_new else in_sheet(column, old), in_sheet(column, new))
            for column, old, new in self.changes
        ]
        words = {name: _word(*was_and_is, name in self.columns) for name, was_and_is in self.secrets.items()}
        cells += [CellChange(str(SECRET_NAMES[name]), "", word) for name, word in words.items() if word]
        return RowChange(self.row, self.is_new, self.account.username, self.account.app, cells)


class Planner:
    """Plans the rows of one file, one after the other.

    Without `expect_phones` a device that is not known is an error.
    """

    def __init__(
        self,
        chosen: str,
        preview: Preview,
        expect_phones: bool = True,
        first_apps: set[str] | None = None,
    ) -> None:
        self.chosen = chosen
        self.preview = preview
        self.expect_phones = expect_phones
        self.first_apps = first_apps
        self.has_asked_for_app = False

    def prepare(self, rows: Rows, lock: bool) -> None:
        """Ask the database which accounts the rows mean; the rest is asked per 500 rows, when they are planned.

        Without `lock` nothing will be written: a secret of a new account is looked at, and not sealed.
        """
        self.rows, self.seals = rows, lock
        self.read = readers()
        self.columns = [column for column in COLUMNS if column in rows.headers]
        self.places = {number: place for place, number in enumerate(rows.numbers)}
        numbered = ((number, rows.row(place)) for number, place in self.places.items())
        self.identities = Identities(self.chosen, numbered, lock, self.read, self.first_apps)
        self.phones = Phones()
        self.accounts: dict[int, Account] = {}
        self.fetched: set[int] = set()
        self._warn_of_ids()
        self.moves = self._plan_moves()

    def _warn_of_ids(self) -> None:
        if self.identities.kept_ids:
            self.preview.warn(
                _(
                    "The list has no account of this app yet, so the ids of the file are kept where they are free."
                )
            )
        if self.identities.found_by_name:
            self.preview.warn(_("Ids of this file belong to another list: rows were found by username."))

    def _plan_moves(self) -> dict[int, PlannedRow]:
        """Rows between which a name moves stand or fall together, so they are planned before the others."""
        waits_for = self.identities.waits_for()
        numbers = sorted({*waits_for, *waits_for.values()})
        self.together = set(numbers)
        moves = {}
        for start in range(0, len(numbers), CHUNK):
            self._fetch(numbers[start : start + CHUNK])
            for number in numbers[start : start + CHUNK]:
                moves[number] = self._plan(number, self.rows.row(self.places[number]))
        falls = True
        while falls:
            falls = False
            for number, other in waits_for.items():
                if moves[other].is_wrong and not moves[number].is_wrong:
                    sentence = _("Row %(row)s, whose account has this name now, has an error: mend that row.")
                    moves[number].wrong("username", sentence % {"row": other})
                    falls = True
        return moves

    def _fetch(self, numbers: Sequence[int]) -> None:
        """Ask for the accounts and the devices of these rows: two queries."""
        ids = [account.pk for number in numbers if (account := self.identities.of_row[number].account)]
        self.accounts = {account.pk: account for account in Account.objects.filter(pk__in=ids)}
        rows = [self.rows.row(self.places[number]) for number in numbers]
        names, labels = (
            {lenient(self.read[name], row.get(name)) for row in rows} - {"", None}
            for name in ("device", "device_index")
        )
        bound = {account.device_id for account in self.accounts.values() if account.device_id}
        self.phones.learn(names, labels, bound)
        self.fetched = set(numbers)

    def plan(self, number: int, row: dict[str, Any]) -> PlannedRow:
        if number in self.moves:
            return self.moves.pop(number)
        if number not in self.fetched:
            place = self.places[number]
            self._fetch(self.rows.numbers[place : place + CHUNK])
        return self._plan(number, row)

    def _plan(self, number: int, row: dict[str, Any]) -> PlannedRow:
        identity = self.identities.of_row[number]
        account = self._account(identity)
        if account is None:
            gone = PlannedRow(number, Account(username=identity.username, app=identity.app), False, cells=row)
            gone.wrong("id", _("This account was deleted meanwhile: empty the id cell to create it."))
            return gone
        planned = PlannedRow(number, account, is_new=identity.account is None, cells=row)
        values = self._values(row, planned)
        self._check_identity(identity, planned)
        if not planned.is_wrong:
            self._warn(identity, values, number)
            self._put_device(values, planned)
        if not planned.is_wrong:
            self._put_values(values, planned)
            if "pwd" in values:
                self._put_password(values["pwd"], planned)
            planned.cells = {}
        planned.errors.sort(key=lambda error: COLUMNS.index(error.column))
        return planned

    def _account(self, identity: Identity) -> Account | None:
        """The account as it is, or a new one; None for one that was there a moment ago."""
        if identity.account is not None:
            return self.accounts.get(identity.account.pk)
        return _new_account(identity, uuid4() if self.seals else NO_VAULT)

    def _values(self, row: dict[str, Any], planned: PlannedRow) -> dict[str, Any]:
        values = {}
        for column in self.columns:
            try:
                values[column] = self.read[column](row[column])
            except CellError as error:
                planned.wrong(column, str(error))
        return values

    def _check_identity(self, identity: Identity, planned: PlannedRow) -> None:
        """One sentence a row about which account it means: a second one would contradict it."""
        wrong = [error for error in planned.errors if error.column in IDENTITY]
        for error in wrong[1:]:
            planned.errors.remove(error)
        if wrong:
            return
        if not identity.app:
            self._ask_for_app(planned)
            return
        column, problem = next((found for found in self._problems(identity) if found[1]), ("", ""))
        if problem:
            planned.wrong(column, problem)

    def _ask_for_app(self, planned: PlannedRow) -> None:
        """Once for a file that has no column for it, else at each row."""
        if self.identities.has_app_column:
            planned.wrong(
                "app", _("Which app? Choose one for the whole file, or fill in “app” or “packagename”.")
            )
        elif self.has_asked_for_app:
            planned.is_refused = True
        else:
            self.has_asked_for_app = True
            planned.wrong(
                "app", _("Which app? Choose TikTok or Instagram (--app tiktok or --app instagram).")
            )

    def _problems(self, identity: Identity) -> Iterable[tuple[str, str]]:
        yield "id", self._id_problem(identity)
        yield "username", self.identities.clash(identity)
        yield "id", self._unknown_id(identity)

    def _id_problem(self, identity: Identity) -> str:
        facts = {"id": identity.row_id, "row": identity.row}
        others = [
            row for row in self.identities.rows_of_id.get(identity.row_id or 0, []) if row != identity.row
        ]
        if others:
            return _("Id %(id)s also stands in row %(row)s: remove one of the two rows.") % {
                **facts,
                "row": others[0],
            }
        account = identity.account
        if account is None:
            return ""
        others = [row for row in self.identities.rows_of_account[account.pk] if row != identity.row]
        if others:
            return _("Row %(row)s means the same account, @%(name)s: remove one of the two rows.") % {
                "row": others[0],
                "name": account.username,
            }
        if account.app != identity.app:
            return _(
                "Id %(id)s is @%(name)s of %(app)s: an account cannot change its app; empty the id cell."
            ) % {
                **facts,
                "name": account.username,
                "app": App(account.app).label,
            }
        return ""

    def _unknown_id(self, identity: Identity) -> str:
        is_new = identity.account is None and not identity.kept_id
        if identity.row_id and is_new and not self.identities.ignores_id(identity):
            return _("There is no account with id %(id)s (row %(row)s): empty the id cell to create it.") % {
                "id": identity.row_id,
                "row": identity.row,
            }
        return ""

    def _warn(self, identity: Identity, values: dict[str, Any], number: int) -> None:
        if identity.row_id and self.identities.ignores_id(identity):
            self.preview.warn(
                _("Row %(row)s: id %(id)s belongs to another account; this one gets an id of its own.")
                % {"row": number, "id": identity.row_id}
            )
        said = app_of_package(values.get("packagename", ""))
        if said and said != identity.app:
            self.preview.warn(
                _("Row %(row)s: the package is one of %(said)s, the account is imported for %(app)s.")
                % {"row": number, "said": App(said).label, "app": App(identity.app).label}
            )

    def _put_values(self, values: dict[str, Any], planned: PlannedRow) -> None:
        if planned.is_new:
            planned.columns.add("username")  # it stands there, and it names the row
        for column, new in values.items():
            attribute = ATTRIBUTES.get(column)
            if attribute is None or (new is None and column in FLAGS):  # a flag has no blank
                continue
            old = getattr(planned.account, attribute)
            if old != new and not (isinstance(old, str) and old.strip() == new):
                setattr(planned.account, attribute, new)
                planned.columns.add(attribute)
                planned.old[attribute] = old
                planned.changes.append((column, old, new))

    def _put_device(self, values: dict[str, Any], planned: PlannedRow) -> None:
        label = values.get("device_index", "")
        if "device" not in values and not label:
            if "device_index" in values:
                self._bind(None, planned)
            return
        if values.get("device"):
            device = self.phones.by_identifier(values["device"]) or self._unknown(
                values["device"], label, planned
            )
        else:
            try:
                device = self.phones.with_label(label)
            except CellError as error:
                planned.wrong("device_index", str(error))
        if not planned.is_wrong:
            self._bind(device, planned)

    def _unknown(self, name: str, label: str, planned: PlannedRow) -> Device | None:
        """An expected phone, where that was agreed to."""
        if not self.expect_phones:
            planned.wrong(
                "device",
                _("No device is called so: correct the cell, or agree that it is an expected phone."),
            )
            return None
        self.preview.expected_devices += 1
        self.preview.warn(
            _("Row %(row)s: no device %(serial)s is known yet; it is added as an expected phone.")
            % {"row": planned.row, "serial": name}
        )
        return self.phones.announce(name, label)

    def _bind(self, device: Device | None, planned: PlannedRow) -> None:
        old = self.phones.name(planned.account.device_id)
        new = device.serial if device else ""
        if old != new:
            planned.old["device"] = planned.account.device_id
            planned.account.device = device
            planned.columns.add("device")
            planned.changes.append(("device", old, new))

    def _put_password(self, text: str | None, planned: PlannedRow) -> None:
        account = planned.account
        if planned.is_new and not self.seals:
            self._say_password(text or "", planned)
            return
        before = {} if planned.is_new else {name: getattr(account, name) for name in CREDENTIALS}
        if text is None:
            changed = put_credentials(account, "", "")
        else:
            password, secret = split_password(account.app, text)
            changed = put_credentials(account, password or None, secret or None)
        planned.columns.update(changed)
        planned.old.update((name, before.get(name)) for name in changed)
        planned.secrets = {
            name: (bool(before.get(name)), bool(getattr(account, name))) for name in SECRET_NAMES
        }

    def _say_password(self, text: str, planned: PlannedRow) -> None:
        """What a preview tells of the secrets of a new account."""
        parts = zip(SECRET_NAMES, split_password(planned.account.app, text), strict=True)
        planned.secrets = {name: (False, bool(part)) for name, part in parts}
        planned.columns.update(name for name, (_was, is_set) in planned.secrets.items() if is_set)


NO_VAULT = UUID(int=0)  #: of an account that is not written
BLANK = {field.attname: field.get_default() for field in Account._meta.concrete_fields}
BLANK |= dict.fromkeys(SECRET_NAMES, Secret(""))


def _new_account(identity: Identity, vault: UUID) -> Account:
    """An account with the row's name and else with the defaults, which Django asks for one by one each time."""
    values = {**BLANK, "id": identity.kept_id, "vault_id": vault, "app": identity.app}
    return Account(*{**values, "username": identity.username}.values())  # type: ignore[misc]


def _word(was_set: bool, is_set: bool, is_changed: bool) -> str:
    """All that is ever said of a secret."""
    if not is_changed:
        return _("kept") if was_set else ""
    if not is_set:
        return _("cleared")
    return _("changed") if was_set else _("set")


def in_sheet(column: str, value: Any) -> str:
    if column == "status":
        return "0" if value else "1"
    if column == "logined":
        return "1" if value else "0"
    return "" if value is None else str(value)
