"""The page of devices."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from devices import services
from devices.admin.kit import BAD, GOOD, PLAIN, POSITION, WARN, LiveList, PageButtons, pill, two_lines, when
from devices.choices import Connection, Health, Hold
from devices.models import Device
from devices.querysets import DeviceQuerySet
from devices.sheets.pages import TableExport
from devices.tables import DeviceResource

CONNECTION_LOOKS = {
    Connection.ONLINE: GOOD,
    Connection.OFFLINE: BAD,
    Connection.UNAUTHORIZED: WARN,
    Connection.UNKNOWN: PLAIN,
}
HEALTH_ACTIONS = {
    Health.GOOD: "set_good",
    Health.QUARANTINED: "quarantine",
    Health.MAINTENANCE: "maintain",
    Health.RETIRED: "retire",
}
HOT, EMPTY = 42.0, 15  #: °C and % from which an operator should look


class HubFilter(DropdownFilter):
    title, parameter_name = gettext_lazy("hub"), "hub"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Device]) -> list[tuple[str, str]]:
        hubs = Device.objects.exclude(hub="").values_list("hub", flat=True).distinct().order_by("hub")
        return [(hub, hub) for hub in hubs]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        return queryset.filter(hub=self.value()) if self.value() else queryset


@admin.register(Device)
class DeviceAdmin(TableExport, LiveList, PageButtons):
    """Devices come by themselves, when an agent sees them; a person labels them and says how fit they are."""

    resource_classes = [DeviceResource]
    list_display: tuple[str, ...] = ("name", "phone", "place", "connected", "fitness", "power", "seen")
    list_display_links = ("name",)
    list_select_related = ("host",)
    list_filter = (
        ("host", RelatedDropdownFilter),
        HubFilter,
        ("connection", ChoicesCheckboxFilter),
        ("health", ChoicesCheckboxFilter),
    )
    list_filter_submit = True
    list_per_page = 50
    how_rows_come = gettext_lazy("No device yet: it comes by itself once the agent of a host sees the phone.")
    search_fields = ("label", "serial", "address", "model", "host__name", "note")
    chips = (
        (gettext_lazy("all"), ""),
        (gettext_lazy("online"), "connection__exact=online"),
        (gettext_lazy("offline"), "connection__exact=offline"),
        (gettext_lazy("unauthorized"), "connection__exact=unauthorized"),
        (gettext_lazy("kept for a person"), "hold__exact=person"),
        (gettext_lazy("quarantined"), "health__exact=quarantined"),
    )
    fieldsets = (
        (None, {"fields": (("label", "note"),)}),
        (
            None,
            {
                "fields": (
                    ("serial", "address"),
                    ("phone", "place"),
                    ("connected", "fitness"),
                    ("power", "seen"),
                )
            },
        ),
    )
    readonly_fields = ("serial", "address", "phone", "place", "connected", "fitness", "power", "seen")
    actions: tuple[str, ...] = (
        "number_by_position",
        "keep",
        "release",
        "set_good",
        "quarantine",
        "maintain",
        "retire",
    )
    page_buttons: tuple[str, ...] = ("keep", "release", "set_good", "quarantine", "maintain", "retire")

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        return POSITION

    def buttons_for(self, row: Device) -> tuple[str, ...]:
        """Release only what is kept and keep what is not; of the healths only the others."""
        senseless = {HEALTH_ACTIONS[Health(row.health)], "keep" if row.hold == Hold.PERSON else "release"}
        return tuple(name for name in self.page_buttons if name not in senseless)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @display(description=gettext_lazy("device"), ordering="label")
    def name(self, device: Device) -> SafeString:
        return two_lines(device.label or "–", device.serial)

    @display(description=gettext_lazy("phone"), ordering="model")
    def phone(self, device: Device) -> SafeString:
        return two_lines(device.model or "–", f"Android {device.android}" if device.android else "")

    @display(description=gettext_lazy("place"), ordering="hub")
    def place(self, device: Device) -> SafeString:
        position = f"{device.hub}:{device.port}" if device.hub else device.address
        return two_lines(device.host or "–", position)

    @display(description=gettext_lazy("connection"), ordering="connection")
    def connected(self, device: Device) -> SafeString:
        return pill(device.get_connection_display(), CONNECTION_LOOKS[Connection(device.connection)])

    @display(description=gettext_lazy("health"), ordering="health")
    def fitness(self, device: Device) -> SafeString:
        """How fit it is; that it is kept for a person goes before that it is good."""
        if device.health == Health.GOOD and device.hold == Hold.PERSON:
            end = _("until %(time)s") % {"time": when(device.hold_until)} if device.hold_until else ""
            return two_lines(pill(device.get_hold_display(), WARN), end)
        health = pill(device.get_health_display(), GOOD if device.health == Health.GOOD else WARN)
        return two_lines(health, device.health_why) if device.health_why else health

    @display(description=gettext_lazy("battery"), ordering="battery")
    def power(self, device: Device) -> SafeString:
        charge = "–" if device.battery is None else f"{device.battery} %"
        heat = "" if device.temperature is None else f"{device.temperature:.0f} °C"
        low = device.battery is not None and device.battery <= EMPTY
        hot = device.temperature is not None and device.temperature >= HOT
        return two_lines(pill(charge, BAD) if low else charge, pill(heat, BAD) if hot else heat)

    @display(description=gettext_lazy("last seen"), ordering="last_seen")
    def seen(self, device: Device) -> str:
        return when(device.last_seen)

    @admin.action(description=gettext_lazy("Number by position"), permissions=["change"])
    def number_by_position(self, request: HttpRequest, devices: DeviceQuerySet) -> None:
        count = services.number_by_position(devices)
        self.message_user(request, _("%(n)s devices numbered as they stand in the rack.") % {"n": count})

    @admin.action(description=gettext_lazy("Keep for a person"), permissions=["change"])
    def keep(self, request: HttpRequest, devices: DeviceQuerySet) -> None:
        count = services.hold(devices)
        text = ngettext("%(n)s device is given no runs.", "%(n)s devices are given no runs.", count)
        self.message_user(request, text % {"n": count})

    @admin.action(description=gettext_lazy("Release from person"), permissions=["change"])
    def release(self, request: HttpRequest, devices: DeviceQuerySet) -> None:
        count = services.release(devices)
        text = ngettext(
            "%(n)s device given back to the runs.", "%(n)s devices given back to the runs.", count
        )
        self.message_user(request, text % {"n": count})

    @admin.action(description=gettext_lazy("Good"), permissions=["change"])
    def set_good(self, request: HttpRequest, devices: DeviceQuerySet) -> None:
        self._set_health(request, devices, Health.GOOD)

    @admin.action(description=gettext_lazy("Quarantine"), permissions=["change"])
    def quarantine(self, request: HttpRequest, devices: DeviceQuerySet) -> None:
        self._set_health(request, devices, Health.QUARANTINED)

    @admin.action(description=gettext_lazy("Maintenance"), permissions=["change"])
    def maintain(self, request: HttpRequest, devices: DeviceQuerySet) -> None:
        self._set_health(request, devices, Health.MAINTENANCE)

    @admin.action(description=gettext_lazy("Retire"), permissions=["change"])
    def retire(self, request: HttpRequest, devices: DeviceQuerySet) -> None:
        self._set_health(request, devices, Health.RETIRED)

    def _set_health(self, request: HttpRequest, devices: DeviceQuerySet, health: Health) -> None:
        count = services.set_health(devices, health)
        text = ngettext("%(n)s device is %(health)s now.", "%(n)s devices are %(health)s now.", count)
        self.message_user(request, text % {"n": count, "health": health.label})
