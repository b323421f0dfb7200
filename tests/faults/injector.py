"""Does to the processes, the network, the database and the phones what the schedule says."""

from __future__ import annotations

import contextlib
import json
import logging
import resource
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection

from automation.models import Run
from automation.protocol import TICK_TASK, TICKS, Report, celery_message, key, offer_message
from tests.automation.test_transport import POISON
from tests.faults import proxy
from tests.faults.history import Fault
from tests.faults.roles import POLL_SECONDS, Role
from tests.faults.schedule import Planned
from tests.faults.stage import HOSTS, Stage

log = logging.getLogger(__name__)

FLOOD = 100_000
SKEW = 3600  #: seconds by which a clock goes wrong
#: What says that Redis, the database or a process is away already.
AWAY = (redis.RedisError, OSError, DatabaseError, sqlite3.OperationalError)
KILLED_SECONDS = 0.3  #: how long something is down at least that is only killed to be changed
#: Kinds -> what the simulator calls it, where that is another word.
OF_SIMULATOR = {"reboot": "offline", "hang_long": "hang"}


class Injector:
    """Each fault lasts in a thread of its own; `faults` is what was done, by the clock."""

    def __init__(self, stage: Stage, rng: Random) -> None:
        self.stage, self._rng = stage, rng
        self.faults: list[Fault] = []
        self.stumbled: list[str] = []  #: over what should not happen: then the test itself is broken
        self.under_way: dict[threading.Thread, Planned] = {}
        self._skewed = 0

    def inject(self, planned: Planned) -> None:
        """Begin a fault."""
        thread = threading.Thread(target=self._last, args=[planned], name=planned.kind, daemon=True)
        self.under_way[thread] = planned
        thread.start()

    @property
    def whole(self) -> list[Fault]:
        """Those that count."""
        return [fault for fault in self.faults if fault.is_whole]

    def _last(self, planned: Planned) -> None:
        begun, is_whole = time.monotonic(), False
        family, _, what = planned.kind.partition("_")
        try:
            begun = getattr(self, f"_{family}")(what, planned.target, planned.seconds) or begun
            is_whole = True
        except AWAY as error:  # two faults at once
            log.info("%s: %s", planned.kind, type(error).__name__)
        except Exception as error:
            log.exception("%s could not be injected", planned.kind)
            self.stumbled.append(f"{planned.kind}: {error}")
        finally:
            connection.close()
            self.faults.append(Fault(planned.kind, planned.target, begun, time.monotonic(), is_whole))
            del self.under_way[threading.current_thread()]

    # --- processes ---

    def _agent(self, what: str, host: str, seconds: float) -> None:
        role = self.stage.role(f"agent {host}")
        if what == "disk_full":
            self._fill_disk(role, seconds)
        else:
            self._process(role, what, seconds)

    def _fill_disk(self, role: Role, seconds: float) -> None:
        """Not a byte more into any file, neither from it nor from what is started in its place."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            role.limit_files(0)
            time.sleep(POLL_SECONDS)
        role.limit_files(resource.RLIM_INFINITY)
        role.wait_until_new(role.starts - role.is_up)

    def _adb(self, what: str, host: str, seconds: float) -> None:
        self._process(self.stage.role(f"adb {host}"), what, seconds)

    def _controller(self, what: str, number: str, seconds: float) -> None:
        if what == "both":
            for role in (self.stage.role("controller 1"), self.stage.role("controller 2")):
                role.kill(seconds)
            time.sleep(seconds)
        elif what.startswith("net_"):
            self._net(what.removeprefix("net_"), f"controller {number}", seconds)
        else:
            self._process(self.stage.role(f"controller {number}"), what, seconds)

    def _beat(self, what: str, number: str, seconds: float) -> None:
        self._process(self.stage.role(f"beat {number}"), what, seconds)

    def _worker(self, what: str, _target: str, seconds: float) -> None:
        if what.startswith("net_"):
            self._net(what.removeprefix("net_"), "worker", seconds)
        else:
            self._process(self.stage.role("worker"), what, seconds)

    def _process(self, role: Role, what: str, seconds: float) -> None:
        """Kill, stop or restart it; returns when it is back."""
        starts = role.starts
        if what.startswith("stop"):
            role.signal(signal.SIGSTOP)
            time.sleep(seconds)
            role.signal(signal.SIGCONT)
            return
        if what == "skew":
            self._skew(role, seconds)
            return
        if what == "term":
            role.signal(signal.SIGTERM)
        else:
            role.kill(seconds)
        role.wait_until_new(starts)

    def _skew(self, role: Role, seconds: float) -> None:
        """Restart it with a clock that is wrong by an hour, and later with a right one."""
        self._skewed += 1
        for env in (wrong_clock(SKEW if self._skewed % 2 else -SKEW), {}):
            starts, role.more_env = role.starts, env
            role.kill(0.1)
            role.wait_until_new(starts)
            time.sleep(seconds if env else 0)

    # --- between them ---

    def _net(self, mode: str, whose: str, seconds: float) -> None:
        self.stage.proxies[whose].set(mode)
        time.sleep(seconds)
        self.stage.proxies[whose].set(proxy.PASS)

    def _redis(self, what: str, _target: str, seconds: float) -> float | None:
        role, begun = self.stage.role("redis"), None
        if what == "old":
            kept = self.stage.keep_redis()
            time.sleep(seconds)  # what was done in this time it then knows nothing of
            begun = time.monotonic()
            role.before_start = lambda: self.stage.put_back_redis(kept)
            self._process(role, "kill", KILLED_SECONDS)
        act: dict[str, Callable[[], Any]] = {
            "flush": lambda: self.stage.redis.flushall(),
            "clients": lambda: self.stage.redis.client_kill_filter(_type="normal"),
            "full": lambda: self._fill_redis(seconds),
            "wiped": lambda: setattr(role, "before_start", self.stage.wipe_redis),
        }
        act.get(what, lambda: None)()
        if what in ("kill", "stop", "wiped"):
            self._process(role, "stop" if what == "stop" else "kill", seconds)
        return begun

    def _fill_redis(self, seconds: float) -> None:
        """No memory for writes for a while."""
        client = self.stage.redis
        client.config_set("maxmemory", max(1, client.info("memory")["used_memory"] // 2))
        time.sleep(seconds)
        with contextlib.suppress(redis.RedisError, OSError):  # a restart has lifted it already
            client.config_set("maxmemory", 0)

    def _message(self, what: str, host: str, _seconds: float) -> None:
        """Poison; offers in hand once more, as often as five times; offers of long ago, under every fence."""
        if what == "poison":
            bodies = POISON
        elif what == "twice":
            bodies = [_message_of(run, run.fence) for run in _recent(Run.objects.active()) for _ in range(5)]
        else:
            old = _recent(Run.objects.finished())
            bodies = [_message_of(run, fence) for run in old for fence in range(1, run.fence + 2)]
        if bodies:
            self.stage.redis.lpush(key(host, "runs"), *bodies)

    def _tick(self, what: str, _target: str, _seconds: float) -> None:
        """Ten at once, which the worker's threads do side by side; or poison."""
        tick = json.dumps(celery_message(TICK_TASK, []))
        self.stage.redis.lpush(TICKS, *(POISON if what == "poison" else [tick] * 10))

    def _report(self, _what: str, host: str, _seconds: float) -> None:
        """Reports that come again, that nobody has made, and that make no sense."""
        client, stream = self.stage.redis, key(host, "reports")
        entries = client.xrange(stream, count=50)  # bells of heartbeats among them
        reports = [fields[b"report"] for _id, fields in entries if b"report" in fields]
        forged = [
            Report("finished", run.pk, fence, "forged", seq, body={"outcome": "succeeded"}).to_json()
            for seq, run in enumerate(_recent(Run.objects.active()), 1)
            for fence in (run.fence, run.fence - 1)
        ]
        for body in [*reports, *reports, *forged, b"garbage", b"{}", b"\xff"]:
            client.xadd(stream, {"report": body})

    def _flood(self, _what: str, _target: str, _seconds: float) -> None:
        """Offers of runs that do not exist, on the queue of one host."""
        host = self._rng.choice(HOSTS)
        body = json.dumps(offer_message(2**40, 1, "SA1"))
        pipeline = self.stage.redis.pipeline(transaction=False)
        for _ in range(FLOOD // 1000):
            pipeline.lpush(key(host, "runs"), *[body] * 1000)
            pipeline.execute()

    # --- the database ---

    def _database(self, what: str, _target: str, seconds: float) -> None:
        if what in ("locked", "locked_long"):
            lock_sqlite(settings.DATABASES["default"]["NAME"], seconds)
        elif what == "cut":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                    "AND datname = current_database()"
                )
        elif what.startswith("stop"):
            self._process(self.stage.role("postgres"), what, seconds)
        else:
            role = self.stage.role("postgres")
            starts, role.down_until = role.starts, time.monotonic() + seconds
            role.signal(signal.SIGQUIT)  # its immediate shutdown
            role.wait_until_new(starts)

    # --- phones ---

    def _phone(self, what: str, serial: str, seconds: float) -> None:
        self.stage.set_phone(serial, OF_SIMULATOR.get(what, what))
        time.sleep(seconds)
        self.stage.set_phone(serial, None)


def wrong_clock(seconds: int) -> dict[str, str]:
    """The environment of a process whose wall clock is wrong; its monotonic clock is right."""
    found = find_spec("libfaketime")
    if found is None or found.origin is None:
        raise RuntimeError("The package libfaketime is missing: install requirements-dev.txt.")
    library = Path(found.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    return {"LD_PRELOAD": str(library), "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def lock_sqlite(path: str, seconds: float) -> None:
    """Nobody else writes for so long."""
    with contextlib.closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        db.execute("ROLLBACK")


def _recent(runs: Any) -> list[Run]:
    return list(runs.exclude(device=None).select_related("device").order_by("-id")[:20])


def _message_of(run: Run, fence: int) -> str:
    assert run.device is not None
    return json.dumps(offer_message(run.pk, fence, run.device.serial))
