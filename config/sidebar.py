"""The left navigation."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _


def _item(title: str, icon: str, name: str) -> dict[str, str]:
    return {"title": title, "icon": icon, "link": reverse(name)}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links, in the order of a day's work."""
    return [
        {
            "items": [
                _item(_("Overview"), "dashboard", "admin:index"),
                _item(_("Accounts"), "person", "admin:accounts_account_changelist"),
                _item(_("Devices"), "smartphone", "admin:devices_device_changelist"),
                _item(_("Hosts"), "dns", "admin:devices_host_changelist"),
                _item(_("Runs"), "play_circle", "admin:automation_run_changelist"),
                _item(_("Campaigns"), "campaign", "admin:automation_campaign_changelist"),
            ]
        },
        {
            "title": _("People"),
            "separator": True,
            "items": [_item(_("Users"), "group", "admin:auth_user_changelist")],
        },
    ]
