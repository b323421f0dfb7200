"""The wall of phones: one small cell each, by host and hub, as they stand in the rack."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby

from django.db.models import F, TextChoices
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automation.console.why import Why
from automation.controller.gather import host_trouble
from automation.models import Attention
from devices.admin.kit import POSITION
from devices.choices import Connection, Health, Hold
from devices.models import Device, Host

SUSPECT_PHONES, SUSPECT_SHARE = 3, 0.5  #: so many phones offline at once point to their hub


class Cell(TextChoices):
    """What an operator tells phones apart by."""

    IDLE = "idle", gettext_lazy("idle")
    WORKING = "working", gettext_lazy("working")
    PERSON = "person", gettext_lazy("needs a person")
    OFFLINE = "offline", gettext_lazy("offline")
    QUARANTINED = "quarantined", gettext_lazy("not in use")


@dataclass(frozen=True)
class Phone:
    """One cell."""

    pk: int
    label: str
    state: str
    why: str


@dataclass
class Hub:
    name: str
    phones: list[Phone]

    @property
    def trouble(self) -> str:
        """A sentence when so many of its phones are gone that the hub itself is to blame; else empty."""
        gone, all_ = sum(phone.state == Cell.OFFLINE for phone in self.phones), len(self.phones)
        if not self.name or gone < SUSPECT_PHONES or gone < all_ * SUSPECT_SHARE:
            return ""
        return _("%(gone)s of %(all)s phones offline: look at the hub and its supply.") % {
            "gone": gone,
            "all": all_,
        }


@dataclass
class Shelf:
    """A host with its hubs; `host` is None for phones that no agent has seen."""

    host: Host | None
    trouble: str
    hubs: list[Hub]


@dataclass
class Wall:
    shelves: list[Shelf] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def legend(self) -> list[tuple[str, str, int]]:
        """(state, label, how many), for all states."""
        return [(cell.value, str(cell.label), self.counts[cell.value]) for cell in Cell]


def build(why: Why) -> Wall:
    """The whole wall in four queries, however many phones there are."""
    attention = _devices_needing_person()
    devices = (
        Device.objects.exclude(health=Health.RETIRED)
        .select_related("host")
        .order_by(F("host__name").asc(nulls_last=True), *POSITION[1:])
    )
    wall = Wall()
    for host, on_host in groupby(devices, key=lambda device: device.host):
        hubs = [
            Hub(name, [_phone(device, why, attention) for device in on_hub])
            for name, on_hub in groupby(on_host, key=lambda device: device.hub)
        ]
        wall.shelves.append(Shelf(host, _host_trouble(host), hubs))
    wall.counts.update(phone.state for shelf in wall.shelves for hub in shelf.hubs for phone in hub.phones)
    return wall


def _devices_needing_person() -> set[int]:
    waiting = Attention.objects.waiting(timezone.now()).exclude(device=None)
    return set(waiting.values_list("device_id", flat=True))


def _host_trouble(host: Host | None) -> str:
    if host is None:
        return _("no agent has seen these phones yet")
    return str(host_trouble(host) or "")


def _phone(device: Device, why: Why, attention: set[int]) -> Phone:
    state = _state(device, why, attention)
    return Phone(device.pk, device.label or device.serial[-4:], state, _tooltip(device, why, state))


def _state(device: Device, why: Why, attention: set[int]) -> str:
    if device.health != Health.GOOD:
        return Cell.QUARANTINED
    if device.pk in why.in_hand:
        return Cell.WORKING
    if device.hold == Hold.PERSON:
        return Cell.PERSON
    host = device.host
    if device.connection != Connection.ONLINE or host is None or host.is_silent or not host.is_trusted:
        return Cell.OFFLINE
    return Cell.PERSON if device.pk in attention else Cell.IDLE


def _tooltip(device: Device, why: Why, state: str) -> str:
    parts = [str(device), why.doing(device)]
    if state == Cell.PERSON and device.hold != Hold.PERSON:
        parts[1] = _("an account on it needs a person")
    if device.battery is not None:
        parts.append(f"{device.battery} %")
    if device.temperature is not None:
        parts.append(f"{device.temperature:.0f} °C")
    return " · ".join(parts)
