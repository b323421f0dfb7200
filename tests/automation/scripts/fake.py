"""A phone in memory: a list of screens, and what was done to it."""

from __future__ import annotations

from collections.abc import Callable

from devices.phones.deadline import Deadline
from devices.phones.errors import AppMissing
from devices.phones.phone import Condition, Spot
from tests.automation.dumps import IG


class FakePhone:
    """Shows `screens` one after the other: each tap, text or key goes on to the next; the last one stays."""

    def __init__(self, *screens: str, installed: tuple[str, ...] = (IG,), seconds: float = 30) -> None:
        self.serial = "F1"
        self.deadline = Deadline(seconds)
        self.screens = list(screens)
        self.installed = installed
        self.done: list[str] = []
        self.texts: list[str] = []
        self.on_dump: Callable[[], None] = lambda: None
        self.in_front, self.asked_front = "", 0
        self.stays = False  #: whether the screen stays whatever is done

    def _did(self, what: str) -> None:
        self.deadline.check()
        self.done.append(what)
        if len(self.screens) > 1 and not self.stays:
            self.screens.pop(0)

    def dump(self) -> str:
        self.deadline.check()
        self.on_dump()
        return self.screens[0]

    def screenshot(self) -> bytes:
        return b"\x89PNG"

    def front(self) -> str:
        self.asked_front += 1
        return self.in_front

    def app_version(self, package: str) -> str:
        if package not in self.installed:
            raise AppMissing
        return "1"

    def start_app(self, package: str) -> None:
        self.app_version(package)
        self.done.append(f"start {package}")

    def stop_app(self, package: str) -> None:
        self.done.append(f"stop {package}")

    def tap(self, spot: Spot) -> None:
        self._did("tap")

    def type_into(self, spot: Spot, text: str, secret: bool = False) -> None:
        self.texts.append(text)
        self._did("type")

    def press(self, key: str) -> None:
        self._did(f"press {key}")

    def swipe_up(self) -> None:
        self._did("swipe")

    def wake(self) -> None:
        self.deadline.check()

    def unlock(self) -> None:
        self.done.append("unlock")

    def condition(self, package: str = "") -> Condition:
        return Condition()

    def restart_ui(self) -> None:
        self.done.append("restart ui")
