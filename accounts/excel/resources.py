"""accounts.xlsx into the list and out of it. The admin, the commands and the demo all come through here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from django.core.management.color import no_style
from django.db import IntegrityError, connection
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import Result, RowResult

from accounts import audit
from accounts.audit import Who
from accounts.choices import AuditAction
from accounts.excel.cells import COLUMNS
from accounts.excel.formats import AccountsXLSX, FileRefused, SheetDataset
from accounts.excel.identities import CHUNK, chunks
from accounts.excel.plan import PlannedRow, Planner
from accounts.excel.preview import Preview, RowError
from accounts.models import Account
from accounts.querysets import AccountQuerySet
from accounts.services import announce_disabled, join_password
from devices.services import expect_devices

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


def preview(data: bytes, app: str | None = None) -> Preview:
    """What importing this file would do. Raises FileRefused."""
    return _run(data, app, "", dry_run=True)


def import_file(data: bytes, app: str | None = None, actor: str = "") -> Preview:
    """Import the file, all of it or nothing; returns what was done. Raises FileRefused and ImportRefused."""
    try:
        done = _run(data, app, actor, dry_run=False)
    except IntegrityError as error:
        raise ImportRefused(
            Preview(), _("The list was changed by somebody else meanwhile: import again.")
        ) from error
    if done.errors:
        raise ImportRefused(done)
    return done


def export_file(queryset: AccountQuerySet, with_passwords: bool) -> bytes:
    """The accounts as the bytes of an xlsx; without passwords there is no `pwd` column."""
    dataset = AccountResource(with_passwords=with_passwords).export(queryset)
    return AccountsXLSX().export_data(dataset)


def _run(data: bytes, app: str | None, actor: str, dry_run: bool) -> Preview:
    dataset = AccountsXLSX().create_dataset(data)
    result = AccountResource(app=app or "", actor=actor).import_data(dataset, dry_run=dry_run)
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

    def append_row_result(self, row_result: AccountRowResult) -> None:
        planned = row_result.planned
        if planned.is_wrong:
            self.preview.add_errors(planned.errors)
        else:
            self.preview.add_change(planned.change())

    def increment_row_result_total(self, row_result: AccountRowResult) -> None:
        super().increment_row_result_total(row_result)
        self.preview.unchanged += row_result.import_type == RowResult.IMPORT_TYPE_SKIP

    def has_validation_errors(self) -> bool:
        return bool(self.preview.errors)


class AccountResource(ModelResource):
    """One account a row. Rows are planned one by one and written together at the end, if none is wrong."""

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
        app: str = "",
        actor: str = "",
        address: str | None = None,
        with_passwords: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.chosen_app = app
        self.actor, self.address = actor, address
        self.export_columns = [name for name in COLUMNS if with_passwords or name != "pwd"]

    @classmethod
    def get_result_class(cls) -> type[AccountResult]:
        return AccountResult

    @classmethod
    def get_row_result_class(cls) -> type[AccountRowResult]:
        return AccountRowResult

    # Import

    def import_data(self, dataset: SheetDataset, dry_run: bool = False, **kwargs: Any) -> AccountResult:
        """A preview needs no transaction and holds up no other writer; an import is all or nothing."""
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
            dataset, raise_errors=True, use_transactions=True, rollback_on_validation_errors=True, **kwargs
        )
        return cast(AccountResult, result)

    def import_data_inner(
        self, dataset: SheetDataset, dry_run: bool, *args: Any, **kwargs: Any
    ) -> AccountResult:
        self.numbers = dataset.numbers
        self.planned: list[PlannedRow] = []
        self.found = Preview()
        for warning in dataset.warnings:
            self.found.warn(warning)
        self.planner = Planner(self.chosen_app, self.found)
        rows = (
            (number, dict(zip(dataset.headers, row, strict=True)))
            for number, row in zip(dataset.numbers, dataset, strict=True)
        )
        self.planner.prepare(rows, lock=not dry_run)
        return cast(AccountResult, super().import_data_inner(dataset, dry_run, *args, **kwargs))

    def import_row(self, row: dict[str, Any], _loader: object, **kwargs: Any) -> AccountRowResult:
        planned = self.planner.plan(self.numbers[kwargs["row_number"] - 1], row)
        result = AccountRowResult()
        result.planned = planned
        result.import_type = _import_type(planned)
        if planned.columns and not planned.is_wrong and not kwargs["dry_run"]:
            self.planned.append(planned)
        return result

    def after_import(self, _dataset: SheetDataset, result: AccountResult, **kwargs: Any) -> None:
        _join(result.preview, self.found)
        if not kwargs.get("dry_run") and not result.has_validation_errors():
            _write(self.planned, self.planner, self.actor)
            ids = [row.account.pk for row in self.planned]
            who = Who(self.actor or "-", self.address)
            audit.note_many(AuditAction.IMPORTED, who, ids, FILE_NAME, result.preview.summary())

    def handle_import_error(
        self, result: AccountResult, error: Exception, raise_errors: bool = False
    ) -> None:
        """What is no cell's fault is no result: it ends the import as it is."""
        raise error

    # Export

    def export(self, queryset: AccountQuerySet | None = None, **_kwargs: Any) -> SheetDataset:
        accounts = Account.objects.all() if queryset is None else queryset
        ordered = accounts.select_related("device").order_by("pk")
        return SheetDataset(self.export_columns, self._rows(ordered))

    def _rows(self, accounts: AccountQuerySet) -> Iterator[list[Any]]:
        for account in accounts.iterator(chunk_size=2000):
            yield [EXPORTED[name](account) for name in self.export_columns]


def _import_type(planned: PlannedRow) -> str:
    if planned.is_wrong:
        return str(RowResult.IMPORT_TYPE_INVALID)
    if planned.is_new:
        return str(RowResult.IMPORT_TYPE_NEW)
    return str(RowResult.IMPORT_TYPE_UPDATE if planned.columns else RowResult.IMPORT_TYPE_SKIP)


def _join(result: Preview, found: Preview) -> None:
    result.warnings, result.warning_count = found.warnings, found.warning_count
    result.expected_devices = found.expected_devices


def _write(planned: Sequence[PlannedRow], planner: Planner, actor: str) -> None:
    """Write expected devices, new accounts and changed ones, in a few statements per 500 rows."""
    expect_devices(planner.phones.expected)
    _free_names(planned, planner)
    new = [row.account for row in planned if row.is_new]
    with_id = [account for account in new if account.pk]
    Account.objects.bulk_create(with_id, batch_size=CHUNK)
    if with_id:
        _reset_sequence()
    Account.objects.bulk_create([account for account in new if not account.pk], batch_size=CHUNK)
    changed = [row for row in planned if not row.is_new]
    for chunk in chunks(changed):
        _update(chunk)
    disabled = [
        row.account.pk for row in changed if "is_enabled" in row.columns and not row.account.is_enabled
    ]
    announce_disabled(disabled, actor)


def _update(chunk: Sequence[PlannedRow]) -> None:
    """One statement: insert-or-update is many times quicker than a CASE per column."""
    columns = sorted(set().union(*(row.columns for row in chunk)) | {"updated_at"})
    now = timezone.now()
    for row in chunk:
        row.account.updated_at = now
    accounts = [row.account for row in chunk]
    Account.objects.bulk_create(accounts, update_conflicts=True, unique_fields=["id"], update_fields=columns)


def _free_names(planned: Sequence[PlannedRow], planner: Planner) -> None:
    """Where a name moves from one account to another, the old holder lets go of it first."""
    holders = planner.identities.holders
    wanted = {(row.account.app, row.account.username.lower()): row.account.pk for row in planned}
    moving = [holders[key] for key, pk in wanted.items() if holders.get(key, pk) != pk]
    for chunk in chunks(moving):
        freed = Concat(Value("~"), Cast("pk", CharField()))
        Account.objects.filter(pk__in=chunk).update(username=freed)


def _reset_sequence() -> None:
    """PostgreSQL counts on from its own number: tell it of the ids that were given."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Account]):
            cursor.execute(statement)


def _label(account: Account) -> str | int:
    """The label of the account's device, as a number where it is one."""
    label = (account.device.label or "") if account.device else ""
    return int(label) if label.isdecimal() and str(int(label)) == label else label


#: What each column of an export holds.
EXPORTED: dict[str, Any] = {
    "id": lambda account: account.pk,
    "email": lambda account: account.email,
    "pwd": join_password,
    "username": lambda account: account.username,
    "device": lambda account: account.device.serial if account.device else "",
    "device_index": _label,
    "logined": lambda account: int(account.is_logged_in),
    "status": lambda account: int(not account.is_enabled),
    "nickname": lambda account: account.nickname,
    "country": lambda account: account.country,
    "followers": lambda account: account.followers,
    "following": lambda account: account.following,
    "hearts": lambda account: account.hearts,
    "videos": lambda account: account.videos,
    "friends": lambda account: account.friends,
    "app": lambda account: account.app,
    "packagename": lambda account: account.package_name,
    "tags": lambda account: account.tags,
}
