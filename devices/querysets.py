"""Named questions about hosts and devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Q
from django.db.models.functions import Length

from devices.choices import Connection, Health, Hold

if TYPE_CHECKING:
    from devices.models import Device, Host  # noqa: F401 - named in the base classes below

Row = TypeVar("Row", bound=models.Model)


class InOrder(models.QuerySet[Row]):
    """Locks rows in the order of their numbers, as everybody does: then no two wait for each other in a circle."""

    def locked(self) -> Self:
        """For update; other rows may go on pointing at them."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)

    def update_in_order(self, **values: Any) -> int:
        """`update`, which by itself locks the rows as they lie on the disk."""
        with transaction.atomic():
            if connection.features.has_select_for_update:
                list(self.locked().values_list("pk"))
            return self.update(**values)


class HostQuerySet(models.QuerySet["Host"]):
    def trusted(self) -> Self:
        return self.filter(is_trusted=True)

    def alive(self) -> Self:
        return self.filter(is_silent=False)


class DeviceQuerySet(InOrder["Device"]):
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
