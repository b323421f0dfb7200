"""uiautomator2's server on a phone: started, kept, called. The only file that imports uiautomator2.

uiautomator2 puts typed text into its exceptions and its DEBUG log, waits without a bound, and sends a call
again after it has restarted its server on the phone. Here every call ends with the run, nothing that changes
the screen is sent twice, and its log stays silent below WARNING.
"""

from __future__ import annotations

import atexit
import hashlib
import http.client
import json
import logging
import select
import socket
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import uiautomator2
from uiautomator2 import exceptions as u2_errors
from uiautomator2.core import AdbHTTPConnection, _jsonrpc_call

from devices.phones.adb import ADB_ERRORS, FastDevice, our_error
from devices.phones.deadline import Deadline
from devices.phones.errors import NodeGone, PhoneError, PhoneHung, UiServiceDown

for _name in ("uiautomator2", "uiautomator2.core", "uiautomator2.base", "urllib3"):
    logging.getLogger(_name).setLevel(logging.WARNING)

CALL_SECONDS = (
    30.0  #: a phone that says nothing for so long hangs; a dump waits up to 10 s for an idle screen
)
START_SECONDS = 30.0  #: what the server on the phone may take to start
FRESH_SECONDS = 1.0  #: the server on the phone ends a connection that says nothing for 5 s
PORT = 9008  #: of the server on the phone

#: Calls that only look; all others are sent once.
READING = frozenset({"deviceInfo", "dumpWindowHierarchy", "takeScreenshot", "objInfo"})

#: The node that has the focus, as calls name it.
FOCUSED = uiautomator2.Selector(focused=True)

NotFound = u2_errors.UiObjectNotFoundError
U2_ERRORS: tuple[type[Exception], ...] = (
    u2_errors.BaseException,
    http.client.HTTPException,
    json.JSONDecodeError,
    *ADB_ERRORS,
)
_SERVER_GONE = (u2_errors.HTTPError, u2_errors.UiAutomationNotConnectedError, ConnectionError)

#: The stream that keeps a phone's server alive, from one run to the next.
KEPT: dict[tuple[str, int, str], Any] = {}


def server_jar() -> tuple[str, bytes]:
    """Where the uiautomator server lies on a phone, and what it is: for whoever puts it there beforehand."""
    folder = Path(uiautomator2.__file__).parent
    return "/data/local/tmp/u2.jar", (folder / "assets" / "u2.jar").read_bytes()


def let_go_of_all() -> None:
    """End every server that is kept for a next run: at the end of a process, and where sockets are counted."""
    for name in list(KEPT):
        if (process := KEPT.pop(name, None)) is not None:
            process.kill()


class Ui(uiautomator2.Device):
    """uiautomator2's device: its waits end with the run, and only reading calls are ever sent twice.

    Calls share one connection, which saves most of what a call costs. Whether that was closed meanwhile shows at times
    only by using it, so a call that is sent once takes it only while it is fresh and nothing has come over it.
    """

    def __init__(self, device: FastDevice, deadline: Deadline) -> None:
        self.deadline = deadline
        self._process: Any = None
        self._line: socket.socket | None = None
        self._used_at = 0.0  #: when that connection brought its last answer, on the monotonic clock
        try:
            super().__init__(device)
        except BaseException:
            self._give_up()
            raise
        atexit.unregister(self.stop_uiautomator)  # it would hold every phone of the process for ever

    def _give_up(self) -> None:
        """End the server that was begun: nobody else ever could."""
        self.hang_up()
        if self._process is not None:
            self._process.kill()

    def start_uiautomator(self) -> None:
        """Have a server of our own: only its stream can end it. What hangs in another one is done some time."""
        if self._process is None:
            self._process = KEPT.pop(self._dev.key, None)
            if self._process is not None and self._process.pool() is None:
                return  # it lives; should it be deaf, the first call finds that out
        if self._process is None or self._process.pool() is not None:
            self.stop_uiautomator()
        super().start_uiautomator()

    def _check_device_file_hash(self, local_file: Any, remote_file: str) -> bool:
        """As uiautomator2 does it, but the file of this host is read once in the life of a process."""
        return _md5(str(local_file)) in str(self._dev.shell(["toybox", "md5sum", remote_file]))

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
        self.hang_up()
        super().stop_uiautomator(wait=False)
        if wait and self._check_alive():  # another host or a dead agent started it, whose stream is not ours
            self._dev.shell(["pkill", "-f", "com.wetest.uia2.Main"])
            self.deadline.sleep(0.3)

    def hang_up(self) -> None:
        """Close the connection that reading calls share."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def jsonrpc_call(self, method: str, params: Any = None, timeout: float = CALL_SECONDS) -> Any:
        """One call. A reading one is repeated after a restart of the server; any other is sent once."""
        if method not in READING:
            return self._call_and_keep(self._fresh_line() or self._connect(), method, params, timeout)
        try:
            return self._read(method, params, timeout)
        except _SERVER_GONE:
            self.stop_uiautomator()
            self.start_uiautomator()
            return self._read(method, params, timeout)

    def _read(self, method: str, params: Any, timeout: float) -> Any:
        """A call that changes nothing, over the shared connection; over a new one where that was closed."""
        shared, self._line = self._line, None  # it comes back only when all went well
        if shared is not None:
            with suppress(*_SERVER_GONE, http.client.HTTPException):
                return self._call_and_keep(shared, method, params, timeout)
        return self._call_and_keep(self._connect(), method, params, timeout)

    def _fresh_line(self) -> socket.socket | None:
        """The shared connection, if it is open for certain; else it is closed."""
        is_fresh = time.monotonic() - self._used_at < FRESH_SECONDS
        if self._line is None or not is_fresh or _has_something(self._line):
            self.hang_up()
        line, self._line = self._line, None
        return line

    def _call_and_keep(self, line: socket.socket, method: str, params: Any, timeout: float) -> Any:
        is_good = False
        try:
            result = self._call(line, method, params, timeout)
            is_good = True
        except u2_errors.UiObjectNotFoundError:
            is_good = True  # an answer, and whole
            raise
        finally:
            if is_good:
                self._line, self._used_at = line, time.monotonic()
            else:
                line.close()
        return result

    def _call(self, line: socket.socket, method: str, params: Any, timeout: float) -> Any:
        line.settimeout(self.deadline.timeout(min(timeout, self._dev.seconds)))
        return _jsonrpc_call(_Line(line), PORT, method, params, timeout, False)

    def _connect(self) -> socket.socket:
        """A connection to the server, which is started where it is not there: nothing has been sent yet."""
        try:
            return self._new_line()
        except u2_errors.HTTPError:
            super().stop_uiautomator(wait=False)
            self.start_uiautomator()
            return self._new_line()

    def _new_line(self) -> socket.socket:
        connection = AdbHTTPConnection(self._dev, PORT)
        connection.connect()
        made: socket.socket = connection.sock
        return made


def _has_something(line: socket.socket) -> bool:
    """Whether something came over it that nobody asked for, as its end does."""
    asked = select.poll()
    asked.register(line, select.POLLIN)
    return bool(asked.poll(0))


class _Line:
    """What uiautomator2 takes for a device when it makes a call: it is given a connection that is there already."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def create_connection(self, _network: Any, _address: Any) -> socket.socket:
        """The same connection under another number: closing that one leaves it open."""
        return self._line.dup()


@cache
def _md5(path: str) -> str:
    return hashlib.md5(Path(path).read_bytes(), usedforsecurity=False).hexdigest()


def meaning(error: Exception, detail: bool) -> PhoneError:
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
