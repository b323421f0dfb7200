"""Which simulated phones and logins a demo plays with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from accounts.choices import PACKAGES
from accounts.models import Account
from config.env import BASE
from devices.models import Device

HOSTS = ("pc1", "pc2")
PHONES = 12

OWN_FILE = BASE / "demo" / "accounts.xlsx"
OWN_FARM = BASE / "demo" / "farm.yaml"


def own() -> dict[str, Any]:
    """The farm that goes with demo/accounts.xlsx."""
    farm: dict[str, Any] = yaml.safe_load(OWN_FARM.read_text(encoding="utf-8"))
    return farm


def expect_spare_phones() -> None:
    """SIMPHONE01 to 12 with the labels 1 to 12, so that a list may name its phones by label alone."""
    numbers = range(1, PHONES + 1)
    Device.objects.bulk_create(Device(serial=f"SIMPHONE{n:02}", label=str(n)) for n in numbers)


def for_list() -> dict[str, Any]:
    """A farm for somebody's own file, once it is imported: its phones, with spare ones up to 12, and its logins.

    The simulated services know every account of the list by the password that the list has.
    """
    used = Device.objects.exclude(accounts=None).distinct()
    spare = Device.objects.filter(accounts=None)[: max(0, PHONES - used.count())]
    serials = [device.serial for device in [*used, *spare]]
    Device.objects.exclude(serial__in=serials).delete()
    return {
        "phones": [_phone(serial, number) for number, serial in enumerate(serials)],
        "logins": [_login(account) for account in Account.objects.all()],
    }


def _phone(serial: str, number: int) -> dict[str, Any]:
    """Half of the phones hang on a hub of the first host, the others on one of the second."""
    packages = dict(Account.objects.exclude(package_name="").values_list("package_name", "app"))
    for app, names in PACKAGES.items():
        packages.setdefault(names[0], str(app))
    return {
        "serial": serial,
        "model": "Pixel 6",
        "usb": f"1-{number % len(HOSTS) + 1}.{number // len(HOSTS) + 1}",
        "apps": [{"app": app, "package": package, "delay": 0.2} for package, app in packages.items()],
    }


def _login(account: Account) -> dict[str, Any]:
    return {
        "app": str(account.app),
        "username": account.username,
        "email": account.email,
        "password": account.password.reveal(),
        "totp_secret": account.totp_secret.reveal(),
    }


def shares(farm: dict[str, Any]) -> dict[str, list[str]]:
    """Host -> serials of its phones: the hub says which host it hangs on (1-1.x on the first, 1-2.x on the second)."""
    hubs = sorted({phone["usb"].rpartition(".")[0] for phone in farm["phones"]})
    found: dict[str, list[str]] = {host: [] for host in HOSTS}
    for phone in farm["phones"]:
        found[HOSTS[hubs.index(phone["usb"].rpartition(".")[0]) % len(HOSTS)]].append(phone["serial"])
    return found


def write(farm: dict[str, Any], path: Path) -> Path:
    """The farm as a file for the simulator, readable by its owner only (it holds passwords)."""
    known = {
        name: farm[name] for name in ("phones", "logins")
    }  # what is unplugged later is the demo's own affair
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(known, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
