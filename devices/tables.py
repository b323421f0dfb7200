"""The list of devices as a file."""

from __future__ import annotations

from devices.models import Device
from devices.sheets.formats import TableResource


class DeviceResource(TableResource):
    related = ("host",)
    columns = {
        "label": lambda device: device.label or "",
        "serial": lambda device: device.serial,
        "address": lambda device: device.address,
        "host": lambda device: device.host.name if device.host else "",
        "hub": lambda device: device.hub,
        "port": lambda device: device.port,
        "connection": lambda device: device.connection,
        "health": lambda device: device.health,
        "health_why": lambda device: device.health_why,
        "hold": lambda device: device.hold,
        "model": lambda device: device.model,
        "android": lambda device: device.android,
        "battery": lambda device: device.battery,
        "temperature": lambda device: device.temperature,
        "last_seen": lambda device: device.last_seen,
        "note": lambda device: device.note,
    }

    class Meta:
        model = Device
        fields = ()
