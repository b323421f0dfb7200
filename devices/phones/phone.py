"""What a script may do with a phone. `u2_phone.py` does it on a real one, tests may do it in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from devices.phones.deadline import Deadline


@dataclass(frozen=True)
class PhoneSeen:
    """One line of an adb server's list of phones."""

    address: str  #: adb's own name of it: the USB serial, or `ip:port`
    state: str  #: adb's word: device, offline, unauthorized, ...
    transport_id: int = 0
    usb_path: str = ""  #: such as `1-4.3`; empty over TCP


@dataclass(frozen=True)
class PhoneFacts:
    """What a phone says about itself."""

    serial: str  #: `ro.serialno`: the identity of the phone, whatever cable or address it hangs on
    model: str = ""
    android: str = ""
    battery: int | None = None  #: percent
    temperature: float | None = None  #: degrees Celsius, of the battery
    usb_path: str = ""  #: `1-4.3`: bus 1, port 4 of the root hub, port 3 of the hub behind it


@dataclass(frozen=True)
class Condition:
    """What may be wrong with a phone itself; None and empty where it does not say."""

    clock_ahead: float | None = None  #: seconds by which its clock is ahead of this host's, to a second
    free_mb: int | None = None  #: room for data
    connected: bool | None = None  #: whether it has a network to use
    language: str = ""  #: of the app that was asked about, else of the phone: `fr`


@dataclass(frozen=True)
class Spot:
    """A place on the screen, taken from a node of the last dump. Never a fixed coordinate."""

    x: int
    y: int


class Phone(Protocol):
    """A live, exclusive handle to one phone. Every call ends by `deadline` and raises only PhoneError."""

    serial: str
    deadline: Deadline

    def dump(self) -> str:
        """The screen as uiautomator's XML, all windows."""

    def screenshot(self) -> bytes:
        """The screen as PNG."""

    def front(self) -> str:
        """What is in front, as `package/activity`; empty when none can be told."""

    def app_version(self, package: str) -> str:
        """The version name of an installed app. Raises AppMissing."""

    def start_app(self, package: str) -> None:
        """Bring the app to the front, from its own start. Raises AppMissing."""

    def stop_app(self, package: str) -> None:
        """Force-stop the app; its data stays (never `pm clear`)."""

    def tap(self, spot: Spot) -> None:
        """Tap once; never repeated by itself."""

    def type_into(self, spot: Spot, text: str, secret: bool = False) -> None:
        """Focus the field at `spot`, replace what it holds by `text`, which reaches no log and no error."""

    def press(self, key: str) -> None:
        """Press `back`, `home` or `enter`."""

    def swipe_up(self) -> None:
        """Scroll the page by about half a screen."""

    def wake(self) -> None:
        """Switch the screen on."""

    def unlock(self) -> None:
        """Take away a lock screen that asks for nothing; one that wants a PIN stays."""

    def condition(self, package: str = "") -> Condition:
        """What may be wrong with the phone itself; `package` is the app whose language is asked for."""

    def restart_ui(self) -> None:
        """Start the uiautomator server on the phone anew. Raises UiServiceDown."""
