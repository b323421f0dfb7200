"""Import and export in the admin."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import Format
from unfold.contrib.import_export.forms import ImportForm
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.audit import Who
from accounts.choices import App
from accounts.excel import jobs
from accounts.excel.formats import AccountsCSV, AccountsXLSX, FileRefused
from accounts.excel.models import ImportJob
from accounts.excel.resources import FILE_NAME, AccountResource, Choices
from accounts.excel.uploads import SealedStorage
from devices.sheets.pages import CSVExport

APP_CHOICES = [("", gettext_lazy("as each row says")), *App.choices]


class AccountImportForm(ImportForm):
    app = forms.ChoiceField(
        label=gettext_lazy("App"),
        choices=APP_CHOICES,
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy(
            "For a file that does not say it: one without the columns “app” and “packagename”."
        ),
    )
    field_order = ["resource", "import_file", "app", "format"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["format"].required = False  # the file says it
        self.fields["import_file"].widget.attrs["accept"] = ".xlsx,.csv"


class ExcelPages(CSVExport, ImportExportModelAdmin):
    """accounts.xlsx in, with a preview first; accounts.xlsx out, with passwords only for those who may."""

    resource_classes = [AccountResource]
    formats = [AccountsXLSX, AccountsCSV]
    import_form_class = AccountImportForm
    tmp_storage_class = SealedStorage
    skip_export_form = True
    import_template_name = "accounts/import.html"
    import_export_change_list_template = "accounts/change_list.html"

    def has_import_permission(self, request: HttpRequest) -> bool:
        may_write = self.has_add_permission(request) and self.has_change_permission(request)
        return bool(may_write and request.user.has_perm("accounts.import_accounts"))

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

    # Import

    def get_import_resource_kwargs(self, request: HttpRequest, **_kwargs: Any) -> dict[str, Any]:
        return {"choices": Choices(who=Who.of(request))}

    def create_import_form(self, request: HttpRequest) -> forms.Form:
        """The one that `import_action` has looked at already, with what is wrong with it."""
        seen: forms.Form | None = getattr(request, "import_form", None)
        return seen or super().create_import_form(request)

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The form; a file that can be read goes on to the page of its import."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            request.import_form = form = self.create_import_form(request)  # type: ignore[attr-defined]
            job = self._begin(request, form) if form.is_valid() else None
            if job:
                return HttpResponseRedirect(page_of(job))
        return uncached(super().import_action(request, **kwargs))

    def _begin(self, request: HttpRequest, form: forms.Form) -> ImportJob | None:
        """The import of the file, checked if it is small; None when the file is refused, as the form then says."""
        file, app = form.cleaned_data["import_file"], form.cleaned_data["app"]
        try:
            user = cast(User, request.user)
            job = jobs.create(file.read(), file.name, app, user, Who.of(request))
            found = jobs.check_now(job)
        except FileRefused as refused:
            form.add_error("import_file", str(refused))
            return None
        if found is not None and not found.total:
            jobs.discard(job)
            form.add_error("import_file", _("The sheet has no rows: nothing to import."))
            return None
        return job

    @method_decorator(require_POST)
    def process_import(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        """The answer to a preview: import it, all of it or only the good rows."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        number = request.POST.get("job", "")
        job = get_object_or_404(ImportJob, pk=number if number.isdecimal() else 0)
        try:
            jobs.confirm(job, request.POST.get("rows") == "good", bool(request.POST.get("expect_phones")))
        except (jobs.NotNow, jobs.ListChanged) as error:
            messages.error(request, str(error))
        else:
            self._say_begun(request, job)
        return HttpResponseRedirect(page_of(job))

    def _say_begun(self, request: HttpRequest, job: ImportJob) -> None:
        if job.is_large:
            self._note(request, f"Began to import {job.file_name}")
        else:
            self._note(request, f"Imported {job.file_name}: {job.summary()}")
            messages.success(request, _("Imported: %(summary)s.") % {"summary": job.summary()})

    # Export

    def get_export_filename(self, _request: HttpRequest, _queryset: Any, file_format: Format) -> str:
        return f"{FILE_NAME.partition('.')[0]}.{file_format.get_extension()}"

    def _note(self, request: HttpRequest, what: str) -> None:
        """One line in the admin's log."""
        LogEntry.objects.create(
            user_id=request.user.pk or 0,
            content_type=ContentType.objects.get_for_model(self.model),
            object_repr=what[:200],
            action_flag=CHANGE,
            change_message=what,
        )


def page_of(job: ImportJob) -> str:
    return reverse("admin:accounts_importjob_change", args=[job.pk])


def uncached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
