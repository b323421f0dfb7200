"""Which device a row means."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.excel.cells import CellError
from devices.models import Device


class Phones:
    """All devices of the list, and those that the file announces."""

    def __init__(self) -> None:
        known = list(Device.objects.only("serial", "address", "label"))
        self.by_id = {device.pk: device for device in known}
        self.by_name = {device.address: device for device in known if device.address}
        self.by_name |= {device.serial: device for device in known}
        self.by_label = {device.label: device for device in known if device.label}
        self.expected: list[Device] = []

    def by_identifier(self, identifier: str, label: str) -> Device:
        """The device with this serial or cloud identifier; an unknown one becomes an expected phone."""
        device = self.by_name.get(identifier)
        if device is None:
            device = Device(serial=identifier, label=self._free(label))
            self.by_name[identifier] = device
            self.expected.append(device)
            if device.label:
                self.by_label[device.label] = device
        return device

    def with_label(self, label: str) -> Device | None:
        """The device with this label, None for an empty one. Raises CellError when no device has it."""
        if label and label not in self.by_label:
            raise CellError(
                _("No device has the label %(label)s: fill in “device” instead, or empty this cell.")
                % {"label": label}
            )
        return self.by_label.get(label)

    def name(self, device_id: int | None) -> str:
        """The serial, empty for no device."""
        return self.by_id[device_id].serial if device_id in self.by_id else ""

    def _free(self, label: str) -> str | None:
        return label if label.isdecimal() and label not in self.by_label else None
