"""The export with passwords: asked for by a form, written down first, behind a password if one is given."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanSwitchWidget

from accounts import audit
from accounts.audit import Who
from accounts.choices import AuditAction
from accounts.excel.lock import lock
from accounts.excel.resources import FILE_NAME
from accounts.querysets import AccountQuerySet


class ExportForm(forms.Form):
    with_passwords = forms.BooleanField(
        label=_("With passwords"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget
    )
    file_password = forms.CharField(
        label=_("Password for the file"), required=False, strip=False, min_length=10, max_length=200,
        help_text=_("Excel asks for it to open the file. Take it off in Excel before you import the file again."),
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip


class ExportPage(admin.ModelAdmin):  # type: ignore[type-arg]
    """Stands before import-export's own. Who may not export passwords gets the file without them at once."""

    @method_decorator(sensitive_post_parameters())
    def export_action(self, request: HttpRequest) -> HttpResponse:
        chosen = ExportForm(request.POST or None)
        if _may(request) and not chosen.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts, "form": chosen, "title": _("Export accounts"),
            }  # fmt: skip
            page = TemplateResponse(request, "accounts/export.html", context)
            page["Cache-Control"] = "no-store"
            return page
        return cast(HttpResponse, super().export_action(request))  # type: ignore[misc]

    def get_export_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        known = super().get_export_resource_kwargs(request, **kwargs)  # type: ignore[misc]
        return {**known, "with_passwords": _with_passwords(request)}

    def get_export_data(
        self, file_format: Any, request: HttpRequest, queryset: AccountQuerySet, **kwargs: Any
    ) -> Any:
        password = request.POST.get("file_password", "")
        if _with_passwords(request):
            note_export(Who.of(request), queryset, is_locked=bool(password))
        data = super().get_export_data(file_format, request, queryset, **kwargs)  # type: ignore[misc]
        return lock(data, password) if password else data


def note_export(who: Who, accounts: AccountQuerySet, is_locked: bool) -> None:
    """Write down whose passwords go into a file."""
    ids = list(accounts.order_by().values_list("pk", flat=True))
    detail = "behind a password" if is_locked else "not behind a password"
    audit.note_many(AuditAction.EXPORTED, who, ids, FILE_NAME, detail)


def _may(request: HttpRequest) -> bool:
    return request.user.has_perm("accounts.export_passwords")


def _with_passwords(request: HttpRequest) -> bool:
    return _may(request) and request.method == "POST" and bool(request.POST.get("with_passwords"))
