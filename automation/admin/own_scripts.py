"""The user's own scripts among the actions of accounts and devices; one with options asks for them first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from automation.admin.option_fields import OrderForm
from automation.console.looks import script_label
from automation.scripts.base import SCRIPTS, Script
from devices.admin.kit import PageButtons

Action = Callable[[Any, HttpRequest, "QuerySet[Any]"], HttpResponse | None]
PREFIX = "script-"


class OwnScripts(PageButtons):
    """For a list whose rows such scripts are run for. `order` makes the runs of the ticked rows."""

    scripts_need_account = True

    def order(self, request: HttpRequest, script: str, rows: Any, options: dict[str, Any]) -> None:
        raise NotImplementedError

    def own_scripts(self) -> list[Script]:
        return [
            one
            for one in SCRIPTS.values()
            if not one.is_shipped and one.needs_account is self.scripts_need_account
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        offered: dict[str, Any] = super().get_actions(request)
        if offered and self.has_order_permission(request):
            for one in self.own_scripts():
                offered[PREFIX + one.name] = (_action(one), PREFIX + one.name, script_label(one.name))
        return offered

    def buttons_for(self, row: Any) -> tuple[str, ...]:
        return (*super().buttons_for(row), *(PREFIX + one.name for one in self.own_scripts()))


def _action(script: Script) -> Action:
    def order(model_admin: OwnScripts, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        form = OrderForm(script, request.POST if "asked" in request.POST or not script.options else None)
        if not form.is_valid():
            return _ask(model_admin, request, script, rows, form)
        model_admin.order(request, script.name, rows, form.options)
        return None

    return order


def _ask(
    model_admin: OwnScripts, request: HttpRequest, script: Script, rows: QuerySet[Any], form: OrderForm
) -> HttpResponse:
    """The page with the options; it comes back to the same action."""
    ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Run “%(script)s”") % {"script": script_label(script.name)},
        "opts": model_admin.opts,
        "count": rows.count(),
        "form": form,
        "again": {
            "action": PREFIX + script.name,
            "select_across": request.POST.get("select_across", "0"),
            "from_page": request.POST.get("from_page", ""),
        },
        "ticked": ticked,
    }
    return TemplateResponse(request, "console/order.html", context)
