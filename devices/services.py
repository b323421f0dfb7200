"""The only place where hosts and devices change."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from devices.choices import Connection, Health, Hold
from devices.models import Device, Host
from devices.phones.usb import hub_and_port
from devices.querysets import DeviceQuerySet

log = logging.getLogger(__name__)

NO_SERIAL = "host %s: a phone is left out, for what it gives as its serial is none: %r. Look at it with adb devices -l."
ELSEWHERE = (
    "device %s is online on %s and is also seen by %s: it stays with %s. Unplug it from one of the two, "
    "or stop one of their agents."
)
_said: dict[str, set[str]] = {}  #: host -> what its last heartbeat had this process say

AWAY = (Connection.OFFLINE, Connection.UNKNOWN)  #: what a phone may be that its host no longer sees
FACTS = ("address", "connection", "model", "android", "battery", "temperature", "hub", "port")


class HostKeyChanged(Exception):
    """A host speaks with another key than the one it was pinned to."""


def register_host(name: str, public_key: str) -> Host:
    """The host of that name, made and pinned to its key at the first word of its agent. Raises HostKeyChanged."""
    trusted = settings.PHONERACK_TRUST_NEW_HOSTS
    host, _made = Host.objects.get_or_create(
        name=name, defaults={"public_key": public_key, "is_trusted": trusted}
    )
    if not host.public_key:
        Host.objects.filter(pk=host.pk, public_key="").update(public_key=public_key)
        host.refresh_from_db()
    if host.public_key != public_key:
        raise HostKeyChanged(
            f"Host {name} speaks with a new key. If its state folder was replaced on purpose, use “Forget the key” "
            f"on the host's page; else somebody else uses its name."
        )
    return host


def forget_key(host: Host) -> None:
    """Let the host be pinned anew, untrusted until somebody trusts it again."""
    Host.objects.filter(pk=host.pk).update(public_key="", is_trusted=False)


def trust_hosts(hosts: Iterable[Host], trusted: bool = True) -> int:
    """How many hosts were changed."""
    return Host.objects.filter(pk__in=[host.pk for host in hosts]).update(is_trusted=trusted)


def host_heard(host: Host, when: datetime, **said: object) -> None:
    """Note that the host's agent lives, and its version, lanes and dropped messages."""
    Host.objects.filter(pk=host.pk).update(last_seen=when, is_silent=False, **said)


def host_fell_silent(host: Host) -> bool:
    """Mark a host whose agent is no longer heard; True for the one who noticed first."""
    return Host.objects.filter(pk=host.pk, is_silent=False).update(is_silent=True) == 1


@transaction.atomic
def devices_seen(host: Host, phones: Iterable[dict[str, object]], when: datetime) -> None:
    """Bring the host's devices in step with what its agent sees: new ones are made, gone ones go offline."""
    seen = {str(phone["serial"]): phone for phone in phones}
    wanted = {serial: _facts(phone) for serial, phone in seen.items() if _is_serial(serial)}
    rows = Device.objects.locked().filter(Q(serial__in=wanted) | Q(host=host))
    known = {row["serial"]: row for row in rows.values("serial", "host_id", *FACTS)}
    news = [serial for serial, facts in wanted.items() if _is_news(known.get(serial), host, facts)]
    changed = Device.objects.select_related("host").in_bulk(news, field_name="serial") if news else {}
    left_out = {NO_SERIAL % (host, serial[:64]) for serial in seen.keys() - wanted.keys()}
    for serial in news:
        facts = wanted[serial]
        device = changed.get(serial) or adopt_expected(facts) or Device(serial=serial)
        if _is_elsewhere(device, host):
            left_out.add(ELSEWHERE % (device, device.host, host, device.host))
        else:
            _bring_in_step(device, host, {"serial": serial, "host": host, **facts})
    _say_once(host, left_out)
    Device.objects.filter(host=host, serial__in=wanted).update(last_seen=when)
    gone = [serial for serial, row in known.items() if serial not in wanted and row["connection"] not in AWAY]
    if gone:
        Device.objects.filter(host=host, serial__in=gone).update(connection=Connection.OFFLINE)


def _is_serial(text: str) -> bool:
    """Whether the column takes it as it is. Cut short it would be another phone's."""
    return bool(text) and _fitting("serial", text) == text


def _say_once(host: Host, sentences: set[str]) -> None:
    """Log what this process did not say at the host's last heartbeat."""
    for sentence in sorted(sentences - _said.get(host.name, set())):
        log.warning(sentence)
    _said[host.name] = sentences


def _is_news(row: dict[str, object] | None, host: Host, facts: dict[str, object]) -> bool:
    """Most heartbeats say what is known."""
    return row is None or row["host_id"] != host.pk or any(row[name] != facts[name] for name in facts)


def _facts(phone: dict[str, object]) -> dict[str, object]:
    hub, port = hub_and_port(str(phone.get("usb_path") or ""))
    facts = {name: _fitting(name, phone[name]) for name in FACTS if phone.get(name) is not None}
    return {**facts, "hub": _fitting("hub", hub), "port": _fitting("port", port)}


def _fitting(name: str, value: object) -> object:
    """A value as its column takes it: a phone may say anything."""
    if isinstance(value, str):
        printable = "".join(filter(str.isprintable, value))  # neither NUL nor half a character
        return printable[: getattr(Device._meta.get_field(name), "max_length", None)]
    return min(value, 100) if name == "battery" and isinstance(value, int) else value


def adopt_expected(facts: dict[str, object]) -> Device | None:
    """The device that a file announced under this cloud identifier before it was ever seen."""
    expected = Device.objects.filter(serial=facts.get("address"), connection=Connection.UNKNOWN)
    return expected.select_related("host").first() if facts.get("address") else None


def _bring_in_step(device: Device, host: Host, wanted: dict[str, object]) -> None:
    """Write of the device only what changed."""
    changed = {name: value for name, value in wanted.items() if getattr(device, name) != value}
    for name, value in changed.items():
        setattr(device, name, value)
    if device.label is None:
        device.label = changed["label"] = next_label()
    device.save(update_fields=[*changed] if device.pk else None)  # never what a person set meanwhile


def _is_elsewhere(device: Device, host: Host) -> bool:
    there = device.host
    return (
        there is not None
        and there.pk != host.pk
        and not there.is_silent
        and device.connection == Connection.ONLINE
    )


def next_label() -> str:
    """The smallest number that no device has as its label."""
    return next(_free_labels())


def _free_labels() -> Iterator[str]:
    """Numbers that no device has as its label, from 1 up."""
    taken = set(Device.objects.exclude(label=None).values_list("label", flat=True))
    return (label for label in map(str, itertools.count(1)) if label not in taken)


@transaction.atomic
def number_by_position(devices: DeviceQuerySet | None = None) -> int:
    """Label devices 1, 2, 3... as they stand in the rack (host, hub, port); returns how many."""
    wanted = Device.objects.all() if devices is None else devices
    list(wanted.locked().values_list("pk"))
    ordered = list(wanted.by_position())
    Device.objects.filter(pk__in=[device.pk for device in ordered]).update(label=None)
    for device, label in zip(ordered, _free_labels(), strict=False):
        device.label = label
    Device.objects.bulk_update(ordered, ["label"], batch_size=500)
    return len(ordered)


def hold(devices: Iterable[Device], until: datetime | None = None) -> int:
    """Keep devices for a person: no run is given to them until then, or (None) until they are released.

    Returns how many changed. What somebody keeps without an end stays so.
    """
    rows = Device.objects.filter(pk__in=[device.pk for device in devices])
    if until is not None:
        rows = rows.exclude(hold=Hold.PERSON, hold_until=None)
    return rows.update_in_order(hold=Hold.PERSON, hold_until=until)


def release(devices: Iterable[Device]) -> int:
    """Give devices kept for a person back to the runs."""
    rows = Device.objects.filter(pk__in=[device.pk for device in devices], hold=Hold.PERSON)
    return rows.update_in_order(hold=Hold.NONE, hold_until=None)


def end_hold(devices: Iterable[Device]) -> int:
    """Give back before its time what is kept until then; what somebody keeps without an end stays so."""
    rows = Device.objects.filter(pk__in=[device.pk for device in devices], hold=Hold.PERSON)
    return rows.exclude(hold_until=None).update_in_order(hold=Hold.NONE, hold_until=None)


def end_holds(now: datetime) -> int:
    """Give back the devices whose time for a person is over; returns how many."""
    over = Device.objects.filter(hold=Hold.PERSON, hold_until__lte=now)
    return over.update_in_order(hold=Hold.NONE, hold_until=None) if over.exists() else 0


def set_health(devices: Iterable[Device], health: Health, why: str = "") -> int:
    """Say how fit devices are; only those in good health are given runs. Returns how many changed."""
    rows = Device.objects.filter(pk__in=[device.pk for device in devices]).exclude(health=health)
    return rows.update_in_order(health=health, health_why=why[:200], health_since=timezone.now())


def quarantine(device: Device, why: str) -> bool:
    """Take a device in good health out, for it may be the phone; True for the one who noticed first."""
    good = Device.objects.filter(pk=device.pk, health=Health.GOOD)
    noticed = good.update(health=Health.QUARANTINED, health_why=why[:200], health_since=timezone.now()) == 1
    if noticed:
        log.warning("device %s is quarantined: %s", device, why)
    return noticed


def expect_device(identifier: str, label: str | None = None) -> Device:
    """The device with this serial or cloud identifier; made as an expected one (never seen) if there is none."""
    known = Device.objects.called(identifier).first()
    if known is not None:
        return known
    free = bool(label) and not Device.objects.filter(label=label).exists()
    return Device.objects.create(serial=identifier, label=label if free else None)


def expect_devices(expected: list[Device]) -> None:
    """Write devices that a file announced and no agent has seen, all at once."""
    Device.objects.bulk_create(expected, batch_size=500)


def forget_expected(serials: Iterable[str]) -> int:
    """Remove expected devices that no agent has seen since; returns how many."""
    unseen = Device.objects.filter(serial__in=list(serials), connection=Connection.UNKNOWN, host=None)
    return unseen.filter(last_seen=None).delete()[1].get("devices.Device", 0)
