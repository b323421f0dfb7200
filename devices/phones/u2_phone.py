"""A real phone as scripts see it, on uiautomator2's server (u2_server.py) and adb."""

from __future__ import annotations

import base64
import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from typing import Any, TypeVar

from PIL import Image

from devices.phones.adb import AdbServer, FastDevice
from devices.phones.condition import QUESTION, ROOM_MB, read_condition
from devices.phones.deadline import Deadline
from devices.phones.errors import AppMissing, NodeGone, PhoneError, StorageFull, UiServiceDown
from devices.phones.phone import Condition, Spot
from devices.phones.u2_server import CALL_SECONDS, FOCUSED, KEPT, U2_ERRORS, NotFound, Ui, meaning

FOCUS_SECONDS = 3.0  #: from the tap on a field until it has the focus
FOCUS_POLL = 0.05  #: between two looks for it
DEPTH = 50  #: of a dump; Instagram needs about 30

_PACKAGE = re.compile(r"[A-Za-z]\w*(\.\w+)+")
_VERSION = "pm path {package}; dumpsys package {package} | grep versionName="
_FRONT = (
    (("window", "windows"), r"mCurrentFocus=Window\{\S+ \S+ ([\w.]+/[\w.$]+)"),
    (("activity", "activities"), r"ResumedActivity: \S+ \S+ ([\w.]+/[\w.$]+)"),
)
_KEYS = {"back": "back", "home": "home", "enter": "enter"}

T = TypeVar("T")


@contextmanager
def open_phone(
    server: AdbServer, address: str, deadline: Deadline, call_seconds: float = CALL_SECONDS
) -> Iterator[U2Phone]:
    """The phone at `address`, for one run. Raises PhoneOffline, PhoneUnauthorized, UiServiceDown."""
    device = FastDevice(server, server.phone(address), deadline, call_seconds)
    phone = U2Phone(device, deadline)
    try:
        yield phone
    except BaseException:
        phone.close(keep_server=False)
        raise
    phone.close(keep_server=True)


class U2Phone:
    """The Phone protocol on a real phone. Made by `open_phone`."""

    def __init__(self, device: FastDevice, deadline: Deadline) -> None:
        self.deadline = deadline
        self.serial: str = device.serial or ""
        self._device = device
        self._in_order = True  #: until a call fails: then the server on the phone is not kept
        try:
            self._do_or_say_full(self._connect)
        except BaseException:
            if hasattr(self, "_ui"):  # it was made, and then the run was over
                self.close(keep_server=False)
            raise

    def _connect(self) -> None:
        self._ui = Ui(self._device, self.deadline)

    def _do_or_say_full(self, connect: Callable[[], None]) -> None:
        """uiautomator2's server cannot be put on a phone that is full: then that is what is said."""
        try:
            self._do(connect)
            return
        except PhoneError as error:
            if type(error) not in (PhoneError, UiServiceDown) or not self._is_full():
                raise
        raise StorageFull

    def _is_full(self) -> bool:
        with suppress(PhoneError):
            free = self.condition().free_mb
            return free is not None and free < ROOM_MB
        return False

    def close(self, keep_server: bool) -> None:
        """Let go of the phone. The server on it stays for the next run unless something went wrong."""
        self._ui.hang_up()
        if keep_server and self._in_order and self._ui._process is not None:
            KEPT[self._device.key] = self._ui._process
            self._device.bound.let_go()
        elif self._ui._process is not None:
            with suppress(PhoneError, *U2_ERRORS):
                self._ui._process.kill()
        self._ui._process = None

    def dump(self) -> str:
        """The screen as uiautomator's XML, all windows; empty when the phone gives none."""
        return str(self._rpc("dumpWindowHierarchy", False, DEPTH) or "")

    def screenshot(self) -> bytes:
        """The screen as PNG."""
        raw = self._do(lambda: self._device.shell(["screencap", "-p"], encoding=None))
        return bytes(raw) if raw.startswith(b"\x89PNG") else self._screenshot_by_server()

    def _screenshot_by_server(self) -> bytes:
        encoded = self._rpc("takeScreenshot", 1, 80)
        if not encoded:
            raise PhoneError("the phone gives no picture of its screen")
        picture = io.BytesIO()
        Image.open(io.BytesIO(base64.b64decode(encoded))).save(picture, "PNG")
        return picture.getvalue()

    def front(self) -> str:
        """What is in front, as `package/activity`; empty when none can be told."""
        for what, pattern in _FRONT:
            if found := re.search(pattern, self._shell("dumpsys", *what)):
                return found[1]
        return ""

    def app_version(self, package: str) -> str:
        """The version name of an installed app. Raises AppMissing."""
        question = _VERSION.format(package=_safe(package))
        said = str(self._do(lambda: self._device.shell(question)))
        if "package:" not in said:
            raise AppMissing(f"{package} is not installed on the phone.")
        found = re.search(r"versionName=(\S+)", said)
        return found[1] if found else ""

    def start_app(self, package: str) -> None:
        """Bring the app to the front, from its own start. Raises AppMissing."""
        launcher = "android.intent.category.LAUNCHER"
        said = self._shell("monkey", "-p", _safe(package), "-c", launcher, "1")
        if "No activities found" in said:
            raise AppMissing(f"{package} is not installed on the phone.")

    def stop_app(self, package: str) -> None:
        """Force-stop the app; its data stays (never `pm clear`)."""
        self._shell("am", "force-stop", _safe(package))

    def tap(self, spot: Spot) -> None:
        """Tap once; never repeated by itself."""
        self._rpc("click", spot.x, spot.y)

    def type_into(self, spot: Spot, text: str, secret: bool = False) -> None:
        """Focus the field at `spot`, replace what it holds by `text`, which reaches no log and no error.

        Raises NodeGone when the field does not take the focus. Secret or not makes no difference here.
        """
        self.tap(spot)
        self._do(partial(self._fill, spot, text), detail=False)

    def _fill(self, spot: Spot, text: str) -> None:
        self._wait_for_focus(spot)
        fill = ("setText", [FOCUSED, text]) if text else ("clearTextField", [FOCUSED])
        done = self._ui.jsonrpc_call(*fill)
        if done is False:
            raise NodeGone("The field did not take the text.")

    def _wait_for_focus(self, spot: Spot) -> None:
        """Wait until the focus is where the tap was: else a password could end up in the field before it."""
        until = time.monotonic() + FOCUS_SECONDS
        while not self._is_at(spot):
            if time.monotonic() >= until:
                raise NodeGone("The field did not take the focus.")
            self.deadline.sleep(FOCUS_POLL)

    def _is_at(self, spot: Spot) -> bool:
        try:
            box = self._ui.jsonrpc_call("objInfo", [FOCUSED])["bounds"]
        except NotFound:
            return False
        return bool(box["left"] <= spot.x < box["right"] and box["top"] <= spot.y < box["bottom"])

    def press(self, key: str) -> None:
        """Press `back`, `home` or `enter`."""
        self._rpc("pressKey", _KEYS[key])

    def swipe_up(self) -> None:
        """Scroll the page by about half a screen."""
        width, height = self._size
        self._rpc("swipe", width // 2, height * 7 // 10, width // 2, height * 2 // 10, 55)

    def wake(self) -> None:
        """Switch the screen on."""
        self._rpc("wakeUp")

    def unlock(self) -> None:
        """Take away a lock screen that asks for nothing; one that wants a PIN stays."""
        self.wake()
        self._shell("wm", "dismiss-keyguard")

    def condition(self, package: str = "") -> Condition:
        """What may be wrong with the phone itself; `package` is the app whose language is asked for."""
        question = QUESTION.format(package=_safe(package) if package else "android")
        begun = time.time()
        said = str(self._do(lambda: self._device.shell(question)))
        return read_condition(said, (begun + time.time()) / 2)

    def restart_ui(self) -> None:
        """Start the uiautomator server on the phone anew. Raises UiServiceDown."""
        self._do(self._ui.stop_uiautomator)
        self._do(self._ui.start_uiautomator)

    @cached_property
    def _size(self) -> tuple[int, int]:
        info = self._rpc("deviceInfo")
        return int(info["displayWidth"]), int(info["displayHeight"])

    def _shell(self, *words: str) -> str:
        return str(self._do(lambda: self._device.shell(list(words))))

    def _rpc(self, method: str, *params: Any) -> Any:
        return self._do(lambda: self._ui.jsonrpc_call(method, list(params)))

    def _do(self, call: Callable[[], T], detail: bool = True) -> T:
        """What `call` returns; the one place where errors of the libraries become ours.

        Ours is raised outside the `except`, so that it does not carry theirs along with what was typed. A cut
        connection may also look like an answer, so the deadline is asked after every call.
        """
        try:
            result = call()
        except U2_ERRORS as error:
            failure = meaning(error, detail)
            self._in_order = self._in_order and isinstance(failure, NodeGone)
        else:
            self.deadline.check()
            return result
        self.deadline.check()
        raise failure


def _safe(package: str) -> str:
    """The package name, if it is one. Raises AppMissing."""
    if not _PACKAGE.fullmatch(package):
        raise AppMissing(f"{package!r} is no package name.")
    return package
