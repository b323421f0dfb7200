"""Named questions about hosts and devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from devices.choices import Connection, Health, Hold

if TYPE_CHECKING:
    from devices.models import Device, Host  # noqa: F401 - named in the base classes below


class HostQuerySet(models.QuerySet["Host"]):
    def trusted(self) -> Self:
        return self.filter(is_trusted=True)

    def alive(self) -> Self:
        return self.filter(is_silent=False)


class DeviceQuerySet(models.QuerySet["Device"]):
    def usable(self) -> Self:
        """Online, in good health, on a trusted host that is heard."""
        return self.filter(
            connection=Connection.ONLINE, health=Health.GOOD, host__is_trusted=True, host__is_silent=False
        )

    def free(self) -> Self:
        """Usable, not kept for a person, neither empty nor hot; a run may still have it."""
        charged = Q(battery=None) | Q(battery__gte=settings.PHONERACK_MIN_BATTERY)
        cool = Q(temperature=None) | Q(temperature__lte=settings.PHONERACK_MAX_TEMPERATURE)
        return self.usable().filter(charged, cool, hold=Hold.NONE)

    def by_position(self) -> Self:
        """As they stand in the rack: host, hub, port; port 2 before port 10."""
        return self.order_by("host__name", Length("hub"), "hub", Length("port"), "port", "serial")

    def called(self, identifier: str) -> Self:
        """The device with this serial or cloud identifier (adb address)."""
        return self.filter(Q(serial=identifier) | Q(address=identifier))
