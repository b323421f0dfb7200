"""Where the fault test plays: simulated phones, adb servers, Redis behind proxies, agents, and the center."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings

from accounts.models import Account
from automation.choices import MissedPolicy, OverlapPolicy
from automation.models import Campaign
from automation.services import MANUAL_PRIORITY
from config.demo import cast
from config.env import BASE
from config.processes import Process, free_port, is_free
from devices.models import Device
from devices.phones import adb
from devices.phones.errors import PhoneError
from tests.faults.proxy import Proxy
from tests.faults.roles import Role, Supervisor

HOSTS = ("a", "b", "c")
PHONES = 4  #: of each host alone
ACCOUNTS = 3  #: of each phone
#: Cloud phones to which two hosts are connected: what one lets go of too late, the other has in hand already.
SHARED = {f"X{number}": pair for number, pair in enumerate([("a", "b"), ("b", "c"), ("c", "a")] * 3, 1)}
#: Those of the center that have a network of their own to Redis.
APART = ("controller 1", "controller 2", "worker")
TWIN = ("SA1", "c")  #: a second phone with the serial of another host's phone, and its host
READY_SECONDS = 90.0
#: Campaigns that start by themselves, as often as the product allows: tag of their accounts -> what becomes of
#: starts that nobody saw in time, and of those whose forerunner is not over.
SCHEDULED = {
    "t1": (MissedPolicy.ALL, OverlapPolicy.ALLOW),
    "t2": (MissedPolicy.ONCE, OverlapPolicy.QUEUE),
    "t3": (MissedPolicy.SKIP, OverlapPolicy.SKIP),
}


class NotReady(Exception):
    """Something did not come up; the message says what, and where the logs are."""


def serials() -> dict[str, tuple[str, ...]]:
    """Serial -> the hosts that are connected to it, twins aside."""
    own = {f"S{host.upper()}{number}": (host,) for host in HOSTS for number in range(1, PHONES + 1)}
    return {**own, **SHARED}


class Stage:
    """Everything that runs. `close` ends it all."""

    def __init__(self, folder: Path, rng: Random) -> None:
        self.folder, self.supervisor = folder, Supervisor(rng)
        self.proxies: dict[str, Proxy] = {}
        self.adb_ports = {host: free_port() for host in HOSTS}
        self.controls: dict[str, str] = {}  #: farm -> the address of its control
        self._addresses: dict[str, list[str]] = {host: [] for host in HOSTS}

    @property
    def redis(self) -> Any:
        """A client past all proxies."""
        return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5)

    def role(self, name: str) -> Role:
        return self.supervisor.roles[name]

    def close(self) -> None:
        """End all processes, adb servers that an agent has started included."""
        self.supervisor.close()
        for port in self.adb_ports.values():
            with contextlib.suppress(PhoneError, Exception):
                adb.AdbServer(port=port).client.server_kill()
        for proxy in self.proxies.values():
            proxy.close()

    # --- coming up ---

    def start_redis(self, process: Process) -> None:
        """Take over the server that was started for the settings; from now on it is started again when it ends."""
        port = urlsplit(settings.REDIS_URL).port or 0
        role = Role("redis", process.popen.args, process.log, {})  # type: ignore[arg-type]
        role.may_start = lambda: is_free("127.0.0.1", port)
        role.process, role.starts = process, 1
        self.supervisor.roles["redis"] = role
        self.proxies = {name: Proxy(port) for name in (*HOSTS, *APART)}

    def wipe_redis(self) -> None:
        """Its data, while it is down."""
        shutil.rmtree(self._redis_data, ignore_errors=True)

    @property
    def _redis_data(self) -> Path:
        return self.folder / "redis" / "appendonlydir"

    def keep_redis(self) -> Path:
        """A copy of its data as they are."""
        return shutil.copytree(
            self._redis_data, Path(tempfile.mkdtemp(dir=self.folder, prefix="redis-")) / "kept"
        )

    def put_back_redis(self, kept: Path) -> None:
        """Those data instead of its own, while it is down."""
        self.wipe_redis()
        shutil.copytree(kept, self._redis_data)

    def start_phones(self) -> None:
        """Two simulators, since a twin cannot be in the same farm; and an adb server for each host."""
        apps = [{"app": "instagram"}, {"app": "tiktok"}]
        farms = {
            "phones": [{"serial": serial, "apps": apps} for serial in serials()],
            "twins": [{"serial": TWIN[0], "apps": apps}],
        }
        for name, phones in farms.items():
            self._start_farm(
                name, {"phones": phones, "logins": [_login(one) for one in Account.objects.all()]}
            )
        for host in HOSTS:
            self._start_adb(host)

    def _start_farm(self, name: str, farm: dict[str, Any]) -> None:
        ready = self.folder / f"{name}.json"
        path = cast.write(farm, self.folder / f"{name}.yaml")
        journal = self.folder / f"{name}.journal"
        self._start(
            name, "-m", "devices.simulator", str(path), "--control", "0", "--ready", str(ready),
            "--journal", str(journal),
        )  # fmt: skip
        self.until(f"the simulated {name} listen", ready.exists)
        answer = json.loads(ready.read_text())
        self.controls[name] = answer["control"]
        for serial, address in answer["phones"].items():
            for host in serials()[serial] if name == "phones" else [TWIN[1]]:
                self._addresses[host].append(address)

    def _start_adb(self, host: str) -> None:
        port = self.adb_ports[host]
        env = adb.server_environment(port, self.folder / "adb" / host, usb=False)
        role = Role(f"adb {host}", adb.server_command(port), self.folder / f"adb-{host}.log", env)
        role.may_start = lambda: is_free("127.0.0.1", port)  # an agent may have started one of its own
        self.supervisor.add(role)

    def start_agents(self) -> None:
        """Each with locks of its own, as on another machine: only then two can meet on one phone."""
        for host in HOSTS:
            env = {
                "FAULTS_DIARY": str(self.folder / f"{host}.diary"),
                "PHONERACK_LOCKS": str(self.folder / "locks" / host),
            }
            self._start(
                f"agent {host}", "-m", "tests.faults.starter", "--name", host,
                "--redis", self._redis_of(host),
                "--adb", f"127.0.0.1:{self.adb_ports[host]}", "--connect", *self._addresses[host],
                "--state", str(self.folder / "agents"), "--lanes", str(len(serials())), **env,
            )  # fmt: skip

    def start_controllers(self) -> None:
        for name in ("controller 1", "controller 2"):
            self._start(name, str(BASE / "manage.py"), "controller", REDIS_URL=self._redis_of(name))

    def start_ticks(self) -> None:
        """Two beats, so that every tick comes twice; each keeps its own notes, as on two machines."""
        for name in ("beat 1", "beat 2"):
            folder = str(self.folder / name.replace(" ", "-"))
            self._start(name, str(BASE / "manage.py"), "beat", PHONERACK_STATE=folder)
        self._start(
            "worker", str(BASE / "manage.py"), "worker", REDIS_URL=self._redis_of("worker"),
            PHONERACK_SCRIPTS="tests.faults.touch",
        )  # fmt: skip

    def _redis_of(self, name: str) -> str:
        """Redis behind the network of that one."""
        return f"redis://127.0.0.1:{self.proxies[name].port}/0"

    def _start(self, name: str, *arguments: str, **env: str) -> None:
        log = self.folder / f"{name.replace(' ', '-')}.log"
        self.supervisor.add(Role(name, [sys.executable, *arguments], log, {"PYTHONPATH": str(BASE), **env}))

    def wait_until_ready(self) -> None:
        """Raises NotReady when not all phones come online."""
        wanted = len(serials())
        self.until(f"{wanted} phones are online", lambda: Device.objects.usable().count() >= wanted)

    def until(self, what: str, is_true: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
        """Tend the processes until it is true. Raises NotReady."""
        end = time.monotonic() + seconds
        while not is_true():
            self.supervisor.tend()
            if time.monotonic() > end:
                raise NotReady(f"Waited {seconds:.0f} s in vain until {what}. The logs are in {self.folder}.")
            time.sleep(0.1)

    # --- the phones from outside ---

    def set_phone(self, serial: str, fault: str | None) -> None:
        """Have a phone suffer from a fault of the simulator, or from none."""
        request = urllib.request.Request(
            f"http://{self.controls['phones']}/phones/{serial}", data=json.dumps({"fault": fault}).encode(),
            method="PATCH", headers={"Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=5):
            pass


def _login(account: Account) -> dict[str, Any]:
    return {
        "app": str(account.app),
        "username": account.username,
        "password": account.password.reveal(),
    }


def make_rows() -> None:
    """Two campaigns that nobody starts, and ACCOUNTS for each phone, all known to the simulated services."""
    for name in ("odd", "even"):
        Campaign.objects.create(name=name, script="touch")
    for serial in serials():
        device, _made = Device.objects.get_or_create(serial=serial)
        for number in range(1, ACCOUNTS + 1):
            make_account(device, f"{serial.lower()}.{number}", f"t{number}")


def make_account(device: Device, username: str, tags: str) -> Account:
    return Account.objects.create(
        app="instagram", username=username, password=f"pass-{username}", device=device, tags=tags
    )


def make_scheduled() -> None:
    """Campaigns that start each minute; one account of each phone is in each."""
    for tag, (missed, overlap) in SCHEDULED.items():
        Campaign.objects.create(
            name=f"each minute, {tag}", script="touch", tags=tag, every_minutes=1, missed=missed, overlap=overlap,
            priority=MANUAL_PRIORITY, options={"touches": 3, "pause": 0.1},
        )  # fmt: skip
