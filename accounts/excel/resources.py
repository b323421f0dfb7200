"""accounts.xlsx into the list and out of it. The admin, the commands and the demo all come through here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, cast

from django.db import IntegrityError
from django.db.models import F
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import Result, RowResult

from accounts import audit
from accounts.audit import NOBODY, Who
from accounts.choices import AuditAction
from accounts.excel.cells import ATTRIBUTES, COLUMNS, written_password
from accounts.excel.formats import AccountsXLSX, FileRefused, SheetDataset, format_of
from accounts.excel.plan import PlannedRow, Planner
from accounts.excel.preview import Preview, RowError
from accounts.excel.reader import collector_paused
from accounts.excel.writing import write
from accounts.models import Account
from accounts.querysets import AccountQuerySet

__all__ = [
    "AccountResource",
    "FileRefused",
    "ImportRefused",
    "Preview",
    "RowError",
    "export_file",
    "import_file",
    "preview",
]

FILE_NAME = "accounts.xlsx"


class ImportRefused(Exception):
    """Nothing was written: the file has errors. `preview` holds them all."""

    def __init__(self, preview: Preview, message: str = "") -> None:
        self.preview = preview
        lines = [message] if message else [str(error) for error in preview.errors]
        super().__init__("\n".join(lines))


@dataclass(frozen=True)
class Choices:
    """What somebody chose for an import."""

    app: str = ""
    who: Who = NOBODY
    good_rows: bool = False  #: import the good rows although others have errors
    expect_phones: bool = True  #: a device that is not known is an expected phone, else an error
    first_apps: frozenset[str] | None = None  #: apps without an account when the import began; None: ask now


def preview(data: bytes, app: str | None = None) -> Preview:
    """What importing this file would do. Raises FileRefused."""
    return _run(data, Choices(app or ""), dry_run=True)


def import_file(
    data: bytes,
    app: str | None = None,
    actor: str = "",
    good_rows: bool = False,
    expect_phones: bool = True,
) -> Preview:
    """Import the file in one transaction, all of it or nothing unless `good_rows`; returns what was done.

    Raises FileRefused and ImportRefused.
    """
    try:
        done = _run(data, Choices(app or "", Who(actor or "-"), good_rows, expect_phones), dry_run=False)
    except IntegrityError as error:
        raise ImportRefused(
            Preview(), _("The list was changed by somebody else meanwhile: import again.")
        ) from error
    if done.errors and not good_rows:
        raise ImportRefused(done)
    return done


def export_file(queryset: AccountQuerySet, with_passwords: bool) -> bytes:
    """The accounts as the bytes of an xlsx; without passwords there is no `pwd` column."""
    dataset = AccountResource(with_passwords=with_passwords).export(queryset)
    return AccountsXLSX().export_data(dataset)


def _run(data: bytes, choices: Choices, dry_run: bool) -> Preview:
    dataset = format_of(data).create_dataset(data)
    result = AccountResource(choices).import_data(dataset, dry_run=dry_run)
    found: Preview = result.preview
    if not dataset:
        found.warn(_("The sheet has no rows: nothing to import."))
    return found


class AccountRowResult(RowResult):
    planned: PlannedRow


class AccountResult(Result):
    """Counts all rows and keeps what a page can show; cells are kept only where they are no secret."""

    def __init__(self) -> None:
        super().__init__()
        self.preview = Preview()
        self.written: list[PlannedRow] = []
        self.expected: list[str] = []  #: serials of the devices that were made

    def append_row_result(self, row_result: AccountRowResult) -> None:
        planned = row_result.planned
        if planned.is_wrong:
            self.preview.add_errors(planned.errors)
        else:
            self.preview.add_change(planned.is_new, planned.change)

    def increment_row_result_total(self, row_result: AccountRowResult) -> None:
        super().increment_row_result_total(row_result)
        self.preview.unchanged += row_result.import_type == RowResult.IMPORT_TYPE_SKIP

    def has_validation_errors(self) -> bool:
        return bool(self.preview.errors)


class AccountResource(ModelResource):
    """One account a row. Rows are planned one by one and written together at the end, if none is wrong.

    `watch` is told of each row once it is planned.
    """

    id = Field(column_name="id")
    email = Field(column_name="email")
    pwd = Field(column_name="pwd")
    username = Field(column_name="username")
    device = Field(column_name="device")
    device_index = Field(column_name="device_index")
    logined = Field(column_name="logined")
    status = Field(column_name="status")
    nickname = Field(column_name="nickname")
    country = Field(column_name="country")
    followers = Field(column_name="followers")
    following = Field(column_name="following")
    hearts = Field(column_name="hearts")
    videos = Field(column_name="videos")
    friends = Field(column_name="friends")
    app = Field(column_name="app")
    packagename = Field(column_name="packagename")
    tags = Field(column_name="tags")

    class Meta:
        model = Account
        fields = COLUMNS
        import_order = export_order = COLUMNS
        name = "accounts"
        report_skipped = False
        use_bulk = True  # no savepoint per row

    def __init__(
        self,
        choices: Choices | None = None,
        with_passwords: bool = False,
        watch: Callable[[PlannedRow], None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.choices = choices or Choices()
        self.watch = watch
        self.export_columns = [name for name in COLUMNS if with_passwords or name != "pwd"]

    @classmethod
    def get_result_class(cls) -> type[AccountResult]:
        return AccountResult

    @classmethod
    def get_row_result_class(cls) -> type[AccountRowResult]:
        return AccountRowResult

    # Import

    def import_data(self, dataset: SheetDataset, dry_run: bool = False, **kwargs: Any) -> AccountResult:
        """A preview needs no transaction and holds up no other writer; an import is one transaction."""
        for name in (
            "raise_errors",
            "use_transactions",
            "rollback_on_validation_errors",
            "collect_failed_rows",
        ):
            kwargs.pop(name, None)
        if dry_run:
            return self.import_data_inner(dataset, True, True, False, False, **kwargs)
        result = super().import_data(
            dataset,
            raise_errors=True,
            use_transactions=True,
            rollback_on_validation_errors=not self.choices.good_rows,
            **kwargs,
        )
        return cast(AccountResult, result)

    @collector_paused()
    def import_data_inner(
        self, dataset: SheetDataset, dry_run: bool, *args: Any, **kwargs: Any
    ) -> AccountResult:
        self.numbers = dataset.numbers
        self.planned: list[PlannedRow] = []
        self.found = Preview()
        for warning in dataset.warnings:
            self.found.warn(warning)
        first = self.choices.first_apps
        self.planner = Planner(
            self.choices.app, self.found, self.choices.expect_phones, None if first is None else set(first)
        )
        self.planner.prepare(dataset, lock=not dry_run)
        return cast(AccountResult, super().import_data_inner(dataset, dry_run, *args, **kwargs))

    def import_row(self, row: dict[str, Any], _loader: object, **kwargs: Any) -> AccountRowResult:
        planned = self.planner.plan(self.numbers[kwargs["row_number"] - 1], row)
        result = AccountRowResult()
        result.planned = planned
        result.import_type = _import_type(planned)
        if planned.columns and not planned.is_wrong and not kwargs["dry_run"]:
            self.planned.append(planned)
        if self.watch:
            self.watch(planned)
        return result

    def after_import(self, _dataset: SheetDataset, result: AccountResult, **kwargs: Any) -> None:
        _join(result.preview, self.found)
        may_write = self.choices.good_rows or not result.has_validation_errors()
        if not kwargs.get("dry_run") and may_write:
            phones, who = self.planner.phones.expected, self.choices.who
            write(self.planned, phones, self.planner.identities.holders, who.name)
            ids = [row.account.pk for row in self.planned]
            audit.note_many(AuditAction.IMPORTED, who, ids, FILE_NAME, result.preview.summary())
            result.written, result.expected = self.planned, [device.serial for device in phones]

    def handle_import_error(
        self, result: AccountResult, error: Exception, raise_errors: bool = False
    ) -> None:
        """What is no cell's fault is no result: it ends the import as it is."""
        raise error

    # Export

    def export(self, queryset: AccountQuerySet | None = None, **_kwargs: Any) -> SheetDataset:
        accounts = Account.objects.all() if queryset is None else queryset
        held = ("vault_id", "app", "password", "totp_secret", *ATTRIBUTES.values())
        phones = {"serial": F("device__serial"), "label": F("device__label")}
        ordered = accounts.select_related(None).only(*held).annotate(**phones).order_by("pk")
        return SheetDataset(self.export_columns, self._rows(ordered))

    def _rows(self, accounts: AccountQuerySet) -> Iterator[list[Any]]:
        values = [EXPORTED[name] for name in self.export_columns]
        for account in accounts.iterator(chunk_size=2000):
            yield [value(account) for value in values]


def _import_type(planned: PlannedRow) -> str:
    if planned.is_wrong:
        return str(RowResult.IMPORT_TYPE_INVALID)
    if planned.is_new:
        return str(RowResult.IMPORT_TYPE_NEW)
    return str(RowResult.IMPORT_TYPE_UPDATE if planned.columns else RowResult.IMPORT_TYPE_SKIP)


def _join(result: Preview, found: Preview) -> None:
    result.warnings, result.warning_count = found.warnings, found.warning_count
    result.expected_devices = found.expected_devices


def _label(account: Account) -> str | int:
    """The label of the account's device, as a number where it is one."""
    label = account.label or ""  # type: ignore[attr-defined]
    return int(label) if label.isdecimal() and str(int(label)) == label else label


#: What each column of an export holds, of an account with its device's `serial` and `label`.
EXPORTED: dict[str, Any] = {
    **{column: attrgetter(attribute) for column, attribute in ATTRIBUTES.items()},
    "id": attrgetter("pk"),
    "app": attrgetter("app"),
    "pwd": written_password,
    "device": lambda account: account.serial or "",
    "device_index": _label,
    "logined": lambda account: int(account.is_logged_in),
    "status": lambda account: int(not account.is_enabled),
}
