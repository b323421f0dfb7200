"""The processes of the run, all in one folder, and the simulated phones, which live in this process."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import redis

from config.env import BASE
from config.processes import Process, free_port, stop_all
from devices.models import Device
from devices.phones import adb
from devices.phones.u2_server import server_jar
from devices.simulator.farm import Farm
from tests.canary.cast import Player
from tests.phones import listens

READY_SECONDS = 90.0
HOST = "k1"


class NotReady(Exception):
    """Something did not come up; the message says what."""


class Stage:
    """`up` starts everything and ends it all."""

    def __init__(self, folder: Path, cast: list[Player]) -> None:
        self.folder, self.processes = folder, list[Process]()
        self.bind = os.environ["PHONERACK_BIND"]
        logins = [login for one in cast for login in one.logins()]
        self.farm = Farm.from_dict({"phones": [one.phone() for one in cast], "logins": logins})
        self.farm.put_file(*server_jar())

    @property
    def redis(self) -> Any:
        return redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=10)

    @contextlib.contextmanager
    def up(self, server: Process) -> Iterator[Stage]:
        """All processes for the length of a `with`; `server` is the Redis that runs already."""
        self.processes.append(server)
        self.redis.config_set("rdbcompression", "no")  # or its dump holds texts in a form of its own
        with self._monitored(), self.farm.running():
            try:
                self._start_all()
                yield self
            finally:
                stop_all(self.processes)

    def _start_all(self) -> None:
        port = free_port()
        env = adb.server_environment(port, self.folder / "adb", usb=False)
        self.processes.append(Process("adb", adb.server_command(port), self.folder / "adb.log", env))
        for command in ("controller", "web", "worker", "beat"):
            self.start(command, str(BASE / "manage.py"), command)
        addresses = [phone.address for phone in self.farm.phones.values()]
        self.start(
            "agent", "-m", "tests.canary.starter", "--name", HOST, "--adb", f"127.0.0.1:{port}",
            "--connect", *addresses, "--state", str(self.folder / "agents"), "--lanes", str(len(addresses)),
        )  # fmt: skip
        self.until("the phones are online", lambda: Device.objects.usable().count() >= len(addresses))
        self.until("the web answers", lambda: listens(int(self.bind.rpartition(":")[2])))

    def start(self, name: str, *arguments: str, **env: str) -> Process:
        """One more process of ours, its output in NAME.log."""
        log, paths = self.folder / f"{name}.log", {"PYTHONPATH": str(BASE), **env}
        self.processes.append(Process(name, [sys.executable, *arguments], log, paths))
        return self.processes[-1]

    def until(self, what: str, is_true: Callable[[], object], seconds: float = READY_SECONDS) -> None:
        """Raises NotReady."""
        end = time.monotonic() + seconds
        while not is_true():
            dead = [one.name for one in self.processes if not one.is_alive()]
            if dead or time.monotonic() > end:
                raise NotReady(f"{what}: not in {seconds} s; ended: {dead}; logs in {self.folder}")
            time.sleep(0.2)

    @contextlib.contextmanager
    def _monitored(self) -> Iterator[None]:
        """Whatever Redis is told during the run, in a file."""
        client = redis.Redis.from_url(os.environ["REDIS_URL"])
        with client.monitor() as monitor, (self.folder / "monitor.txt").open("wb") as out:
            thread = threading.Thread(target=_copy, args=[monitor, out], daemon=True)
            thread.start()
            yield
            with contextlib.suppress(Exception):
                monitor.connection.disconnect()
            thread.join(5)


def _copy(monitor: Any, out: Any) -> None:
    with contextlib.suppress(Exception):  # it ends when the connection does
        while True:
            out.write(monitor.connection.read_response(disable_decoding=True) + b"\n")
            out.flush()
