"""A real phone through uiautomator2; the only file that imports it.

uiautomator2 puts typed text into its exceptions and its DEBUG log, waits without a bound, and sends a call
again after it has restarted its server on the phone. Here every call ends with the run, nothing that changes
the screen is sent twice, and its log stays silent below WARNING.
"""

from __future__ import annotations

import atexit
import base64
import http.client
import io
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from typing import Any, TypeVar

import uiautomator2
from PIL import Image
from uiautomator2 import exceptions as u2_errors
from uiautomator2.core import _jsonrpc_call

from devices.phones.adb import ADB_ERRORS, AdbServer, FastDevice, our_error
from devices.phones.condition import QUESTION, ROOM_MB, read_condition
from devices.phones.deadline import Deadline
from devices.phones.errors import AppMissing, NodeGone, PhoneError, PhoneHung, StorageFull, UiServiceDown
from devices.phones.phone import Condition, Spot

for _name in ("uiautomator2", "uiautomator2.core", "uiautomator2.base", "urllib3"):
    logging.getLogger(_name).setLevel(logging.WARNING)

CALL_SECONDS = (
    30.0  #: a phone that says nothing for so long hangs; a dump waits up to 10 s for an idle screen
)
START_SECONDS = 30.0  #: what the server on the phone may take to start
FOCUS_SECONDS = 3.0  #: from the tap on a field until it has the focus
FOCUS_POLL = 0.05  #: between two looks for it
DEPTH = 50  #: of a dump; Instagram needs about 30
PORT = 9008  #: of the server on the phone

#: Calls that only look; all others are sent once.
READING = frozenset({"deviceInfo", "dumpWindowHierarchy", "takeScreenshot", "objInfo"})

U2_ERRORS: tuple[type[Exception], ...] = (
    u2_errors.BaseException,
    http.client.HTTPException,
    json.JSONDecodeError,
    *ADB_ERRORS,
)
_SERVER_GONE = (u2_errors.HTTPError, u2_errors.UiAutomationNotConnectedError, ConnectionError)
_PACKAGE = re.compile(r"[A-Za-z]\w*(\.\w+)+")
_FRONT = (
    (("window", "windows"), r"mCurrentFocus=Window\{\S+ \S+ ([\w.]+)/"),
    (("activity", "activities"), r"ResumedActivity: \S+ \S+ ([\w.]+)/"),
)
_KEYS = {"back": "back", "home": "home", "enter": "enter"}

T = TypeVar("T")

#: The stream that keeps a phone's server alive, from one run to the next.
_kept: dict[tuple[str, int, str], Any] = {}


def let_go_of_all() -> None:
    """End every server that is kept for a next run: at the end of a process, and where sockets are counted."""
    for name in list(_kept):
        if (process := _kept.pop(name, None)) is not None:
            process.kill()


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


class _Ui(uiautomator2.Device):
    """uiautomator2's device: its waits end with the run, and only reading calls are ever sent twice."""

    def __init__(self, device: FastDevice, deadline: Deadline) -> None:
        self.deadline = deadline
        self._process: Any = None
        super().__init__(device)
        atexit.unregister(self.stop_uiautomator)  # it would hold every phone of the process for ever

    def start_uiautomator(self) -> None:
        if self._process is None:
            self._process = _kept.pop(self._dev.key, None)
        if not self._check_alive():
            super().start_uiautomator()

    def _wait_ready(self, launch_timeout: float = START_SECONDS) -> None:
        until = time.monotonic() + launch_timeout
        while time.monotonic() < until:
            if b"already registered" in self._process.output:
                raise u2_errors.AccessibilityServiceAlreadyRegisteredError("another server holds the phone")
            if self._process.pool() is not None:
                raise u2_errors.LaunchUiAutomationError("the server ended by itself")
            if self._check_alive():
                return
            self.deadline.sleep(0.1)
        raise u2_errors.LaunchUiAutomationError("the server did not answer")

    def stop_uiautomator(self, wait: bool = True) -> None:
        super().stop_uiautomator(wait=False)
        if wait and self._check_alive():  # somebody else started it: its stream is not ours to close
            self._dev.shell(["pkill", "-f", "com.wetest.uia2.Main"])
            self.deadline.sleep(0.3)

    def jsonrpc_call(self, method: str, params: Any = None, timeout: float = CALL_SECONDS) -> Any:
        """One call. A reading one is repeated once after a restart of the server; any other is sent once."""
        call = partial(_jsonrpc_call, self._dev, PORT, method, params, timeout, False)
        if method not in READING:
            self.start_uiautomator()
            return call()
        try:
            return call()
        except _SERVER_GONE:
            self.stop_uiautomator()
            self.start_uiautomator()
            return call()


class U2Phone:
    """The Phone protocol on a real phone. Made by `open_phone`."""

    def __init__(self, device: FastDevice, deadline: Deadline) -> None:
        self.deadline = deadline
        self.serial: str = device.serial or ""
        self._device = device
        self._in_order = True  #: until a call fails: then the server on the phone is not kept
        self._ui: _Ui = self._connected(device)

    def _connected(self, device: FastDevice) -> _Ui:
        """uiautomator2's device. Its server cannot be put on a phone that is full: then that is what is said."""
        try:
            return self._do(lambda: _Ui(device, self.deadline))
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
        if keep_server and self._in_order and self._ui._process is not None:
            _kept[self._device.key] = self._ui._process
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

    def front_package(self) -> str:
        """The package of the app in front; empty when none can be told."""
        for what, pattern in _FRONT:
            if found := re.search(pattern, self._shell("dumpsys", *what)):
                return found[1]
        return ""

    def app_version(self, package: str) -> str:
        """The version name of an installed app. Raises AppMissing."""
        if "package:" not in self._shell("pm", "path", _safe(package)):
            raise AppMissing(f"{package} is not installed on the phone.")
        found = re.search(r"versionName=(\S+)", self._shell("dumpsys", "package", package))
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
        focused = uiautomator2.Selector(focused=True)
        self._wait_for_focus(focused, spot)
        fill = ("setText", [focused, text]) if text else ("clearTextField", [focused])
        done = self._ui.jsonrpc_call(*fill)
        if done is False:
            raise NodeGone("The field did not take the text.")

    def _wait_for_focus(self, focused: Any, spot: Spot) -> None:
        """Wait until the focus is where the tap was: else a password could end up in the field before it."""
        until = time.monotonic() + FOCUS_SECONDS
        while not self._is_at(focused, spot):
            if time.monotonic() >= until:
                raise NodeGone("The field did not take the focus.")
            self.deadline.sleep(FOCUS_POLL)

    def _is_at(self, focused: Any, spot: Spot) -> bool:
        try:
            box = self._ui.jsonrpc_call("objInfo", [focused])["bounds"]
        except u2_errors.UiObjectNotFoundError:
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
            failure = _meaning(error, detail)
            self._in_order = self._in_order and isinstance(failure, NodeGone)
        else:
            self.deadline.check()
            return result
        self.deadline.check()
        raise failure


def _meaning(error: Exception, detail: bool) -> PhoneError:
    if isinstance(error, u2_errors.UiObjectNotFoundError | u2_errors.XPathElementNotFoundError):
        return NodeGone()
    if isinstance(error, u2_errors.HTTPTimeoutError):
        return PhoneHung()
    ours = our_error(error, detail)
    if type(ours) is not PhoneError:
        return ours
    server = (
        u2_errors.DeviceError,
        http.client.HTTPException,
        ConnectionError,
        json.JSONDecodeError,
        EOFError,
    )
    if isinstance(error, server):
        return UiServiceDown(f"{UiServiceDown.__doc__} ({type(error).__name__})")
    return PhoneError(f"The phone refused a call ({type(error).__name__}).") if not detail else ours


def _safe(package: str) -> str:
    """The package name, if it is one. Raises AppMissing."""
    if not _PACKAGE.fullmatch(package):
        raise AppMissing(f"{package!r} is no package name.")
    return package
