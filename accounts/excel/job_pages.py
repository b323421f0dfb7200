"""The list of imports, and the page of one: its preview, how far it is, what it did, and undo."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.decorators import display

from accounts import audit
from accounts.audit import Who
from accounts.choices import AuditAction
from accounts.excel import jobs, records
from accounts.excel.models import IMPORTED, WORKING, ImportJob, ImportState
from accounts.excel.pages import page_of, uncached
from accounts.models import Account
from devices.admin.kit import BAD, BUSY, GOOD, PLAIN, WARN, LiveList, WrittenByNobody, pill, two_lines, when

PAGE = 50
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LOOKS = {
    ImportState.READY: WARN,
    ImportState.DONE: GOOD,
    ImportState.FAILED: BAD,
    ImportState.UNDONE: PLAIN,
    ImportState.CANCELED: PLAIN,
}


@admin.register(ImportJob)
class ImportJobAdmin(WrittenByNobody, LiveList):
    """Written by the imports themselves; a person answers the preview, cancels or undoes."""

    list_display = ("file", "status", "counts", "who", "undo_button")
    list_display_links = ("file",)
    list_per_page = 50
    ordering = ("-id",)
    how_rows_come = gettext_lazy("No import yet: it begins in the list of accounts, with “Import”.")

    def has_view_permission(self, request: HttpRequest, obj: ImportJob | None = None) -> bool:
        """For those who may import accounts."""
        return bool(self.admin_site.get_model_admin(Account).has_import_permission(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    # The list

    @display(description=gettext_lazy("file"), ordering="file_name")
    def file(self, job: ImportJob) -> SafeString:
        return two_lines(job.file_name, f"№ {job.pk}")

    @display(description=gettext_lazy("state"), ordering="state")
    def status(self, job: ImportJob) -> SafeString:
        return state_pill(job)

    @display(description=gettext_lazy("rows"))
    def counts(self, job: ImportJob) -> str:
        return job.summary()

    @display(description=gettext_lazy("uploaded"), ordering="created_at")
    def who(self, job: ImportJob) -> SafeString:
        return two_lines(when(job.created_at), job.actor)

    @display(description=gettext_lazy("undo"))
    def undo_button(self, job: ImportJob) -> SafeString | str:
        if not jobs.can_undo(job):
            return ""
        url = reverse("admin:accounts_importjob_undo", args=[job.pk])
        return format_html(
            '<button type="submit" formmethod="post" formaction="{}" class="pr-button">{}</button>',
            url,
            _("Undo"),
        )

    # The page

    def get_urls(self) -> list[URLPattern]:
        pages = (("progress", self.progress), ("cancel", self.cancel), ("undo", self.undo))
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"accounts_importjob_{name}")
            for name, view in pages
        ]
        file = path(
            "<int:pk>/rows-with-errors.xlsx",
            self.admin_site.admin_view(self.bad_rows),
            name="accounts_importjob_bad_rows",
        )
        return [*own, file, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        number = unquote(object_id)
        job = self._job(request, int(number) if number.isdecimal() else 0)
        context = {
            **self.admin_site.each_context(request),
            **facts_of(job),
            **_preview_of(job, request),
            "title": job.file_name,
            "opts": self.opts,
        }
        return uncached(TemplateResponse(request, "accounts/import_job.html", context))

    def _job(self, request: HttpRequest, pk: int) -> ImportJob:
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = ImportJob.objects.filter(pk=pk).first()
        if job is None:
            raise Http404
        return job

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far it is; the whole page anew once nobody works on it any more."""
        job = self._job(request, pk)
        response = TemplateResponse(request, "accounts/import_progress.html", facts_of(job))
        if job.state not in WORKING:
            response["HX-Refresh"] = "true"
        return uncached(response)

    @method_decorator(require_POST)
    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = self._job(request, pk)
        self._try(request, lambda: jobs.cancel(job), _("Canceled."))
        return HttpResponseRedirect(page_of(job))

    @method_decorator(require_POST)
    def undo(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = self._job(request, pk)
        words = _("It is being undone.") if job.is_large else _("Undone.")
        if self._try(request, lambda: jobs.undo(job, Who.of(request)), words):
            self.log_change(request, job, f"Undo of {job.file_name}")
        return HttpResponseRedirect(page_of(job))

    def _try(self, request: HttpRequest, order: Any, words: str) -> bool:
        try:
            order()
        except jobs.NotNow as error:
            messages.error(request, str(error))
            return False
        messages.success(request, words)
        return True

    def bad_rows(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The rows with errors as a file; with passwords only for whoever brought them or may export them."""
        job = self._job(request, pk)
        if not records.error_count(job):
            raise Http404
        may = job.user_id == request.user.pk or request.user.has_perm("accounts.export_passwords")
        if may:
            audit.note_many(AuditAction.EXPORTED, Who.of(request), [], job.file_name, "rows with errors")
        response = HttpResponse(records.bad_rows_file(job, with_passwords=may), content_type=XLSX)
        response["Content-Disposition"] = 'attachment; filename="rows-with-errors.xlsx"'
        return uncached(response)


def state_pill(job: ImportJob) -> SafeString:
    return pill(job.get_state_display(), LOOKS.get(ImportState(job.state), BUSY))


def facts_of(job: ImportJob) -> dict[str, Any]:
    """What the page says of an import beside its rows."""
    return {
        "job": job,
        "pill": state_pill(job),
        "is_working": job.state in WORKING,
        "is_ready": job.state == ImportState.READY,
        "is_over": job.state in IMPORTED,
        "waits": job.state in WORKING and job.is_large and not job.claim,
        "percent": job.position * 100 // job.total if job.total else 0,
        "can_undo": jobs.can_undo(job),
        "more_warnings": job.warning_count - len(job.warnings),
        "more_left": job.left_count - len(job.left),
    }


def _preview_of(job: ImportJob, request: HttpRequest) -> dict[str, Any]:
    if job.state == ImportState.CHECKING:
        return {}
    errors, changes = records.error_count(job), records.change_count(job)
    at_error, at_change = (_page_number(request, name) for name in ("errors", "changes"))
    return {
        "errors": records.errors(job, (at_error - 1) * PAGE, PAGE),
        "changes": records.changes(job, (at_change - 1) * PAGE, PAGE),
        "error_count": errors,
        "error_pages": _pages("errors", at_error, errors, at_change),
        "change_pages": _pages("changes", at_change, changes, at_error),
    }


def _page_number(request: HttpRequest, name: str) -> int:
    number = request.GET.get(name, "")
    return max(int(number), 1) if number.isdecimal() and len(number) < 9 else 1


def _pages(name: str, here: int, count: int, other: int) -> dict[str, Any]:
    """Links to the page before and the page after; each table keeps where the other one is."""
    last = max(-(-count // PAGE), 1)
    others = "changes" if name == "errors" else "errors"
    link = f"?{others}={other}&{name}=%s#import-{name}"
    return {
        "here": here,
        "last": last,
        "before": link % (here - 1) if here > 1 else "",
        "after": link % (here + 1) if here < last else "",
    }
