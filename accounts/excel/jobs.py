"""Imports step by step: check, answer, import, undo. Small ones at once, large ones by the worker in chunks.

The database says how far an import is; a process that works on one has claimed it for a while, so that after its
end another one goes on where it stopped. Every chunk is one transaction with what it changed and how far it came.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import AbstractBaseUser
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from import_export.results import RowResult

from accounts.excel import records
from accounts.excel.formats import REASONS, FileRefused, SheetDataset, format_of
from accounts.excel.identities import CHUNK, apps_without_accounts
from accounts.excel.models import IMPORTED, WORKING, ImportJob, ImportPart, ImportState, PartKind
from accounts.excel.plan import PlannedRow
from accounts.excel.preview import KEPT_WARNINGS, Preview
from accounts.excel.reader import WALL_SECONDS, Refused, is_large
from accounts.excel.resources import AccountResource, AccountResult, Choices
from accounts.excel.undo import TakenBack, take_back
from accounts.excel.uploads import LIFETIME_SECONDS, SealedStorage, UploadGone, sweep
from accounts.keyring import Unreadable
from accounts.services import RunsMayStart

log = logging.getLogger(__name__)

INLINE_ROWS = 2000  #: up to here a page waits for it
LARGE_CHUNK = 100  #: rows in one transaction of a large import: how long other writers wait
PAUSE_SECONDS = 0.11  #: between two of them, for others to get in: SQLite looks every 0.1 s whether it may write
TAKEN_SECONDS = 20  #: a process that is silent for so long is gone
UNDO_DAYS = 7
KEPT_IMPORTS = 50  #: of which what they changed is kept
KEPT_DAYS = 90  #: for which an import stands in the list
KEPT_LEFT = 200


class Stopped(Exception):
    """The import was canceled meanwhile, or another process works on it."""


class NotNow(Exception):
    """What was asked for makes no sense in this state; the message says why."""


class ListChanged(Exception):
    """Rows that were good in the preview have errors now."""


# What people ask for


def create(
    data: bytes, file_name: str, app: str = "", user: AbstractBaseUser | None = None, actor: str = ""
) -> ImportJob:
    """An import of these bytes, not yet checked; the bytes wait sealed. Raises FileRefused."""
    try:
        large = is_large(data)
    except Refused as refused:
        raise FileRefused(str(REASONS[refused.args[0]])) from refused
    upload = SealedStorage()
    upload.save(data)
    return ImportJob.objects.create(
        file_name=file_name[:200], upload=upload.name, app=app, user=user, actor=actor, is_large=large
    )


def check_now(job: ImportJob) -> Preview | None:
    """Check a small import at once; None for one that has to wait for the worker. Raises FileRefused."""
    if job.is_large:
        return None
    token = claim(job)
    try:
        return _check(job, token) if token else None
    except (FileRefused, UploadGone):
        discard(job)
        raise


def confirm(job: ImportJob, good_rows: bool = False, expect_phones: bool = False) -> None:
    """Begin the import: at once when it is small. Raises NotNow, and ListChanged for one that must be looked at again."""
    _check_answer(job, good_rows, expect_phones)
    begun = ImportJob.objects.filter(pk=job.pk, state=ImportState.READY).update(
        state=ImportState.IMPORTING, good_rows=good_rows, expect_phones=expect_phones, position=0, message="",
        new=0, changed=0, unchanged=0, invalid=job.invalid, first_apps=sorted(apps_without_accounts()),
        claim="", claimed_until=None,
    )  # fmt: skip
    if begun != 1:
        raise NotNow(_("This import does not wait for an answer: look at its page again."))
    job.refresh_from_db()
    SealedStorage(name=job.upload).touch()
    if not job.is_large:
        _now(job)


def _check_answer(job: ImportJob, good_rows: bool, expect_phones: bool) -> None:
    if job.invalid and not good_rows:
        raise NotNow(
            _("Some rows have errors: mend them and choose the file again, or import only the good rows.")
        )
    if job.expected_devices and not (expect_phones or good_rows):
        raise NotNow(_("The file names phones that are not known: agree that they are expected, or mend the rows."))
    if not job.new + job.changed:
        raise NotNow(_("There is nothing to import: no row changes anything."))


def cancel(job: ImportJob) -> None:
    """Stop it; what was imported before stays, and can be undone."""
    open_states = (ImportState.CHECKING, ImportState.READY, ImportState.IMPORTING)
    rows = ImportJob.objects.filter(pk=job.pk, state__in=open_states)
    if rows.update(state=ImportState.CANCELED, finished_at=timezone.now(), claim="") != 1:
        raise NotNow(_("It is over already."))
    forget_upload(job)
    if not job.parts.filter(kind=PartKind.WRITTEN).exists():
        job.parts.all().delete()


def discard(job: ImportJob) -> None:
    """As if it had never been."""
    forget_upload(job)
    job.delete()


def undo(job: ImportJob) -> None:
    """Take back what the import wrote, unless somebody changed it since. Raises NotNow."""
    if not can_undo(job):
        raise NotNow(_("This import cannot be undone: it wrote nothing, was undone, or is older than 7 days."))
    rows = ImportJob.objects.filter(pk=job.pk, state__in=IMPORTED)
    if rows.update(state=ImportState.UNDOING, claim="", claimed_until=None) != 1:
        raise NotNow(_("It is being undone already."))
    job.refresh_from_db()
    if not job.is_large:
        _now(job)


def can_undo(job: ImportJob) -> bool:
    is_over = job.state in IMPORTED and job.finished_at is not None
    if not is_over or job.finished_at < timezone.now() - timedelta(days=UNDO_DAYS):  # type: ignore[operator]
        return False
    return job.parts.filter(kind=PartKind.WRITTEN).exists()


def forget_upload(job: ImportJob) -> None:
    if job.upload:
        SealedStorage(name=job.upload).remove()


# Who works on it


def tick() -> int:
    """Forget what is old, and do all that waits for the worker; returns how many imports it worked on."""
    expire()
    done = 0
    while not _is_somebody_at_work() and (job := _waiting().first()) and work(job):
        done += 1
    return done


def _waiting() -> Any:
    """What nobody works on: large ones, and small ones whose process is gone."""
    silent = Q(claimed_until=None, is_large=True) | Q(claimed_until__lt=timezone.now())
    return ImportJob.objects.filter(silent, state__in=WORKING).order_by("id")


def _is_somebody_at_work() -> bool:
    """One import at a time: they would only wait for each other, and the campaign tick needs a thread too."""
    now = timezone.now()
    return ImportJob.objects.filter(state__in=WORKING, is_large=True, claimed_until__gte=now).exists()


def claim(job: ImportJob) -> str:
    """The right to work on it, as long as the work goes on; empty when another process has it."""
    token, now = uuid4().hex, timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    rows = ImportJob.objects.filter(free, pk=job.pk, state__in=WORKING)
    until = now + timedelta(seconds=WALL_SECONDS + TAKEN_SECONDS)  # reading the file comes first
    taken = rows.update(claim=token, claimed_until=until)
    job.refresh_from_db()
    return token if taken else ""


def work(job: ImportJob) -> bool:
    """Do what its state asks for; False when another process does."""
    token = claim(job)
    if not token:
        return False
    try:
        WORK[ImportState(job.state)](job, token)
    except Stopped:
        log.info("import %s was stopped", job.pk)
    except (FileRefused, UploadGone, NotNow) as error:
        _fail(job, token, _said(error))
    except DatabaseError:
        raise  # goes on when the claim has run out
    except Exception:
        _fail(job, token, _("It ended with an error of the program; the worker's log has it."))
        raise
    return True


def _now(job: ImportJob) -> None:
    """Work on a small import in this process. Raises ListChanged."""
    token = claim(job)
    if not token:
        raise NotNow(_("Another process works on it."))
    try:
        WORK[ImportState(job.state)](job, token)
    except UploadGone as error:
        _fail(job, token, _said(error))
        raise NotNow(_said(error)) from error
    finally:
        job.refresh_from_db()


def _said(error: Exception) -> str:
    return _("This upload is no longer there: choose the file again.") if isinstance(
        error, UploadGone
    ) else str(error)


def _fail(job: ImportJob, token: str, message: str) -> None:
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
    dataset = format_of(data, job.file_name).create_dataset(data)
    if len(dataset) > INLINE_ROWS:
        job.is_large = True
    return dataset


# Checking


def _check(job: ImportJob, token: str) -> Preview | None:
    """Plan all rows and keep what they would do; None for one that turned out to be large."""
    was_large = job.is_large
    dataset = _dataset(job)
    if job.is_large and not was_large:
        _step(job, token, is_large=True, total=len(dataset))
        ImportJob.objects.filter(pk=job.pk, claim=token).update(claim="", claimed_until=None)
        return None
    job.parts.all().delete()
    _step(job, token, total=len(dataset), position=0)
    keeper = _Keeper(job, token)
    resource = AccountResource(Choices(job.app, job.actor), watch=keeper.see)
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
        time.sleep(max(PAUSE_SECONDS, time.monotonic() - started))
    _step(job, token, **_over(ImportState.DONE))
    forget_upload(job)


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
        _check(job, token)
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
                raise NotNow(_("Somebody changes the same accounts all the time; undo it or import again.")) from error
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
    choices = Choices(job.app, job.actor, good_rows, job.expect_phones, frozenset(job.first_apps))
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
            time.sleep(max(PAUSE_SECONDS, time.monotonic() - started))
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


WORK = {ImportState.CHECKING: _check, ImportState.IMPORTING: _import, ImportState.UNDOING: _undo}


# What is old


def expire() -> None:
    """Forget uploads that nobody confirmed, what can no longer be undone, and imports of long ago."""
    sweep()
    now = timezone.now()
    unanswered = ImportJob.objects.filter(
        state=ImportState.READY, created_at__lt=now - timedelta(seconds=LIFETIME_SECONDS)
    )
    for job in unanswered:
        cancel(job)
    old = Q(finished_at__lt=now - timedelta(days=UNDO_DAYS))
    _forget_parts(ImportJob.objects.filter(old).values_list("pk", flat=True))
    _forget_parts(_with_parts()[KEPT_IMPORTS:])
    ImportJob.objects.filter(finished_at__lt=now - timedelta(days=KEPT_DAYS)).delete()


def _with_parts() -> Any:
    """Imports that are over and still hold what they changed, the newest first."""
    written = ImportPart.objects.filter(kind=PartKind.WRITTEN, job__state__in=IMPORTED)
    return written.order_by("-job_id").values_list("job_id", flat=True).distinct()


def _forget_parts(ids: Iterable[int]) -> None:
    wanted = list(ids)
    if wanted:
        ImportPart.objects.filter(job_id__in=wanted).delete()
