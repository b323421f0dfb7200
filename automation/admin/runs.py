"""The pages of runs: written by the system, read by people, who may only cancel them or ask for them again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter, DropdownFilter
from unfold.decorators import display

from automation.admin import orders
from automation.admin.mixins import OrderPermissions, ReasonsInList
from automation.choices import RunState
from automation.console.looks import script_label, status_pill
from automation.console.pages import run_page
from automation.models import Campaign, Run
from automation.scripts.base import SCRIPTS
from automation.tables import RunResource
from devices.admin.kit import LiveList, PageButtons, WrittenByNobody, two_lines, when
from devices.sheets.pages import TableExport


class ScriptFilter(DropdownFilter):
    title, parameter_name = _("script"), "script"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Run]) -> list[tuple[str, str]]:
        return [(name, script_label(name)) for name in SCRIPTS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        return queryset.filter(script=self.value()) if self.value() else queryset


class CampaignFilter(DropdownFilter):
    title, parameter_name = _("campaign"), "campaign"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Run]) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Campaign.objects.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        return queryset.filter(campaign=self.value()) if (self.value() or "").isdigit() else queryset


@admin.register(Run)
class RunAdmin(WrittenByNobody, OrderPermissions, ReasonsInList, TableExport, LiveList, PageButtons):
    resource_classes = [RunResource]
    list_display = ("number", "status", "why", "who", "where", "tries", "took", "asked")
    list_display_links = ("number",)
    list_select_related = ("account", "device__host")
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("outcome", ChoicesCheckboxFilter),
        ScriptFilter,
        CampaignFilter,
        ("device", AutocompleteSelectFilter),
        ("account", AutocompleteSelectFilter),
    )
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    how_rows_come = _(
        "No run yet: choose accounts or devices in their lists and what to do, or start a campaign."
    )
    search_fields = ("account__username", "device__serial", "device__label", "reason", "requested_by")
    search_help_text = _("Username, device serial or label, reason, who asked")
    chips = (
        (_("all"), ""),
        (_("waiting"), "state__exact=pending"),
        (_("running"), "state__exact=running"),
        (_("needs a person"), "outcome__exact=needs_person"),
        (_("failed"), "outcome__exact=failed"),
        (_("errored"), "outcome__exact=errored"),
        (_("lost"), "outcome__exact=lost"),
    )
    actions = ("cancel", "again")
    page_buttons = actions
    change_form_template = "console/run.html"

    def has_view_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return any(request.user.has_perm(f"automation.{verb}_run") for verb in ("view", "change"))

    def buttons_for(self, row: Run) -> tuple[str, ...]:
        return ("again",) if row.state == RunState.FINISHED else ("cancel",)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        extra = {**(extra_context or {}), **run_page(request, self.get_object(request, object_id))}
        page: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return page

    @display(description=_("run"), ordering="pk")
    def number(self, run: Run) -> SafeString:
        return two_lines(script_label(run.script), f"№ {run.pk}")

    @display(description=_("state"), ordering="state")
    def status(self, run: Run) -> SafeString:
        return status_pill(run)

    @display(description=_("why"))
    def why(self, run: Any) -> str:
        return str(run.reasons.of(run))

    @display(description=_("account"), ordering="account__username")
    def who(self, run: Run) -> SafeString:
        account = run.account
        return two_lines(account, account.get_app_display()) if account else two_lines("–", "")

    @display(description=_("device"), ordering="device__label")
    def where(self, run: Run) -> SafeString:
        device = run.device
        return two_lines(device.label or device.serial, device.host or "") if device else two_lines("–", "")

    @display(description=_("attempt"), ordering="attempt")
    def tries(self, run: Run) -> int:
        return run.attempt

    @display(description=_("seconds"))
    def took(self, run: Run) -> str:
        return "" if run.seconds is None else f"{run.seconds:.1f}"

    @display(description=_("asked"), ordering="created_at")
    def asked(self, run: Run) -> SafeString:
        return two_lines(when(run.created_at), run.requested_by)

    @admin.action(description=_("Cancel"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, runs: Any) -> None:
        orders.cancel(request, runs.unfinished())

    @admin.action(description=_("Run again"), permissions=["order"])
    def again(self, request: HttpRequest, runs: Any) -> None:
        orders.again(request, list(runs.finished().select_related("account", "device", "campaign")))
