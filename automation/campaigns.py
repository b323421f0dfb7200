"""Campaigns: from "login for all accounts with this tag, every night" to pending runs."""

from __future__ import annotations

import functools
import logging
import operator
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim
from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from accounts.querysets import AccountQuerySet
from automation.models import Campaign, Occurrence, Run
from automation.scripts.base import SCRIPTS
from automation.services import enqueue
from devices.choices import Health
from devices.models import Device

log = logging.getLogger(__name__)

MISSED_AFTER = timedelta(hours=1)  #: an occurrence later than that (the system was down) is left out


def start(campaign: Campaign, requested_by: str) -> list[Run]:
    """Make the campaign's runs now: one per account, or per device where the script needs no account."""
    needs_account = SCRIPTS[campaign.script].needs_account
    targets = for_accounts(accounts_of(campaign)) if needs_account else for_devices(devices_of(campaign))
    return enqueue(campaign.script, targets, requested_by=requested_by, campaign=campaign, priority=0)


def accounts_of(campaign: Campaign) -> AccountQuerySet:
    """The enabled accounts that the campaign is for."""
    found = Account.objects.enabled().select_related("device")
    if campaign.app:
        found = found.filter(app=campaign.app)
    tags = [tag.strip() for tag in campaign.tags.split(",") if tag.strip()]
    tagged = [found.tagged(tag) for tag in tags]
    return functools.reduce(operator.or_, tagged) if tagged else found


def devices_of(campaign: Campaign) -> Iterable[Device]:
    """The devices that the campaign is for: with tags, those on which its accounts live; else all but retired ones."""
    devices = Device.objects.exclude(health=Health.RETIRED)
    return devices.filter(pk__in=accounts_of(campaign).values("device_id")) if campaign.tags else devices


def for_accounts(accounts: Iterable[Account]) -> list[tuple[Account, Device | None]]:
    """Each account on the device it lives on."""
    return [(account, account.device) for account in accounts]


def for_devices(devices: Iterable[Device]) -> list[tuple[None, Device]]:
    """Each device by itself."""
    return [(None, device) for device in devices]


def tick(now: datetime | None = None) -> int:
    """Start every campaign that became due since the last tick; returns how many runs were made."""
    now = now or timezone.now()
    return sum(_tick_or_say(campaign, now) for campaign in Campaign.objects.scheduled())


def _tick_or_say(campaign: Campaign, now: datetime) -> int:
    try:
        return _tick_one(campaign, now)
    except Exception:  # a script or a time zone that is gone: the other campaigns must start
        log.exception("campaign %s could not be started", campaign)
        return 0


def _tick_one(campaign: Campaign, now: datetime) -> int:
    due, made = latest_due(campaign, now), []
    with transaction.atomic():
        if due is not None and due >= now - MISSED_AFTER and _first(campaign, due):
            made = start(campaign, requested_by=f"schedule of {campaign.name}")
        Campaign.objects.filter(pk=campaign.pk).update(checked_at=now)
    return len(made)


def _first(campaign: Campaign, due: datetime) -> bool:
    """Whether no other tick has started this occurrence."""
    _occurrence, is_new = Occurrence.objects.get_or_create(campaign=campaign, due_at=due)
    return is_new


def latest_due(campaign: Campaign, now: datetime) -> datetime | None:
    """The last time up to `now` at which the campaign was due and that no tick has looked at yet."""
    since = campaign.checked_at or now
    due, zone = None, ZoneInfo(campaign.time_zone)
    for moment in CronSim(campaign.cron, since.astimezone(zone)):
        if moment > now:
            break
        due = moment
    return due


def next_due(campaign: Campaign, now: datetime | None = None) -> datetime | None:
    """When the schedule starts it next; None for one started by hand."""
    if not campaign.cron or not campaign.is_active:
        return None
    zone = ZoneInfo(campaign.time_zone)
    return next(CronSim(campaign.cron, (now or timezone.now()).astimezone(zone)), None)
