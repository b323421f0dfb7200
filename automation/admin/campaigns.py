"""The pages of campaigns."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from automation import campaigns
from automation.admin import orders
from automation.admin.mixins import OrderPermissions
from automation.console import figures
from automation.console.looks import script_label
from automation.models import Campaign
from automation.scripts.base import SCRIPTS
from devices.admin.kit import BUSY, GOOD, PLAIN, PageButtons, pill, two_lines

FIELDS = 5  #: of a schedule: minute, hour, day, month, weekday


class CampaignForm(forms.ModelForm):  # type: ignore[type-arg]
    """Says of each wrong entry what would be right."""

    script = forms.ChoiceField(label=capfirst(gettext_lazy("script")), widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Campaign
        fields = ("name", "script", "app", "tags", "cron", "time_zone", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["script"].choices = [(name, script_label(name)) for name in SCRIPTS]  # type: ignore[attr-defined]

    def clean_cron(self) -> str:
        cron = " ".join(self.cleaned_data["cron"].split())
        try:
            if cron and len(cron.split()) != FIELDS:
                raise CronSimError
            if cron:
                next(CronSim(cron, timezone.now()))
        except (CronSimError, StopIteration) as error:
            raise forms.ValidationError(
                _(
                    "“%(cron)s” is no schedule. Write minute, hour, day, month and weekday, "
                    "as “0 3 * * *” for every night at 3:00."
                ),
                params={"cron": cron},
            ) from error
        return cron

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        if zone not in available_timezones():
            raise forms.ValidationError(
                _("“%(zone)s” is no time zone. Write one as “Europe/Amsterdam” or “UTC”."),
                params={"zone": zone},
            )
        return zone


@admin.register(Campaign)
class CampaignAdmin(OrderPermissions, PageButtons):
    form = CampaignForm
    list_display = ("name", "what", "whom", "schedule", "next_start", "last_day", "active")
    list_filter = ("is_active", "app")
    search_fields = ("name", "tags")
    actions = ("start_now",)
    page_buttons = actions
    readonly_fields = ("next_start", "last_day")
    fieldsets = (
        (None, {"fields": ("name", "script", ("app", "tags"))}),
        (
            gettext_lazy("Schedule"),
            {"fields": (("cron", "time_zone"), "is_active", ("next_start", "last_day"))},
        ),
    )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list; each row knows the counts of its runs."""
        changelist = super().get_changelist_instance(request)
        counts = figures.campaign_runs(timezone.now())
        for campaign in changelist.result_list:
            campaign.run_counts = counts.get(campaign.pk, {})
        return changelist

    @display(description=gettext_lazy("script"), ordering="script")
    def what(self, campaign: Campaign) -> str:
        return script_label(campaign.script)

    @display(description=gettext_lazy("for"))
    def whom(self, campaign: Campaign) -> SafeString:
        if campaign.script in SCRIPTS and not SCRIPTS[campaign.script].needs_account:
            return two_lines(_("all devices"), "")
        return two_lines(campaign.get_app_display() or _("both apps"), campaign.tags or _("all accounts"))

    @display(description=gettext_lazy("schedule"), ordering="cron")
    def schedule(self, campaign: Campaign) -> SafeString:
        return two_lines(campaign.cron or _("by hand"), campaign.time_zone if campaign.cron else "")

    @display(description=gettext_lazy("next start"))
    def next_start(self, campaign: Campaign) -> str:
        """In the campaign's own zone."""
        due = campaigns.next_due(campaign) if campaign.pk else None
        if due is None:
            return "–"
        return f"{due.astimezone(ZoneInfo(campaign.time_zone)):%Y-%m-%d %H:%M} {campaign.time_zone}"

    @display(description=gettext_lazy("runs of the last 24 hours"))
    def last_day(self, campaign: Any) -> SafeString | str:
        counts = getattr(campaign, "run_counts", None)
        if counts is None:  # on its own page
            counts = figures.campaign_runs(timezone.now()).get(campaign.pk, {})
        pills = [(pill(f"{one.count} {one.label}", one.look),) for one in figures.tallies(counts)]
        if counts.get(""):
            pills.append((pill(_("%(n)s not over") % {"n": counts[""]}, BUSY),))
        return format_html_join(" ", "{}", pills) or "–"

    @display(description=gettext_lazy("active"), ordering="is_active")
    def active(self, campaign: Campaign) -> SafeString:
        return pill(_("active"), GOOD) if campaign.is_active else pill(_("paused"), PLAIN)

    @admin.action(description=gettext_lazy("Start now"), permissions=["order"])
    def start_now(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        for campaign in chosen:
            orders.start(request, campaign)
