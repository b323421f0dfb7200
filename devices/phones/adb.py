"""The adb server of a host, through adbutils; the only file that imports it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import adbutils

from devices.phones.errors import PhoneError, PhoneOffline
from devices.phones.phone import PhoneSeen

SOCKET_SECONDS = 10.0  #: adbutils waits for ever (or 600 s) by itself

#: No mDNS sockets on 0.0.0.0:5353, which adb 36 opens by itself.
QUIET = {"ADB_MDNS": "0", "ADB_MDNS_AUTO_CONNECT": "0", "ADB_EMU": "0"}


def server_environment(port: int, home: Path | None = None, usb: bool = True) -> dict[str, str]:
    """The environment of an adb server that listens on loopback only. `home` keeps its key (`.android/adbkey`)."""
    env = {**os.environ, **QUIET, "ANDROID_ADB_SERVER_PORT": str(port)}
    if not usb:
        env["ADB_USB"] = "0"
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
        env["HOME"] = str(home)
    return env


def start_server(port: int, home: Path, usb: bool = False) -> subprocess.Popen[bytes]:
    """A real adb server as our child on 127.0.0.1:`port`. Whoever starts it must end it."""
    command = [adbutils.adb_path(), "-P", str(port), "nodaemon", "server"]
    env = server_environment(port, home, usb)
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class AdbServer:
    """One adb server; every call is bounded by SOCKET_SECONDS and raises only PhoneError."""

    def __init__(self, host: str = "127.0.0.1", port: int = 5037) -> None:
        self.client = adbutils.AdbClient(host=host, port=port, socket_timeout=SOCKET_SECONDS)

    def connect(self, address: str) -> None:
        """Have the server connect to a phone over TCP. Raises PhoneOffline."""
        try:
            self.client.connect(address, timeout=SOCKET_SECONDS)
        except (adbutils.AdbError, OSError) as error:
            raise PhoneOffline(f"adb cannot connect to {address}: {error}") from error

    def phones(self) -> list[PhoneSeen]:
        """Every phone the server knows, in any state. Raises PhoneError when the server does not answer."""
        try:
            found = self.client.list(extended=True)
        except (adbutils.AdbError, OSError) as error:
            raise PhoneError(f"the adb server does not answer: {error}") from error
        return [PhoneSeen(one.serial, one.state, one.transport_id, one.tags.get("usb", "")) for one in found]
