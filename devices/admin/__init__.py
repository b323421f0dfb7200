"""Hosts and devices in the admin; what runs on them is added by the automation floor."""

from devices.admin.devices import DeviceAdmin
from devices.admin.hosts import HostAdmin

__all__ = ["DeviceAdmin", "HostAdmin"]
