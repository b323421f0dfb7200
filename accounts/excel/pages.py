"""Import and export in the admin."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.admin import ImportExportModelAdmin
from import_export.forms import ConfirmImportForm
from unfold.contrib.import_export.forms import ImportForm
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.audit import Who
from accounts.choices import App
from accounts.excel.formats import AccountsXLSX, FileRefused
from accounts.excel.preview import Preview
from accounts.excel.resources import FILE_NAME, AccountResource, AccountResult
from accounts.excel.uploads import SealedStorage, UploadGone

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
        self.fields["import_file"].widget.attrs["accept"] = ".xlsx"


class AccountConfirmForm(ConfirmImportForm):
    app = forms.ChoiceField(choices=APP_CHOICES, required=False, widget=forms.HiddenInput)


class ExcelPages(ImportExportModelAdmin):
    """accounts.xlsx in, with a preview first; accounts.xlsx out, with passwords only for those who may."""

    resource_classes = [AccountResource]
    formats = [AccountsXLSX]
    import_form_class = AccountImportForm
    confirm_form_class = AccountConfirmForm
    tmp_storage_class = SealedStorage
    skip_export_form = True
    import_template_name = "accounts/import.html"

    def has_import_permission(self, request: HttpRequest) -> bool:
        may_write = self.has_add_permission(request) and self.has_change_permission(request)
        return bool(may_write and request.user.has_perm("accounts.import_accounts"))

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

    # Import

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form")
        app = (
            form.cleaned_data.get("app", "") if form is not None and form.is_bound and form.is_valid() else ""
        )
        who = Who.of(request)
        return {"app": app, "actor": who.name, "address": who.address}

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial = super().get_confirm_form_initial(request, import_form)
        if import_form is not None:
            initial["app"] = import_form.cleaned_data["app"]
        return dict(initial)

    def add_data_read_fail_error_to_form(self, form: forms.Form, e: Exception) -> None:
        if not isinstance(e, FileRefused):
            raise e
        form.add_error("import_file", str(e))

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The form, or the preview. An upload that cannot be confirmed is not kept."""
        response = super().import_action(request, **kwargs)
        upload = request.FILES.get("import_file")
        name = getattr(upload, "tmp_storage_name", "")
        if name and "confirm_form" not in response.context_data:
            SealedStorage(name=name).remove()
        return _uncached(response)

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Import what was confirmed; the upload is gone afterwards, whatever happened."""
        try:
            return cast(HttpResponse, super().process_import(request, **kwargs))
        except UploadGone:
            messages.error(request, _("This upload is no longer there: choose the file again."))
        except IntegrityError:
            messages.error(request, _("The list was changed by somebody else meanwhile: import again."))
        finally:
            _forget(request.POST.get("import_file_name", ""))
        return self._back_to_import()

    def process_result(self, result: AccountResult, request: HttpRequest) -> HttpResponse:
        if result.has_validation_errors():
            messages.error(
                request, _("The list has changed since the preview: nothing was imported. Look again.")
            )
            return self._back_to_import()
        return cast(HttpResponse, super().process_result(result, request))

    def _back_to_import(self) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:accounts_account_import"))

    def generate_log_entries(self, result: AccountResult, request: HttpRequest) -> None:
        self._note(request, f"Imported {FILE_NAME}: {result.preview.summary()}")

    def add_success_message(self, result: AccountResult, request: HttpRequest) -> None:
        found: Preview = result.preview
        messages.success(request, _("Imported: %(summary)s.") % {"summary": found.summary()})

    # Export

    def get_export_filename(self, *_args: Any) -> str:
        return FILE_NAME

    def export_action(self, request: HttpRequest) -> HttpResponse:
        return _uncached(super().export_action(request))

    def _note(self, request: HttpRequest, what: str) -> None:
        """One line in the admin's log."""
        LogEntry.objects.create(
            user_id=request.user.pk or 0,
            content_type=ContentType.objects.get_for_model(self.model),
            object_repr=what[:200],
            action_flag=CHANGE,
            change_message=what,
        )


def _forget(name: str) -> None:
    try:
        SealedStorage(name=name).remove()
    except UploadGone:
        return


def _uncached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
