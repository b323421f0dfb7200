"""The adb server of a host, through adbutils; the only file that imports it."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import subprocess
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import adbutils

from devices.phones.deadline import Deadline
from devices.phones.errors import AdbServerDown, PhoneError, PhoneHung, PhoneOffline, PhoneUnauthorized
from devices.phones.phone import PhoneFacts, PhoneSeen

logging.getLogger("adbutils").setLevel(logging.WARNING)  # its DEBUG lines carry whole commands

SOCKET_SECONDS = 10.0  #: adbutils waits for ever (or 600 s) by itself
START_SECONDS = 20.0  #: what an adb server may take to start

#: No mDNS sockets on 0.0.0.0:5353, which adb 36 opens by itself.
QUIET = {"ADB_MDNS": "0", "ADB_MDNS_AUTO_CONNECT": "0", "ADB_EMU": "0"}

#: What adbutils and its sockets raise. Nothing above `devices.phones` sees one of these.
ADB_ERRORS: tuple[type[Exception], ...] = (adbutils.AdbError, OSError, EOFError)

#: Each part of the answer stands under a line with its name, so that a warning of the phone's shell moves nothing.
_FACTS = (
    "echo @serial; getprop ro.serialno; echo @model; getprop ro.product.model; "
    "echo @android; getprop ro.build.version.release; echo @usb; getprop debug.phonerack.usb; "
    "echo @battery; dumpsys battery"
)

_PART = re.compile(r"^@(\w+)\r?\n(.*?)(?=^@|\Z)", re.MULTILINE | re.DOTALL)


def server_environment(port: int, home: Path | None = None, usb: bool = True) -> dict[str, str]:
    """The environment of an adb server that listens on loopback only. `home` keeps its `.android/adbkey`."""
    env = {**os.environ, **QUIET, "ANDROID_ADB_SERVER_PORT": str(port)}
    if not usb:
        env["ADB_USB"] = "0"
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
        env["HOME"] = str(home)
    return env


def server_command(port: int) -> list[str]:
    """The command of an adb server in the foreground; to be started in `server_environment`."""
    return [adbutils.adb_path(), "-P", str(port), "nodaemon", "server"]


def start_server(port: int, home: Path, usb: bool = False) -> subprocess.Popen[bytes]:
    """A real adb server as our child on 127.0.0.1:`port`. Whoever starts it must end it."""
    env = server_environment(port, home, usb)
    return subprocess.Popen(
        server_command(port), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def our_error(error: Exception, detail: bool = True) -> PhoneError:
    """What an error of adbutils, or of a socket to its server, means in our words.

    Without `detail` the message is only our own sentence: for calls that carry typed text.
    """
    said = str(error).lower()
    if isinstance(error, adbutils.errors.AdbConnectionError):
        kind: type[PhoneError] = AdbServerDown
    elif "unauthorized" in said or "authorizing" in said:
        kind = PhoneUnauthorized
    elif isinstance(error, TimeoutError | adbutils.errors.AdbTimeout):
        kind = PhoneHung
    elif "offline" in said or "not found" in said or "no device" in said:
        kind = PhoneOffline
    else:
        kind = PhoneError
    return kind(f"{_sentence(kind)} ({str(error)[:200]})" if detail and said else "")


def _sentence(kind: type[PhoneError]) -> str:
    return (kind.__doc__ or "").split("\n")[0]


class _Link(adbutils.AdbConnection):
    """One connection to the adb server: no Nagle, no sleep at its end, and it starts no server by itself."""

    def _safe_connect(self) -> socket.socket:
        connected: socket.socket = self._create_socket()
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected

    def close(self) -> None:
        if not self.closed:
            with contextlib.suppress(OSError):
                self.conn.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads from it
        super().close()


class _Client(adbutils.AdbClient):
    """adbutils' client over such connections."""

    def make_connection(self, timeout: float | None = None) -> _Link:
        link = _Link(self.host, self.port)
        link.conn.settimeout(timeout or SOCKET_SECONDS)
        return link


class _BoundClient(_Client):
    """A client whose every connection ends with a run: by its deadline, or at once when it is canceled."""

    def __init__(self, host: str, port: int, deadline: Deadline, seconds: float) -> None:
        super().__init__(host=host, port=port)
        self.deadline, self.seconds = deadline, seconds
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        deadline.on_end(self.hang_up)

    def make_connection(self, timeout: float | None = None) -> _Link:
        link = super().make_connection(self.deadline.timeout(min(timeout or self.seconds, self.seconds)))
        self._open.add(link.conn)
        self.deadline.check()  # a cancel between the two lines above closed nothing
        return link

    def hang_up(self) -> None:
        """Shut every socket: whoever reads from one returns at once."""
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def let_go(self) -> None:
        """The run is over in good order: what it left open may live on."""
        self._open = weakref.WeakSet()


class FastDevice(adbutils.AdbDevice):
    """adbutils' device for one run: 2 to 4 ms a call instead of 58, each bounded by the run's deadline.

    It is addressed by transport id, which outlives a reconnect of adb's own but not a `disconnect`.
    """

    def __init__(self, server: AdbServer, seen: PhoneSeen, deadline: Deadline, seconds: float) -> None:
        self.deadline, self.seconds = deadline, seconds
        self.bound = _BoundClient(server.host, server.port, deadline, seconds)
        self.key = (server.host, server.port, seen.address)
        super().__init__(self.bound, serial=seen.address, transport_id=seen.transport_id or None)

    def shell(self, cmdargs: Any, stream: bool = False, timeout: float | None = None, **options: Any) -> Any:
        """As adbutils does it, but bounded; a stream stays open until it is closed."""
        seconds = self.deadline.timeout(min(timeout or self.seconds, self.seconds))
        got = super().shell(cmdargs, stream=stream, timeout=seconds, **options)
        if stream:
            got.conn.settimeout(None)
        return got


class AdbServer:
    """One adb server; every call is bounded by SOCKET_SECONDS and raises only PhoneError."""

    def __init__(self, host: str = "127.0.0.1", port: int = 5037) -> None:
        self.host, self.port = host, port
        self.client = _Client(host=host, port=port)

    def ensure_started(self, home: Path | None = None, usb: bool = True) -> None:
        """Start the server if none answers. Raises PhoneError when something else holds the port."""
        if self._answers():
            return
        command = [adbutils.adb_path(), "-P", str(self.port), "start-server"]
        env = server_environment(self.port, home, usb)
        try:
            subprocess.run(command, env=env, timeout=START_SECONDS, check=False, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AdbServerDown(f"no adb server could be started on port {self.port}: {error}") from error
        if not self._answers():
            raise AdbServerDown(f"no adb server could be started on port {self.port}")

    def _answers(self) -> bool:
        try:
            self.client.server_version()
        except adbutils.errors.AdbConnectionError:
            return False
        except (adbutils.AdbError, OSError, EOFError, ValueError) as error:
            raise AdbServerDown(f"port {self.port} is held by something that is no adb server") from error
        return True

    def connect(self, address: str) -> None:
        """Have the server connect to a phone over TCP. Raises PhoneOffline."""
        with _translated():
            said = self.client.connect(address, timeout=SOCKET_SECONDS)
        if "connected to" not in said or "failed" in said or "unable" in said:
            raise PhoneOffline(f"adb cannot connect to {address}: {said}")

    def disconnect(self, address: str) -> None:
        """Have the server forget a phone over TCP; nothing when it does not know it."""
        with _translated():
            self.client.disconnect(address)

    def reconnect(self, address: str) -> None:
        """Try to get an offline phone back: TCP phones anew, USB phones by a reset of their link."""
        if ":" in address:
            self.disconnect(address)
            self.connect(address)
            return
        with _translated(), self.client.make_connection() as link:
            link.send_command(f"host-serial:{address}:reconnect")
            link.check_okay()

    def phones(self) -> list[PhoneSeen]:
        """Every phone the server knows, in any state. Raises PhoneError when the server does not answer."""
        return [_seen(line) for line in self._list()]

    def _list(self) -> list[str]:
        """What `adb devices -l` says, a line for each phone."""
        with _translated(), self.client.make_connection() as link:
            link.send_command("host:devices-l")
            link.check_okay()
            return [line for line in link.read_string_block().splitlines() if " " in line.strip()]

    def changes(self) -> Iterator[None]:
        """Comes round whenever a phone comes, goes or changes its state; waits for ever. Raises PhoneError."""
        with _translated(), self.client.make_connection() as link:
            link.send_command("host:track-devices")
            link.check_okay()
            link.conn.settimeout(None)
            while True:
                link.read_string_block()
                yield

    def phone(self, address: str) -> PhoneSeen:
        """The phone at `address`, ready to be worked on. Raises PhoneOffline or PhoneUnauthorized."""
        for line in self._list():
            if line.startswith(address) and (seen := _seen(line)).address == address:
                if seen.state in ("unauthorized", "authorizing"):
                    raise PhoneUnauthorized
                if seen.state != "device":
                    raise PhoneOffline(f"adb says of {address}: {seen.state}")
                return seen
        raise PhoneOffline(f"adb does not know {address}")

    def facts(self, address: str, deadline: Deadline | None = None) -> PhoneFacts:
        """What the phone says about itself, in one shell call. Raises PhoneOffline and its like."""
        seen, deadline = self.phone(address), deadline or Deadline(SOCKET_SECONDS)
        device = FastDevice(self, seen, deadline, SOCKET_SECONDS)
        try:
            with _translated():
                said = str(device.shell(_FACTS))
        finally:
            deadline.check()
        return read_facts(said, seen.usb_path)


def _seen(line: str) -> PhoneSeen:
    """A line of `adb devices -l`: the address, the state, then tags as `usb:1-1.2 transport_id:3`."""
    address, state, *rest = line.split()
    tags = dict(tag.split(":", 1) for tag in rest if ":" in tag)
    return PhoneSeen(address, state, int(tags.get("transport_id", 0)), tags.get("usb", ""))


def read_facts(said: str, usb_path: str) -> PhoneFacts:
    """PhoneFacts from the output of the shell call. Raises PhoneError when the serial is missing."""
    parts = {name: text.strip().split("\n")[-1].strip() for name, text in _PART.findall(said)}
    serial = parts.get("serial", "")
    if not re.fullmatch(r"\S+", serial):  # empty, or a warning in its place
        raise PhoneError("the phone does not tell its serial")
    battery = dict(re.findall(r"^\s*(level|temperature): (-?\d+)\s*$", said, re.MULTILINE))
    level, tenths = battery.get("level"), battery.get("temperature")
    return PhoneFacts(
        serial=serial,
        model=parts.get("model", ""),
        android=parts.get("android", ""),
        battery=int(level) if level else None,
        temperature=int(tenths) / 10 if tenths else None,
        usb_path=usb_path or parts.get("usb", ""),
    )


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turns what adbutils raises into our errors."""
    try:
        yield
    except ADB_ERRORS as error:
        raise our_error(error) from error
