"""Which device a row means."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.excel.cells import CellError
from devices.models import Device


class Phones:
    """The devices that the rows name, and those that the file announces."""

    def __init__(self) -> None:
        self.by_id: dict[int, Device] = {}
        self.by_name: dict[str, Device] = {}
        self.by_label: dict[str, Device] = {}
        self.expected: list[Device] = []

    def learn(self, names: set[str], labels: set[str], ids: set[int]) -> None:
        """Ask the database for those of these that are not known yet, in one query at most."""
        names, labels, ids = (
            names - self.by_name.keys(),
            labels - self.by_label.keys(),
            ids - self.by_id.keys(),
        )
        if not (names or labels or ids):
            return
        wanted = Q(serial__in=names) | Q(address__in=names) | Q(label__in=labels) | Q(pk__in=ids)
        known = list(Device.objects.filter(wanted).only("serial", "address", "label"))
        self.by_id |= {device.pk: device for device in known}
        self.by_name = {device.address: device for device in known if device.address} | self.by_name
        self.by_name |= {device.serial: device for device in known}
        self.by_label |= {device.label: device for device in known if device.label}

    def by_identifier(self, identifier: str) -> Device | None:
        """The device with this serial or cloud identifier."""
        return self.by_name.get(identifier)

    def announce(self, identifier: str, label: str) -> Device:
        """A device that is not known yet: an expected phone."""
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
