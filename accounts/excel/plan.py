"""What one row does to the list. Nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from accounts.choices import App, app_of_package
from accounts.excel.cells import ATTRIBUTES, COLUMNS, CellError, parse
from accounts.excel.identities import Identities, Identity
from accounts.excel.phones import Phones
from accounts.excel.preview import CellChange, Preview, RowChange, RowError
from accounts.models import Account
from accounts.services import put_credentials, split_password
from devices.models import Device

#: The columns that say which account a row means.
IDENTITY = ("id", "username", "app")


@dataclass
class PlannedRow:
    """An account as the row wants it, not yet written."""

    row: int
    account: Account
    is_new: bool
    columns: set[str] = field(default_factory=set)
    changes: list[CellChange] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    is_refused: bool = False  #: wrong, and what is wrong stands at another row

    @property
    def is_wrong(self) -> bool:
        return self.is_refused or bool(self.errors)

    def change(self) -> RowChange:
        return RowChange(self.row, self.is_new, self.account.username, self.account.app, self.changes)


class Planner:
    """Plans the rows of one file, one after the other."""

    def __init__(self, chosen: str, preview: Preview) -> None:
        self.chosen = chosen
        self.preview = preview
        self.has_asked_for_app = False

    def prepare(self, rows: Iterable[tuple[int, dict[str, Any]]], lock: bool) -> None:
        """Ask the database all that the rows need, in a few queries per 500 rows."""
        self.identities = Identities(self.chosen, rows, lock)
        self.phones = Phones()
        if self.identities.kept_ids:
            self.preview.warn(
                _(
                    "The list has no account of this app yet, so the ids of the file are kept where they are free."
                )
            )
        if self.identities.found_by_name:
            self.preview.warn(_("Ids of this file belong to another list: rows were found by username."))

    def plan(self, number: int, row: dict[str, Any]) -> PlannedRow:
        identity = self.identities.of_row[number]
        account = identity.account or Account(
            pk=identity.kept_id, app=identity.app, username=identity.username
        )
        planned = PlannedRow(number, account, is_new=identity.account is None)
        values = self._values(row, planned)
        self._check_identity(identity, planned)
        if not planned.is_wrong:
            self._warn(identity, values, number)
            self._put_device(values, planned)
        if not planned.is_wrong:
            self._put_values(values, planned)
            self._put_password(values.get("pwd", ""), planned)
        planned.errors.sort(key=lambda error: COLUMNS.index(error.column))
        return planned

    def _values(self, row: dict[str, Any], planned: PlannedRow) -> dict[str, Any]:
        values = {}
        for column in COLUMNS:
            if column in row:
                try:
                    values[column] = parse(column, row[column])
                except CellError as error:
                    planned.errors.append(RowError(planned.row, column, str(error)))
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
            planned.errors.append(RowError(planned.row, column, problem))

    def _ask_for_app(self, planned: PlannedRow) -> None:
        """Once for a file that has no column for it, else at each row."""
        if self.identities.has_app_column:
            problem = _("Which app? Choose one for the whole file, or fill in “app” or “packagename”.")
            planned.errors.append(RowError(planned.row, "app", problem))
        elif self.has_asked_for_app:
            planned.is_refused = True
        else:
            self.has_asked_for_app = True
            problem = _("Which app? Choose TikTok or Instagram (--app tiktok or --app instagram).")
            planned.errors.append(RowError(planned.row, "app", problem))

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
        for column, attribute in ATTRIBUTES.items():
            if column not in values or (column in ("logined", "status") and values[column] is None):
                continue  # a missing column keeps; a flag has no blank
            old, new = getattr(planned.account, attribute), values[column]
            if (old.strip() if isinstance(old, str) else old) != new or (
                planned.is_new and column == "username"
            ):
                setattr(planned.account, attribute, new)
                planned.columns.add(attribute)
                if not (planned.is_new and column == "username"):  # it names the row already
                    planned.changes.append(CellChange(column, *_shown(column, old, new, planned.is_new)))

    def _put_device(self, values: dict[str, Any], planned: PlannedRow) -> None:
        if "device" not in values and not values.get("device_index"):
            if "device_index" in values:
                self._bind(None, planned)
            return
        try:
            self._bind(self._device(values, planned.row), planned)
        except CellError as error:
            planned.errors.append(RowError(planned.row, "device_index", str(error)))

    def _device(self, values: dict[str, Any], number: int) -> Device | None:
        label = values.get("device_index", "")
        if not values.get("device"):
            return self.phones.with_label(label)
        before = len(self.phones.expected)
        device = self.phones.by_identifier(values["device"], label)
        if len(self.phones.expected) > before:
            self.preview.expected_devices += 1
            self.preview.warn(
                _("Row %(row)s: no device %(serial)s is known yet; it is added as an expected phone.")
                % {"row": number, "serial": device.serial}
            )
        return device

    def _bind(self, device: Device | None, planned: PlannedRow) -> None:
        old = self.phones.name(planned.account.device_id)
        new = device.serial if device else ""
        if old != new:
            planned.account.device = device
            planned.columns.add("device")
            planned.changes.append(CellChange("device", old, new))

    def _put_password(self, text: str, planned: PlannedRow) -> None:
        account = planned.account
        had = {"password": bool(account.password), "totp_secret": bool(account.totp_secret)}
        password, secret = split_password(account.app, text)
        changed = put_credentials(account, password or None, secret or None)
        planned.columns.update(changed)
        for column, name in (("password", "pwd"), ("totp_secret", _("2FA secret"))):
            if column in changed:
                planned.changes.append(CellChange(name, "", _("changed") if had[column] else _("set")))


def _shown(column: str, old: Any, new: Any, is_new: bool) -> tuple[str, str]:
    """Old and new as they stand in the sheet."""
    return ("" if is_new else in_sheet(column, old), in_sheet(column, new))


def in_sheet(column: str, value: Any) -> str:
    if column == "status":
        return "0" if value else "1"
    if column == "logined":
        return "1" if value else "0"
    return "" if value is None else str(value)
