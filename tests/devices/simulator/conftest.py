"""Real clients for the simulated phones: adbutils and uiautomator2 as they come, with the small delays taken out."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import adbutils
import pytest
import uiautomator2

from devices.simulator.farm import Farm
from tests.phones import MakeFarm, RunningAdb, wait_for

INSTAGRAM = "com.instagram.android"
TIKTOK = "com.zhiliaoapp.musically"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD = "a#%'\"<&=+\\ é漢😀"

LOGINS = [
    {"app": "instagram", "username": "anna.demo", "email": "anna@demo.example", "password": PASSWORD}
    | {"nickname": "Anna", "followers": 1234, "following": 56, "posts": 7},
    {"app": "instagram", "username": "totp.demo", "password": "pw", "totp_secret": SECRET},
    {"app": "instagram", "username": "far.demo", "password": "pw", "totp_secret": SECRET}
    | {"behaviour": "approve_elsewhere"},
    {"app": "instagram", "username": "captcha.demo", "password": "pw", "behaviour": "captcha"},
    {"app": "instagram", "username": "mail.demo", "email": "m.long@demo.example", "password": "pw"}
    | {"behaviour": "email_code", "code": "246810"},
    {"app": "instagram", "username": "odd.demo", "password": "pw", "behaviour": "suspicious"},
    {"app": "instagram", "username": "gone.demo", "password": "pw", "behaviour": "suspended"},
    {"app": "instagram", "username": "fast.demo", "password": "pw", "behaviour": "rate_limited"},
    {"app": "tiktok", "username": "bob.demo", "email": "bob@demo.example", "password": PASSWORD}
    | {"nickname": "Bob", "followers": 12300, "following": 10, "likes": 99000, "videos": 7, "friends": 3},
    {"app": "tiktok", "username": "captcha.demo", "password": "pw", "behaviour": "captcha"},
    {"app": "tiktok", "username": "mail.demo", "email": "m@demo.example", "password": "pw"}
    | {"behaviour": "email_code", "code": "246810"},
    {"app": "tiktok", "username": "totp.demo", "password": "pw", "totp_secret": SECRET},
    {"app": "tiktok", "username": "odd.demo", "password": "pw", "behaviour": "suspicious"},
    {"app": "tiktok", "username": "gone.demo", "password": "pw", "behaviour": "suspended"},
    {"app": "tiktok", "username": "fast.demo", "password": "pw", "behaviour": "rate_limited"},
]


class QuickDevice(adbutils.AdbDevice):  # type: ignore[misc]
    """An AdbDevice without the 40 ms of Nagle and delayed ACK per call."""

    def create_connection(self, network: Any, address: Any) -> socket.socket:
        connection: socket.socket = super().create_connection(network, address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(20)
        return connection


def app(kind: str, **values: Any) -> dict[str, Any]:
    """An installed app for a description."""
    return {"app": kind, **values}


def one_phone(*apps: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The description of a farm with the phone SIM1 and all logins."""
    return {"phones": [{"serial": "SIM1", "apps": list(apps), **values}], "logins": LOGINS}


class Driver:
    """A farm of one phone and the real clients that drive it."""

    def __init__(self, farm: Farm, adb: RunningAdb) -> None:
        self.farm = farm
        self.adb_server = adb
        self.address = farm.phones["SIM1"].address
        self.adb = adb.server.client.device(self.address)
        self._u2: uiautomator2.Device | None = None

    @property
    def u2(self) -> uiautomator2.Device:
        """uiautomator2, connected at the first use."""
        if self._u2 is None:
            transport = next(
                one.transport_id
                for one in self.adb_server.server.client.list(extended=True)
                if one.serial == self.address
            )
            quick = QuickDevice(self.adb_server.server.client, serial=self.address, transport_id=transport)
            self._u2 = uiautomator2.connect(quick)
            self._u2.settings["wait_timeout"] = 5.0
        return self._u2

    @property
    def screen(self) -> str:
        return self.farm.screen("SIM1")

    def await_screen(self, screen: str) -> None:
        """Wait until the phone shows a screen."""
        wait_for(lambda: self.screen == screen, 5, f"{screen} (it shows {self.screen})")

    def tap(self, label: str) -> None:
        """Tap what carries this description or text."""
        by_description = self.u2(description=label)
        (by_description if by_description.exists else self.u2(text=label)).click()

    def fields(self) -> Any:
        return self.u2(className="android.widget.EditText")

    def texts(self) -> list[str]:
        """Every text and description of the dump."""
        nodes = ET.fromstring(self.u2.dump_hierarchy()).iter("node")
        return [text for node in nodes for text in (node.get("text"), node.get("content-desc")) if text]

    def signed_in(self, package: str) -> list[str]:
        return self.farm.signed_in("SIM1", package)


@pytest.fixture
def drive(make_farm: MakeFarm, adb_server: RunningAdb) -> Callable[..., Driver]:
    """A function that starts one phone with the given apps and gives back its driver."""

    def make(*apps: dict[str, Any], **values: Any) -> Driver:
        return Driver(make_farm(one_phone(*apps, **values)), adb_server)

    return make
