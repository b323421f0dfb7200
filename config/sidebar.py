"""The left navigation: groups of links in the order of a day's work, each only for those who may follow it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.excel.models import ImportJob
from automation.console.attention import waiting
from automation.console.pages import may_view
from automation.console.unknown import kinds
from devices.models import Host

Item = dict[str, Any]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links; a badge says how many need somebody."""
    sees_runs = may_view(request, "automation", "run")
    sees_evidence = request.user.has_perm("automation.view_evidence")
    return [
        {
            "items": [
                {"title": _("Overview"), "icon": "dashboard", "link": reverse("admin:index")},
                _page(_("Attention"), "back_hand", "console:attention", sees_runs, waiting),
                _page(_("Unknown screens"), "screen_search_desktop", "console:unknown", sees_evidence, kinds),
                _list(request, _("Accounts"), "person", "accounts.account"),
                _imports(request),
                _list(request, _("Devices"), "smartphone", "devices.device"),
                _list(request, _("Hosts"), "dns", "devices.host", _silent_hosts),
                _list(request, _("Runs"), "play_circle", "automation.run"),
                _list(request, _("Campaigns"), "campaign", "automation.campaign"),
                _matches(request),
                _list(request, _("Screens"), "visibility", "automation.sighting"),
            ]
        },
        {
            "title": _("People"),
            "separator": True,
            "items": [
                _list(request, _("Users"), "group", "auth.user"),
                _list(request, _("Groups"), "shield_person", "auth.group"),
                _list(request, _("Audit"), "policy", "accounts.auditevent"),
            ],
        },
    ]


def _list(
    request: HttpRequest, title: str, icon: str, model: str, count: Callable[[], int] | None = None
) -> Item:
    """The link to the list of a model ("accounts.account")."""
    app, name = model.split(".")
    may = may_view(request, app, name)
    link = reverse(f"admin:{app}_{name}_changelist")
    item: Item = {"title": title, "icon": icon, "link": link, "permission": lambda _request: may}
    return _with_badge(item, count() if count and may else 0)


def _page(title: str, icon: str, name: str, may: bool, count: Callable[[], int] | None = None) -> Item:
    """The link to a page of our own."""
    item: Item = {"title": title, "icon": icon, "link": reverse(name), "permission": lambda _request: may}
    return _with_badge(item, count() if count and may else 0)


def _with_badge(item: Item, number: int) -> Item:
    badge = {"badge": str(number), "badge_variant": "warning", "badge_style": "solid"}
    return {**item, **badge} if number else item


def _imports(request: HttpRequest) -> Item:
    """For those who may import; these see it without a permission of its own."""
    may = admin.site.get_model_admin(ImportJob).has_view_permission(request)
    link = reverse("admin:accounts_importjob_changelist")
    return {"title": _("Imports"), "icon": "upload_file", "link": link, "permission": lambda _request: may}


def _matches(request: HttpRequest) -> Item:
    models = ("automation.{}_run", "accounts.{}_account", "devices.{}_device")
    may = all(any(request.user.has_perm(one.format(verb)) for verb in ("view", "change")) for one in models)
    link = reverse("console:matches")
    return {
        "title": _("Match results"),
        "icon": "join_inner",
        "link": link,
        "permission": lambda _request: may,
    }


def _silent_hosts() -> int:
    return Host.objects.filter(is_silent=True).count()
