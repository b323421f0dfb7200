"""The work on imports: checking, importing and undoing them, in steps that another process can go on with.

The database says how far an import is; a process that works on one has claimed it for a while, so that after its
end another one goes on where it stopped. Every chunk is one transaction with what it changed and how far it came.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from import_export.results import RowResult

from accounts.audit import Who
from accounts.excel import records
from accounts.excel.formats import FileRefused, SheetDataset, format_of
from accounts.excel.identities import CHUNK
from accounts.excel.models import WORKING, ImportJob, ImportPart, ImportState, PartKind
from accounts.excel.plan import PlannedRow
from accounts.excel.preview import KEPT_WARNINGS, Preview
from accounts.excel.reader import WALL_SECONDS
from accounts.excel.resources import AccountResource, AccountResult, Choices
from accounts.excel.undo import TakenBack, take_back
from accounts.excel.uploads import SealedStorage, UploadGone
from accounts.keyring import Unreadable
from accounts.services import RunsMayStart

log = logging.getLogger(__name__)

INLINE_ROWS = 2000  #: up to here a page waits for it
LARGE_CHUNK = 200  #: rows in one transaction of a large import: how long other writers wait
PAUSE_SECONDS = 0.05  #: between two of them, at least: SQLite looks that often whether it may write
TAKEN_SECONDS = 20  #: a process that is silent for so long is gone
KEPT_LEFT = 200


class Stopped(Exception):
    """The import was canceled meanwhile, or another process works on it."""


class NotNow(Exception):
    """What was asked for makes no sense in this state; the message says why."""


class ListChanged(Exception):
    """Rows that were good in the preview have errors now."""


def who_of(job: ImportJob) -> Who:
    """Who brought the file, and from where."""
    return Who(job.actor or "-", job.address)


def forget_upload(job: ImportJob) -> None:
    if job.upload:
        SealedStorage(name=job.upload).remove()


def new_claim() -> dict[str, Any]:
    """Columns of an import by which this process says that it works on it. Reading the file comes first."""
    until = timezone.now() + timedelta(seconds=WALL_SECONDS + TAKEN_SECONDS)
    return {"claim": uuid4().hex, "claimed_until": until}


def claim(job: ImportJob) -> str:
    """The right to work on it, as long as the work goes on; empty when another process has it."""
    free = Q(claimed_until=None) | Q(claimed_until__lt=timezone.now())
    rows = ImportJob.objects.filter(free, pk=job.pk, state__in=WORKING)
    wanted = new_claim()
    taken = rows.update(**wanted)
    job.refresh_from_db()
    return str(wanted["claim"]) if taken else ""


def work(job: ImportJob) -> bool:
    """Do what its state asks for; False when another process does."""
    token = claim(job)
    if not token:
        return False
    try:
        with translation.override(job.language or settings.LANGUAGE_CODE):
            WORK[ImportState(job.state)](job, token)
    except Stopped:
        log.info("import %s was stopped", job.pk)
    except (FileRefused, UploadGone, NotNow) as error:
        fail(job, token, said(error))
    except DatabaseError:
        raise  # goes on when the claim has run out
    except Exception:
        fail(job, token, _("It ended with an error of the program; the worker's log has it."))
        raise
    return True


def said(error: Exception) -> str:
    return (
        _("This upload is no longer there: choose the file again.")
        if isinstance(error, UploadGone)
        else str(error)
    )


def fail(job: ImportJob, token: str, message: str) -> None:
    rows = ImportJob.objects.filter(pk=job.pk, claim=token)
    rows.update(state=ImportState.FAILED, message=message, finished_at=timezone.now(), claim="")
    forget_upload(job)


def _step(job: ImportJob, token: str, **changes: Any) -> None:
    """Note how far it is and that somebody works on it. Raises Stopped when that is over."""
    until = timezone.now() + timedelta(seconds=TAKEN_SECONDS)
    rows = ImportJob.objects.filter(pk=job.pk, claim=token, state=job.state)
    if rows.update(claimed_until=until, **changes) != 1:
        raise Stopped


def _dataset(job: ImportJob) -> SheetDataset:
    upload = SealedStorage(name=job.upload)
    upload.touch()
    data = upload.read()
    dataset: SheetDataset = format_of(data, job.file_name).create_dataset(data)
    if len(dataset) > INLINE_ROWS:
        job.is_large = True
    return dataset


# Checking


def check(job: ImportJob, token: str, here: bool = True) -> Preview | None:
    """Plan all rows and keep what they would do; None for one that turned out to be large, if not wanted `here`."""
    was_large = job.is_large
    dataset = _dataset(job)
    if job.is_large and not (was_large or here):
        _step(job, token, is_large=True, total=len(dataset))
        ImportJob.objects.filter(pk=job.pk, claim=token).update(claim="", claimed_until=None)
        return None
    job.parts.all().delete()
    _step(job, token, is_large=job.is_large, total=len(dataset), position=0)
    keeper = _Keeper(job, token)
    resource = AccountResource(Choices(job.app, who_of(job)), watch=keeper.see)
    found: Preview = resource.import_data(dataset, dry_run=True).preview
    keeper.flush()
    if not dataset:
        found.warn(_("The sheet has no rows: nothing to import."))
    _step(
        job, token, state=ImportState.READY, new=found.new, changed=found.changed, unchanged=found.unchanged,
        invalid=found.invalid, expected_devices=found.expected_devices, position=len(dataset),
        warnings=found.warnings[:KEPT_WARNINGS], warning_count=found.warning_count,
        first_rows=sorted(resource.planner.together), claim="",
    )  # fmt: skip
    job.refresh_from_db()
    return found


class _Keeper:
    """Keeps what is planned, 500 rows at a time, and says how far that is."""

    def __init__(self, job: ImportJob, token: str) -> None:
        self.job, self.token = job, token
        self.rows: list[PlannedRow] = []
        self.seen = 0

    def see(self, row: PlannedRow) -> None:
        self.seen += 1
        if row.columns or row.is_wrong:
            self.rows.append(row)
        if self.seen % CHUNK == 0:
            self.flush()

    def flush(self) -> None:
        _step(self.job, self.token, position=self.seen)
        records.keep_checked(self.job, self.rows)
        self.rows = []


# Importing


def _import(job: ImportJob, token: str) -> None:
    dataset = _dataset(job)
    places = _order(job, dataset.numbers)
    bad = records.bad_rows(job)
    if not job.is_large:
        _import_at_once(job, token, dataset, [place for place in places if dataset.numbers[place] not in bad])
        return
    first = len(job.first_rows)
    while job.position < len(places):
        end = max(job.position + LARGE_CHUNK, first if job.position < first else 0)
        good = [place for place in places[job.position : end] if dataset.numbers[place] not in bad]
        started = time.monotonic()
        _import_chunk(job, token, dataset.part(good), min(end, len(places)))
        pause(time.monotonic() - started)
    _step(job, token, **_over(ImportState.DONE))
    forget_upload(job)


def pause(worked: float) -> None:
    """Let others write, for at least as long as they waited."""
    time.sleep(max(PAUSE_SECONDS, worked))


def _order(job: ImportJob, numbers: Sequence[int]) -> list[int]:
    """The places of the rows: first those between which names move, for they go together."""
    first = set(job.first_rows)
    return sorted(range(len(numbers)), key=lambda place: numbers[place] not in first)


def _import_at_once(job: ImportJob, token: str, dataset: SheetDataset, places: list[int]) -> None:
    """In one transaction. Raises ListChanged when it would leave out rows, and all were wanted or none."""
    try:
        with transaction.atomic():
            _write(job, token, dataset.part(places), len(dataset), job.good_rows)
            _step(job, token, **_over(ImportState.DONE))
    except (ListChanged, IntegrityError) as error:
        ImportJob.objects.filter(pk=job.pk, claim=token).update(state=ImportState.CHECKING)
        job.refresh_from_db()
        check(job, token)
        raise ListChanged(
            _("The list has changed since the preview: nothing was imported. Look again.")
        ) from error
    except RunsMayStart:
        forget_upload(job)
        raise
    forget_upload(job)


def _import_chunk(job: ImportJob, token: str, rows: SheetDataset, end: int) -> None:
    for attempt in range(3):
        try:
            with transaction.atomic():
                _write(job, token, rows, end, good_rows=True)
        except IntegrityError as error:
            if attempt == 2:
                raise NotNow(
                    _("Somebody changes the same accounts all the time; undo it or import again.")
                ) from error
        except RunsMayStart:
            log.warning("import %s: %s", job.pk, RunsMayStart())
            break
        else:
            break
    job.refresh_from_db()


def _write(job: ImportJob, token: str, rows: SheetDataset, end: int, good_rows: bool) -> None:
    """Write these rows, and with them how to take them back and how far it is."""
    wrong: list[PlannedRow] = []
    _step(job, token, position=end)
    choices = Choices(job.app, who_of(job), good_rows, job.expect_phones, frozenset(job.first_apps))
    resource = AccountResource(choices, watch=lambda row: wrong.append(row) if row.is_wrong else None)
    result: AccountResult = resource.import_data(rows)
    if wrong and not good_rows:
        raise ListChanged
    records.keep_written(job, result.written, result.expected)
    records.keep_checked(job, wrong)
    totals = result.totals
    _step(
        job, token, new=F("new") + totals[RowResult.IMPORT_TYPE_NEW],
        changed=F("changed") + totals[RowResult.IMPORT_TYPE_UPDATE],
        unchanged=F("unchanged") + totals[RowResult.IMPORT_TYPE_SKIP], invalid=F("invalid") + len(wrong),
    )  # fmt: skip


def _over(state: ImportState) -> dict[str, Any]:
    return {"state": state, "finished_at": timezone.now(), "claim": ""}


# Undoing


def _undo(job: ImportJob, token: str) -> None:
    """The parts that were written last go first."""
    for pk in list(job.parts.filter(kind=PartKind.WRITTEN).order_by("-id").values_list("pk", flat=True)):
        started = time.monotonic()
        try:
            with transaction.atomic():
                _undo_part(job, token, ImportPart.objects.get(pk=pk))
        except RunsMayStart:
            log.warning("import %s: %s", job.pk, RunsMayStart())
        if job.is_large:
            pause(time.monotonic() - started)
    _step(job, token, state=ImportState.UNDONE, claim="")
    job.parts.all().delete()


def _undo_part(job: ImportJob, token: str, part: ImportPart) -> None:
    try:
        done = take_back(part.content(), job.actor)
    except Unreadable:
        words = _("%(n)s rows stay: the key that sealed what they were is gone.")
        done = TakenBack(left=[words % {"n": part.changes}])
    part.delete()
    job.left = [*job.left, *done.left][:KEPT_LEFT]
    _step(
        job, token, undone=F("undone") + done.rows, left=job.left, left_count=F("left_count") + len(done.left)
    )


WORK: dict[ImportState, Callable[[ImportJob, str], object]] = {
    ImportState.CHECKING: check,
    ImportState.IMPORTING: _import,
    ImportState.UNDOING: _undo,
}
