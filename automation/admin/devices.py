"""The page of devices, with what runs on them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from automation.admin import orders
from automation.admin.mixins import EndsItsRuns, OrderPermissions, ReasonsInList
from automation.admin.own_scripts import OwnScripts
from automation.console.pages import accounts_on, last_match_of, last_runs_of
from automation.models import Run
from devices.admin import DeviceAdmin as StockDeviceAdmin
from devices.admin.kit import BUSY, pill, two_lines
from devices.models import Device
from devices.querysets import DeviceQuerySet

admin.site.unregister(Device)


@admin.register(Device)
class DeviceAdmin(OrderPermissions, EndsItsRuns, ReasonsInList, OwnScripts, StockDeviceAdmin):
    list_display = ("name", "phone", "place", "connected", "fitness", "now", "power", "seen")
    actions = ("match", "cancel", *StockDeviceAdmin.actions, "delete_selected")
    page_buttons = ("match", "cancel", *StockDeviceAdmin.page_buttons)
    change_form_outer_after_template = "console/device.html"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        here = {**accounts_on(request, object_id), **last_match_of(request, object_id)}
        extra = {**(extra_context or {}), **here, **last_runs_of(request, device=object_id)}
        page: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return page

    @display(description=_("now"))
    def now(self, device: Any) -> SafeString:
        """What it does, or why it does nothing."""
        doing = device.reasons.doing(device)
        return pill(doing, BUSY) if device.pk in device.reasons.in_hand else two_lines("", doing)

    scripts_need_account = False

    def order(self, request: HttpRequest, script: str, rows: DeviceQuerySet, options: dict[str, Any]) -> None:
        orders.for_devices(request, script, rows, options=options)

    @admin.action(description=_("Match accounts"), permissions=["order"])
    def match(self, request: HttpRequest, devices: DeviceQuerySet) -> None:
        orders.for_devices(request, "match", devices)

    @admin.action(description=_("Cancel runs"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, devices: DeviceQuerySet) -> None:
        orders.cancel(request, Run.objects.unfinished().filter(device__in=devices.order_by()))
