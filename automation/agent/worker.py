"""The Celery side of an agent: one task, a pool of threads, one lane per phone."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import redis
from celery import Celery
from celery.signals import worker_shutting_down
from kombu.transport import TRANSPORT_ALIASES

from automation.agent.identity import CannotStart, Identity
from automation.agent.inventory import LOOK_SECONDS, Inventory
from automation.agent.outbox import Outbox
from automation.agent.pulse import WIRE_ERRORS, Pulse
from automation.agent.work import DEFECT, Work
from automation.protocol import CELERY_SETTINGS, RUN_TASK, key, without_password
from devices.phones.adb import AdbServer
from devices.phones.errors import PhoneError

log = logging.getLogger(__name__)

VERSION = "0.1.0"


class Agent:
    """One per host: wires identity, outbox, inventory, pulse and work together, then serves Celery."""

    def __init__(
        self, name: str, redis_url: str, state: Path, servers: list[AdbServer], wanted: list[str], lanes: int
    ):
        self.lanes, self.redis_url = lanes, redis_url
        try:
            self.client = redis.Redis.from_url(
                redis_url, socket_timeout=5, socket_connect_timeout=5, health_check_interval=10
            )
        except ValueError:
            raise CannotStart(
                "REDIS_URL is no Redis address: redis://HOST:PORT/0, rediss:// with TLS."
            ) from None
        self.identity = Identity(name, state)
        self.outbox = Outbox(state / "outbox.sqlite3")
        self.inventory = Inventory(servers, wanted)
        self.work = Work(
            self.client, self.identity, self.outbox, self.inventory, wake=lambda: self.pulse.wake()
        )
        self.pulse = Pulse(self.client, self.identity, self.outbox, self.inventory, self.work, lanes, VERSION)
        self._stop = threading.Event()

    def run(self) -> int:
        """Work until SIGTERM; returns the exit code. Raises CannotStart when Redis, adb or the name cannot be had."""
        self._check_redis()
        self._start_adb()
        abandoned = self.outbox.abandon_all()
        if abandoned:
            log.warning("the agent before this one died with %s runs in hand: reported", abandoned)
        threads = [
            threading.Thread(target=self.pulse.run, name="pulse", daemon=True),
            threading.Thread(target=self._look, name="inventory", daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            self._serve()
            return 0 if self.work.stopping else DEFECT
        finally:
            self._say_goodbye(threads)

    def _check_redis(self) -> None:
        try:
            self.pulse.claim_name()
        except WIRE_ERRORS as error:
            raise CannotStart(
                f"Redis does not answer at {without_password(self.redis_url)} ({type(error).__name__}). "
                f"Start it, or set REDIS_URL to the one the controller uses."
            ) from None

    def _start_adb(self) -> None:
        for server in self.inventory.servers:
            try:
                server.ensure_started()
            except PhoneError as error:
                raise CannotStart(str(error)) from None

    def _look(self) -> None:
        while not self._stop.is_set():
            try:
                self.inventory.look(self._is_idle)
            except Exception as error:  # noqa: BLE001 - the inventory must outlive any surprise of adb
                log.warning("a look at the phones failed: %s", type(error).__name__)
            self._stop.wait(LOOK_SECONDS)

    def _is_idle(self, serial: str) -> bool:
        return not self.work.lanes.lane(serial).locked()

    def _serve(self) -> None:
        app = celery_app(self.identity.name, self.redis_url, self.work)
        worker_shutting_down.connect(lambda **_: self.work.stop(), weak=False)
        app.worker_main(
            ["worker", "-P", "threads", "-c", str(self.lanes), "-Q", "runs", "-n", f"agent@{self.identity.name}",
             "--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
        )  # fmt: skip

    def _say_goodbye(self, threads: list[threading.Thread]) -> None:
        """Send the last reports and free the name; what cannot be sent stays in the outbox for the next start."""
        self.work.stop()
        self._stop.set()
        self.pulse.stop.set()
        self.pulse.wake()
        for thread in threads:
            thread.join(timeout=5)
        try:
            self.pulse.beat_once()
            self.client.delete(key(self.identity.name, "agent"))
        except WIRE_ERRORS:
            log.warning("the last reports could not be sent; they are kept in %s", self.identity.folder)


def celery_app(host: str, redis_url: str, work: Work) -> Any:
    """The Celery app of an agent: its queue is `h:<host>:runs`, its only task runs an offer."""
    for scheme in ("redis", "rediss"):  # this process is an agent and nothing else
        TRANSPORT_ALIASES[scheme] = "automation.agent.transport:Transport"
    app = Celery("phonerack-agent", set_as_current=False)
    app.conf.update(CELERY_SETTINGS, broker_url=redis_url)
    app.conf.broker_transport_options = {
        **CELERY_SETTINGS["broker_transport_options"],
        "global_keyprefix": key(host, ""),
    }
    app.task(name=RUN_TASK)(work.do)
    return app
