"""The pages of campaigns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from automation import campaigns, steering
from automation.admin import orders
from automation.admin.campaign_form import SCHEDULE, CampaignForm
from automation.admin.mixins import DeletesWhole, OrderPermissions
from automation.admin.option_fields import names_of
from automation.choices import CampaignState
from automation.console import figures
from automation.console.campaign_page import campaign_page, campaign_pill, schedule_text
from automation.console.looks import script_label
from automation.console.pages import may_view
from automation.console.preview import preview
from automation.models import Campaign
from automation.scripts.base import SCRIPTS
from automation.tables import CampaignResource
from devices.admin.kit import BUSY, PageButtons, pill, two_lines
from devices.sheets.pages import TableExport

#: What may be done with a campaign in each state, as buttons on its page.
BUTTONS = {
    CampaignState.ACTIVE: ("start_now", "pause", "stop"),
    CampaignState.PAUSED: ("resume", "stop"),
    CampaignState.HELD: ("go_on", "stop"),
    CampaignState.STOPPED: ("resume",),
}


def _option_fieldsets() -> list[tuple[str, dict[str, Any]]]:
    """Of the scripts that have options; the class names the script."""
    return [
        (
            _("Options of “%(script)s”") % {"script": script_label(one.name)},
            {"fields": names_of(one), "classes": ["pr-options", f"pr-options-{one.name}"]},
        )
        for one in SCRIPTS.values()
        if one.options
    ]


@admin.register(Campaign)
class CampaignAdmin(OrderPermissions, DeletesWhole, TableExport, PageButtons):
    resource_classes = [CampaignResource]
    form = CampaignForm
    list_display = ("name", "what", "whom", "schedule", "next_start", "last_day", "status")
    list_filter = ("state", "app")
    search_fields = ("name", "tags")
    actions = ("start_now", "pause", "resume", "go_on", "stop", "delete_selected")
    change_form_outer_before_template = "console/campaign_head.html"
    change_form_outer_after_template = "console/campaign.html"
    fieldsets = (
        (None, {"fields": ("name", "script", ("app", "tags"))}),
        (
            gettext_lazy("When"),
            {"fields": (("cron", "every_minutes"), "time_zone", ("missed", "overlap"))},
        ),
        (
            gettext_lazy("How"),
            {"fields": ("canary", ("spread_minutes", "priority"))},
        ),
        (
            gettext_lazy("Limits"),
            {"fields": (("active_from", "active_until"), ("at_most", "per_device_day"))},
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        """The options of each script after its name; console.js shows those of the chosen one."""
        first, *more = self.fieldsets
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return [first, *(_option_fieldsets() if may else []), *more]

    def get_form(
        self, request: HttpRequest, obj: Campaign | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return super().get_form(request, obj, change, **{**kwargs, "fields": CampaignForm.Meta.fields})

    def has_control_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("automation.control_campaign")

    def buttons_for(self, row: Campaign) -> tuple[str, ...]:
        return BUTTONS[CampaignState(row.state)]

    def save_model(self, request: HttpRequest, obj: Campaign, form: CampaignForm, change: bool) -> None:
        """Only what was changed: the tick may write to the same row. A new schedule counts from now."""
        columns = [name for name in form.changed_data if not name.startswith("option-")]
        columns.append("options")
        if SCHEDULE & set(columns):
            obj.checked_at = timezone.now()
            columns.append("checked_at")
        obj.save(update_fields=columns if change else None)

    # The pages

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<int:pk>/preview/",
            self.admin_site.admin_view(self.preview),
            name="automation_campaign_preview",
        )
        return [page, *super().get_urls()]

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Who would be in it, and what would start now."""
        campaign = Campaign.objects.filter(pk=pk).first()
        if campaign is None:
            raise Http404
        if not self.has_view_or_change_permission(request, campaign):
            raise PermissionDenied
        if campaign.script not in SCRIPTS:
            messages.error(request, orders.unknown_script(campaign))
            return redirect("admin:automation_campaign_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Preview of %(name)s") % {"name": campaign},
            "opts": self.opts,
            "campaign": campaign,
            "preview": preview(campaign),
            "may_name": may_view(request, "accounts", "account"),
        }
        return TemplateResponse(request, "console/preview.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        extra = {**(extra_context or {}), **campaign_page(self.get_object(request, object_id))}
        page: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return page

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list; each row knows the counts of its runs."""
        changelist = super().get_changelist_instance(request)
        counts = figures.campaign_runs(timezone.now())
        for campaign in changelist.result_list:
            campaign.run_counts = counts.get(campaign.pk, {})
        return changelist

    # The list

    @display(description=gettext_lazy("script"), ordering="script")
    def what(self, campaign: Campaign) -> str:
        return script_label(campaign.script)

    @display(description=gettext_lazy("for"))
    def whom(self, campaign: Campaign) -> SafeString:
        if campaign.script in SCRIPTS and not SCRIPTS[campaign.script].needs_account:
            return two_lines(campaign.tags or _("all devices"), "")
        return two_lines(campaign.get_app_display() or _("both apps"), campaign.tags or _("all accounts"))

    @display(description=gettext_lazy("schedule"), ordering="cron")
    def schedule(self, campaign: Campaign) -> SafeString:
        text = schedule_text(campaign)
        return two_lines(text or _("by hand"), campaign.time_zone if text else "")

    @display(description=gettext_lazy("next start"))
    def next_start(self, campaign: Campaign) -> str:
        """In the campaign's own zone."""
        due = campaigns.next_due(campaign)
        if due is None:
            return "–"
        return f"{due.astimezone(ZoneInfo(campaign.time_zone)):%Y-%m-%d %H:%M} {campaign.time_zone}"

    @display(description=gettext_lazy("runs of the last 24 hours"))
    def last_day(self, campaign: Any) -> SafeString | str:
        counts = campaign.run_counts
        pills = [(pill(f"{one.count} {one.label}", one.look),) for one in figures.tallies(counts)]
        if counts.get(""):
            pills.append((pill(_("%(n)s not over") % {"n": counts[""]}, BUSY),))
        return format_html_join(" ", "{}", pills) or "–"

    @display(description=gettext_lazy("state"), ordering="state")
    def status(self, campaign: Campaign) -> SafeString:
        return campaign_pill(campaign)

    # The actions

    @admin.action(description=gettext_lazy("Start now"), permissions=["order"])
    def start_now(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        for campaign in chosen:
            orders.start(request, campaign)

    @admin.action(description=gettext_lazy("Pause"), permissions=["control"])
    def pause(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        self._steer(request, chosen, steering.pause)

    @admin.action(description=gettext_lazy("Resume"), permissions=["control"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        self._steer(request, chosen, steering.resume)

    @admin.action(description=gettext_lazy("Go on with the rest"), permissions=["control"])
    def go_on(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        self._steer(request, chosen, campaigns.go_on)

    @admin.action(description=gettext_lazy("Stop and cancel its runs"), permissions=["control"])
    def stop(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        self._steer(request, chosen, steering.stop)

    def _steer(
        self, request: HttpRequest, chosen: QuerySet[Campaign], verb: Callable[[Campaign, str], object]
    ) -> None:
        for campaign in chosen:
            orders.steer(request, campaign, verb)
