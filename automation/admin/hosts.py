"""The page of hosts, which stay while they have runs in hand."""

from __future__ import annotations

from django.contrib import admin

from automation.admin.mixins import EndsItsRuns
from devices.admin import HostAdmin as StockHostAdmin
from devices.models import Host

admin.site.unregister(Host)


@admin.register(Host)
class HostAdmin(EndsItsRuns, StockHostAdmin):
    actions = (*StockHostAdmin.actions, "delete_selected")
