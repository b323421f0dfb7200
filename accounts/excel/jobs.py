"""Imports, as people ask for them: check a file, answer its preview, cancel, undo. Small ones at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit import NOBODY, Who
from accounts.choices import AuditAction
from accounts.excel import records
from accounts.excel.formats import FileRefused, refusal_as_sentence
from accounts.excel.identities import apps_without_accounts
from accounts.excel.models import IMPORTED, WORKING, ImportJob, ImportPart, ImportState, PartKind
from accounts.excel.preview import Preview
from accounts.excel.reader import is_large
from accounts.excel.uploads import LIFETIME_SECONDS, SealedStorage, UploadGone, sweep
from accounts.excel.work import (
    WORK,
    ListChanged,
    NotNow,
    check,
    claim,
    fail,
    forget_upload,
    new_claim,
    said,
    work,
)
from accounts.services import RunsMayStart
from accounts.signals import import_waits

__all__ = ["ListChanged", "NotNow"]

UNDO_DAYS = 7
KEPT_IMPORTS = 50  #: of which what they changed is kept
KEPT_DAYS = 90  #: for which an import stands in the list
UNCLAIMED: dict[str, Any] = {"claim": "", "claimed_until": None}


# What people ask for


def create(
    data: bytes, file_name: str, app: str = "", user: User | None = None, who: Who = NOBODY
) -> ImportJob:
    """An import of these bytes, not yet checked; the bytes wait sealed. Raises FileRefused."""
    with refusal_as_sentence():
        large = is_large(data)
    upload = SealedStorage()
    upload.save(data)
    return ImportJob.objects.create(
        file_name=file_name[:200],
        upload=upload.name,
        app=app,
        user=user,
        actor=who.name,
        address=who.address,
        language=get_language() or "",
        is_large=large,
    )


def check_now(job: ImportJob) -> Preview | None:
    """Check a small import at once; None for one that has to wait for the worker. Raises FileRefused."""
    found = None if job.is_large else _checked(job, here=False)
    if found is None:
        _leave_to_worker(job)
    return found


def check_here(job: ImportJob) -> Preview:
    """Check an import of any size in this process. Raises FileRefused."""
    found = _checked(job, here=True)
    if found is None:
        raise NotNow(_("Another process works on it."))
    return found


def _checked(job: ImportJob, here: bool) -> Preview | None:
    token = claim(job)
    try:
        return check(job, token, here) if token else None
    except (FileRefused, UploadGone):
        discard(job)
        raise


def confirm(job: ImportJob, good_rows: bool = False, expect_phones: bool = False, here: bool = False) -> None:
    """Begin the import: in this process when it is small or `here` is wanted, else the worker takes it.

    Raises NotNow, and ListChanged for one that must be looked at again.
    """
    _check_answer(job, good_rows, expect_phones)
    at_once = here or not job.is_large
    claimed = new_claim() if at_once else UNCLAIMED
    begun = ImportJob.objects.filter(pk=job.pk, state=ImportState.READY).update(
        state=ImportState.IMPORTING, good_rows=good_rows, expect_phones=expect_phones, position=0, message="",
        new=0, changed=0, unchanged=0, invalid=job.invalid, first_apps=sorted(apps_without_accounts()),
        **claimed,
    )  # fmt: skip
    if begun != 1:
        raise NotNow(_("This import does not wait for an answer: look at its page again."))
    job.refresh_from_db()
    SealedStorage(name=job.upload).touch()
    if at_once:
        _now(job)
    else:
        _leave_to_worker(job)


def _check_answer(job: ImportJob, good_rows: bool, expect_phones: bool) -> None:
    if job.invalid and not good_rows:
        raise NotNow(
            _("Some rows have errors: mend them and choose the file again, or import only the good rows.")
        )
    if job.expected_devices and not (expect_phones or good_rows):
        raise NotNow(
            _("The file names phones that are not known: agree that they are expected, or mend the rows.")
        )
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


def undo(job: ImportJob, who: Who = NOBODY) -> None:
    """Take back what the import wrote, unless somebody changed it since. Without its audit row, nothing is.

    Raises NotNow.
    """
    if not can_undo(job):
        raise NotNow(
            _("This import cannot be undone: it wrote nothing, was undone, or is older than 7 days.")
        )
    rows = ImportJob.objects.filter(pk=job.pk, state__in=IMPORTED)
    ids, detail = records.written_accounts(job), f"№ {job.pk}: {job.summary()}"
    with transaction.atomic():
        if rows.update(state=ImportState.UNDOING, **(UNCLAIMED if job.is_large else new_claim())) != 1:
            raise NotNow(_("It is being undone already."))
        audit.note_many(AuditAction.UNDONE, who, ids, job.file_name, detail)
    job.refresh_from_db()
    if job.is_large:
        _leave_to_worker(job)
    else:
        _now(job)


def can_undo(job: ImportJob) -> bool:
    is_over = job.state in IMPORTED and job.finished_at is not None
    if not is_over or job.finished_at < timezone.now() - timedelta(days=UNDO_DAYS):  # type: ignore[operator]
        return False
    return job.parts.filter(kind=PartKind.WRITTEN).exists()


def _leave_to_worker(job: ImportJob) -> None:
    """Tell it at once; else the next tick does."""
    transaction.on_commit(lambda: import_waits.send(ImportJob, job=job))


def _now(job: ImportJob) -> None:
    """Do in this process what it has claimed. Raises NotNow and ListChanged."""
    try:
        WORK[ImportState(job.state)](job, job.claim)
    except UploadGone as error:
        fail(job, job.claim, said(error))
        raise NotNow(said(error)) from error
    except (NotNow, ListChanged, RunsMayStart, DatabaseError):
        raise
    except Exception:
        fail(job, job.claim, _("It ended with an error of the program; the log has it."))
        raise
    finally:
        job.refresh_from_db()


# What the worker does


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
