"""Who a campaign is for, and in which order their runs are made."""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Iterable, Sequence

from accounts.models import Account
from accounts.querysets import AccountQuerySet
from automation.models import Campaign
from automation.scripts.base import SCRIPTS
from automation.services import Target, keys
from devices.choices import Health
from devices.models import Device
from devices.querysets import DeviceQuerySet


def targets_of(campaign: Campaign) -> list[Target]:
    """All that the campaign makes runs for: accounts, or devices where its script needs no account."""
    if needs_account(campaign):
        return interleaved(for_accounts(accounts_of(campaign).order_by("pk")))
    return interleaved(for_devices(devices_of(campaign).order_by("pk")))


def needs_account(campaign: Campaign) -> bool:
    return SCRIPTS[campaign.script].needs_account


def accounts_of(campaign: Campaign) -> AccountQuerySet:
    """The enabled accounts that the campaign is for."""
    return accounts_meant(campaign).enabled()


def accounts_meant(campaign: Campaign) -> AccountQuerySet:
    """The same with the disabled ones, which get no runs. Only what a run and its messages need is read."""
    found = Account.objects.prefetch_related("device").only(
        "app", "username", "is_enabled", "device", "password_refused"
    )
    if campaign.app:
        found = found.filter(app=campaign.app)
    tags = [tag.strip() for tag in campaign.tags.split(",") if tag.strip()]
    tagged = [found.tagged(tag) for tag in tags]
    return functools.reduce(operator.or_, tagged) if tagged else found


def devices_of(campaign: Campaign) -> DeviceQuerySet:
    """The devices that the campaign is for, but retired ones."""
    found: DeviceQuerySet = devices_meant(campaign).exclude(health=Health.RETIRED)
    return found


def devices_meant(campaign: Campaign) -> DeviceQuerySet:
    """With tags, those on which its accounts live; else all."""
    if not campaign.tags:
        return Device.objects.all()
    return Device.objects.filter(pk__in=accounts_of(campaign).values("device_id"))


def for_accounts(accounts: Iterable[Account]) -> list[Target]:
    """Each account on the device it lives on."""
    return [(account, account.device) for account in accounts]


def for_devices(devices: Iterable[Device]) -> list[Target]:
    """Each device by itself."""
    return [(None, device) for device in devices]


def interleaved(targets: Sequence[Target]) -> list[Target]:
    """In an order in which the targets of each device stand as far apart as they can; the same one every time."""
    of_device = Counter(_device(target) for target in targets)
    offset = {device: number / len(of_device) for number, device in enumerate(of_device)}
    seen: Counter[int | None] = Counter()
    places = []
    for number, target in enumerate(targets):
        device = _device(target)
        places.append(((seen[device] + offset[device]) / of_device[device], number))
        seen[device] += 1
    return [targets[number] for _place, number in sorted(places)]


def _device(target: Target) -> int | None:
    return keys(target)[1]
