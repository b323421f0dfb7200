"""The two phone layers that bench/phones.py sets side by side, each as its users write it."""

from __future__ import annotations

import atexit
from typing import Any, NamedTuple, Protocol

import adbutils
import uiautomator2

from automation import scripts as _registers  # noqa: F401
from automation.protocol import Ticket
from automation.screens.recognise import recognise
from automation.screens.schema import library
from automation.screens.sightings import Sightings, Versions
from automation.scripts.base import run_script
from bench._phones_farm import PACKAGE, PASSWORD
from devices.phones.adb import AdbServer
from devices.phones.deadline import Deadline
from devices.phones.errors import PhoneError
from devices.phones.u2_phone import U2Phone, open_phone
from devices.phones.u2_server import let_go_of_all

SECONDS = 120.0  #: for one run
WAIT = 20.0  #: for one thing on the screen


class Place(NamedTuple):
    """Where a phone is."""

    serial: str
    address: str
    port: int  #: of its adb server

    @property
    def username(self) -> str:
        """The account that is to be signed in there."""
        return f"bench.{self.serial[1:]}"


class Layer(Protocol):
    """What is measured of a phone layer."""

    def sign_in(self, place: Place) -> str:
        """Connect and sign the account in; what went wrong, or nothing."""

    def short_run(self, place: Place) -> None:
        """Connect, look at the screen, let go."""

    def end(self) -> None:
        """What a process does before it ends."""


class Ours:
    """Phonerack's: the script `login`, from whatever screen, with proof of who is signed in."""

    def __init__(self) -> None:
        library()  # an agent has read the screens long before
        self._servers: dict[int, AdbServer] = {}
        self._versions = Versions()

    def server(self, place: Place) -> AdbServer:
        return self._servers.setdefault(place.port, AdbServer(port=place.port))

    def ticket(self, place: Place) -> Ticket:
        account = {"username": place.username, "password": PASSWORD}
        return Ticket(run=1, fence=1, host="b", script="login", serial=place.serial, app="instagram",
                      account=account)  # fmt: skip

    def sign_in(self, place: Place) -> str:
        try:
            with open_phone(self.server(place), place.address, Deadline(SECONDS)) as phone:
                result = run_script(
                    "login", phone, self.ticket(place), sightings=Sightings(self._versions.of)
                )
        except PhoneError as error:
            return f"{place.serial}: {error}"
        return "" if result.outcome == "succeeded" else f"{place.serial}: {result.reason} {result.message}"

    def short_run(self, place: Place) -> None:
        with open_phone(self.server(place), place.address, Deadline(SECONDS)) as phone:
            phone.dump()

    def end(self) -> None:
        let_go_of_all()


class Stock:
    """uiautomator2 as it comes, by a script for exactly these screens."""

    def __init__(self) -> None:
        self._clients: dict[int, adbutils.AdbClient] = {}
        self._open: dict[str, uiautomator2.Device] = {}

    def connect(self, place: Place) -> uiautomator2.Device:
        client = self._clients.setdefault(place.port, adbutils.AdbClient(port=place.port))
        return uiautomator2.connect(client.device(place.address))

    def sign_in(self, place: Place) -> str:
        try:
            self._sign_in(place)
        except Exception as error:  # noqa: BLE001 - whatever it raises is what is to be told
            return f"{place.serial}: {type(error).__name__} {error}"
        return ""

    def _sign_in(self, place: Place) -> None:
        device = self._open[place.serial] = self.connect(place)
        device.app_start(PACKAGE)
        device(description="I already have an account").click(timeout=WAIT)
        device(className="android.widget.EditText", instance=0).set_text(place.username, timeout=WAIT)
        device(className="android.widget.EditText", instance=1).set_text(PASSWORD, timeout=WAIT)
        device(description="Log in", className="android.widget.Button").click(timeout=WAIT)
        device.xpath('//*[@content-desc="Not now"]').click(timeout=WAIT)
        if not device.xpath(f'//*[@resource-id="{PACKAGE}:id/tab_bar"]').wait(timeout=WAIT):
            raise TimeoutError("the feed did not come")
        device.app_current()

    def short_run(self, place: Place) -> None:
        self.connect(place).dump_hierarchy()

    def end(self) -> None:
        for device in self._open.values():
            device.stop_uiautomator(wait=False)
            atexit.unregister(device.stop_uiautomator)


LAYERS: dict[str, type[Any]] = {"ours": Ours, "stock": Stock}


# --- one call, one step


def our_step(phone: U2Phone) -> None:
    """Dump, recognise, tap."""
    verdict = recognise(phone.dump(), PACKAGE, "instagram")
    spot = verdict.find("profile")
    if spot is None:
        raise RuntimeError(f"no profile tab on {verdict.screen}")
    phone.tap(spot)


def stock_step(device: uiautomator2.Device) -> None:
    """The same by xpath."""
    device.xpath(f'//*[@resource-id="{PACKAGE}:id/profile_tab"]').click()
