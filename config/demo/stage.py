"""The processes of a demo: all on loopback, all ended with it."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings

from config import redis_server
from config.demo import cast
from config.env import BASE, env
from config.processes import Process, free_port, stop_all
from devices.models import Device
from devices.phones import adb

READY_SECONDS = 60


class NotReady(Exception):
    """Something of the demo did not start; the message says what, and where its log is."""


class Stage:
    """Everything that runs. `close` ends it all."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.folder: Path = settings.STATE
        self.say, self.processes = say, dict[str, Process]()
        self.control, self._borrowed_redis = "", False
        self.address = f"http://{env.str('PHONERACK_BIND')}/"

    def close(self) -> None:
        stop_all(list(self.processes.values()))
        if self._borrowed_redis:
            redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5).flushdb()  # it was empty when we came

    def start_redis(self) -> None:
        """Our own server, or the one that REDIS_URL names, if it is empty: a demo never mixes with real work."""
        if env.bool("PHONERACK_OWN_REDIS", default=False):
            port = urlsplit(settings.REDIS_URL).port or 0
            self.processes["redis"], _url = redis_server.start(self.folder / "redis", port)
            return
        try:
            keys = redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5
            ).dbsize()
        except (redis.RedisError, OSError) as error:
            raise NotReady(
                f"REDIS_URL is set, but no Redis answers there ({type(error).__name__}). Unset it."
            ) from None
        if keys:
            raise NotReady(
                "REDIS_URL names a Redis that holds data. Unset it, or name an empty database number."
            )
        self._borrowed_redis = True

    def start_phones(self, farm: dict[str, Any]) -> None:
        """The simulator, and a real adb server for each host."""
        ready = self.folder / "phones.json"
        path = cast.write(farm, self.folder / "farm.yaml")
        self._start("phones", "-m", "devices.simulator", str(path), "--control", "0", "--ready", str(ready))
        self._until("the simulated phones listen", ready.exists)
        answer = json.loads(ready.read_text())
        self.control = answer["control"]
        for host, serials in cast.shares(farm).items():
            self._start_host(host, [answer["phones"][serial] for serial in serials])

    def _start_host(self, host: str, addresses: list[str]) -> None:
        port = free_port()
        self.processes[f"adb of {host}"] = Process(
            f"adb-{host}",
            adb.server_command(port),
            self.folder / f"adb-{host}.log",
            adb.server_environment(port, self.folder / "adb" / host, usb=False),
        )
        self._start(
            f"agent {host}", "-m", "automation.agent", "--name", host,
            "--adb", f"127.0.0.1:{port}", "--connect", *addresses,
            "--state", str(self.folder / "agents"), "--lanes", "12",
        )  # fmt: skip

    def start_controller(self) -> None:
        """Web, controller, beat and the worker for its ticks."""
        for command in ("controller", "web", "worker", "beat"):
            self._start(command, str(BASE / "manage.py"), command)

    def _start(self, name: str, *arguments: str) -> None:
        log = self.folder / f"{name.replace(' ', '-')}.log"
        self.processes[name] = Process(name, [sys.executable, *arguments], log, {"PYTHONPATH": str(BASE)})

    def wait_until_ready(self, phones: int) -> None:
        """Raises NotReady when a process died or the phones did not come online."""
        self._until("the web page answers", self._page_answers)
        self._until(f"{phones} phones are online", lambda: Device.objects.usable().count() >= phones)

    def until_connection(self, serial: str, connection: str) -> None:
        """Until the database has the phone so."""
        of_phone = Device.objects.filter(serial=serial, connection=connection)
        self._until(f"{serial} is {connection}", of_phone.exists)

    def _until(self, what: str, is_true: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
        self.say(f"waiting until {what}")
        end = time.monotonic() + seconds
        while not is_true():
            self.tend()
            if time.monotonic() > end:
                raise NotReady(f"Waited {seconds:.0f} s in vain until {what}. The logs are in {self.folder}.")
            time.sleep(0.1)

    def tend(self) -> None:
        """Start an agent anew that was killed, as a service manager would. Raises NotReady for any other process."""
        for name, process in list(self.processes.items()):
            if process.is_alive():
                continue
            if not name.startswith("agent"):
                tail = process.log.read_text(errors="replace").strip().splitlines()[-5:]
                raise NotReady(
                    f"The process “{name}” ended. Its log, {process.log}, says: " + " / ".join(tail)
                )
            self.say(f"the process “{name}” ended: started anew")
            self.processes[name] = process.again()

    def _page_answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.address + "admin/login/", timeout=5) as answer:  # noqa: S310 - our own page
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def set_phone(self, serial: str, **values: Any) -> None:
        """Change a simulated phone from outside, such as fault="offline"."""
        request = urllib.request.Request(
            f"http://{self.control}/phones/{serial}",
            data=json.dumps(values).encode(), method="PATCH", headers={"Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - our own simulator
            pass
