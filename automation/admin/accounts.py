"""The page of accounts, with what may be run for them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.admin import AccountAdmin as StockAccountAdmin
from accounts.choices import App
from accounts.models import Account
from accounts.querysets import AccountQuerySet
from automation.admin import orders
from automation.admin.mixins import DeletesWhole, OrderPermissions
from automation.admin.own_scripts import OwnScripts
from automation.choices import LOGIN
from automation.console.figures_page import figures_of
from automation.console.pages import last_runs_of
from automation.models import Run
from devices.admin.kit import LiveList

admin.site.unregister(Account)


@admin.register(Account)
class AccountAdmin(OrderPermissions, DeletesWhole, OwnScripts, StockAccountAdmin, LiveList):
    actions = ["log_in", "match", "sync", "cancel", *StockAccountAdmin.actions, "delete_selected"]
    page_buttons = ("log_in", "match", "sync", "cancel")
    change_form_outer_after_template = "console/account.html"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        account = self.get_object(request, object_id)
        extra = {
            **(extra_context or {}),
            **(figures_of(account, request.GET.get("days", "")) if account else {}),
            **last_runs_of(request, account=object_id),
        }
        page: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return page

    def buttons_for(self, row: Account) -> tuple[str, ...]:
        """Only TikTok shows figures to sync."""
        names = super().buttons_for(row)
        return names if row.app == App.TIKTOK else tuple(name for name in names if name != "sync")

    def order(
        self, request: HttpRequest, script: str, rows: AccountQuerySet, options: dict[str, Any]
    ) -> None:
        orders.for_accounts(request, script, rows, options)

    @admin.action(description=_("Log in"), permissions=["order"])
    def log_in(self, request: HttpRequest, accounts: AccountQuerySet) -> None:
        orders.for_accounts(request, LOGIN, accounts)

    @admin.action(description=_("Match accounts"), permissions=["order"])
    def match(self, request: HttpRequest, accounts: AccountQuerySet) -> None:
        orders.for_devices_of(request, "match", accounts)

    @admin.action(description=_("Sync TikTok data"), permissions=["order"])
    def sync(self, request: HttpRequest, accounts: AccountQuerySet) -> None:
        orders.for_accounts(request, "sync", accounts)

    @admin.action(description=_("Cancel runs"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, accounts: AccountQuerySet) -> None:
        orders.cancel(request, Run.objects.unfinished().filter(account__in=accounts.order_by().values("pk")))
