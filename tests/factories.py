"""Rows for tests: plain functions, each value can be given."""

from __future__ import annotations

from itertools import count
from typing import Any

from accounts.choices import App
from accounts.models import Account
from automation import campaigns
from automation.models import Campaign, Run
from devices.choices import Connection
from devices.models import Device, Host

_number = count(1)


def make_host(**over: Any) -> Host:
    """A trusted host that is heard."""
    values = {"name": f"host-{next(_number)}", "is_trusted": True, "is_silent": False, **over}
    return Host.objects.create(**values)


def make_device(**over: Any) -> Device:
    """A phone that is online on a host of its own, unless `host` is given."""
    number = next(_number)
    values = {"serial": f"SERIAL{number:04}", "label": f"L{number}", "connection": Connection.ONLINE, **over}
    if "host" not in values:
        values["host"] = make_host()
    return Device.objects.create(**values)


def make_account(**over: Any) -> Account:
    """An enabled TikTok account with a password and without a device."""
    number = next(_number)
    values = {
        "app": App.TIKTOK,
        "username": f"user{number}",
        "email": f"user{number}@example.org",
        "password": f"pass-{number}",
        **over,
    }
    return Account.objects.create(**values)


def started(campaign: Campaign) -> list[Run]:
    """The runs that were made as Ann started the campaign, in their order."""
    before = set(Run.objects.values_list("pk", flat=True))
    campaigns.start(campaign, "ann")
    return list(Run.objects.exclude(pk__in=before).order_by("pk"))
