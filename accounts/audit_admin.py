"""The page of audit events: read only for everybody, filtered, and out as a file."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter

from accounts.models import AuditEvent
from devices.admin.kit import WrittenByNobody
from devices.sheets.writer import Layout, write_sheet

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
AT_MOST = 100_000  #: rows of an export, the newest
LAYOUT = Layout([20, 20, 24, 28, 24, 50, 18])


@admin.register(AuditEvent)
class AuditEventAdmin(WrittenByNobody, ModelAdmin):
    list_display = ["moment", "actor", "action", "of", "detail", "address"]
    list_filter = ["action", ("at", RangeDateTimeFilter)]
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["actor", "subject", "detail", "address"]
    search_help_text = gettext_lazy("Who, of whom, details or address")
    list_before_template = "accounts/audit_head.html"
    fields = readonly_fields = [
        "moment", "actor", "action", "account", "accounts", "count", "subject", "detail", "address",
    ]  # fmt: skip

    @admin.display(description=gettext_lazy("at"), ordering="id")
    def moment(self, event: AuditEvent) -> str:
        return _at(event)

    @admin.display(description=gettext_lazy("whose"), ordering="subject")
    def of(self, event: AuditEvent) -> str:
        many = _("%(count)s accounts") % {"count": event.count} if event.accounts else ""
        return ", ".join(filter(None, (event.subject, many)))

    # The file

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "export/", self.admin_site.admin_view(self.export), name="accounts_auditevent_export"
        )  # fmt: skip
        return [page, *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponse:
        """What the list shows with these filters, the newest first, as an xlsx."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        events = self.get_changelist_instance(request).get_queryset(request)[:AT_MOST]
        heads = [_("at"), _("who"), _("what"), _("whose"), _("accounts"), _("details"), _("from")]
        data = write_sheet("audit", heads, map(_cells, events), LAYOUT)
        name = f"audit-{timezone.now():%Y%m%d-%H%M}.xlsx"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return HttpResponse(data, content_type=XLSX, headers=headers)


def _cells(event: AuditEvent) -> list[Any]:
    which = event.accounts or (str(event.account_id) if event.account_id else "")
    said = event.get_action_display()
    return [_at(event), event.actor, said, event.subject, which, event.detail, event.address or ""]


def _at(event: AuditEvent) -> str:
    """To the second, and the same in every language: it may have to be compared with a log."""
    return timezone.localtime(event.at).isoformat(sep=" ", timespec="seconds")
