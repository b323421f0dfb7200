"""The Celery side of an agent: one task, a pool of threads, one lane per phone."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import redis
from celery import Celery
from celery.signals import worker_shutting_down

from automation import transport
from automation.agent.identity import CannotStart, Identity, written_in
from automation.agent.inventory import LOOK_SECONDS, Inventory
from automation.agent.lanes import locks_folder, try_lock
from automation.agent.outbox import Outbox
from automation.agent.pulse import WIRE_ERRORS, Pulse
from automation.agent.work import DEFECT, Work
from automation.protocol import CELERY_SETTINGS, RUN_TASK, key, without_password
from devices.phones.adb import AdbServer
from devices.phones.errors import PhoneError

log = logging.getLogger(__name__)

VERSION = "0.1.0"
M_ARENA_MAX = -8  #: malloc.h
SPARE = 8  #: threads beyond one for the run and one for the next run of each lane
STOP_SECONDS = 20.0  #: what the step at hand gets when the agent is stopped


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
        with written_in(state):
            self.identity = Identity(name, state)
            self.outbox = Outbox(state / "outbox.sqlite3")
        self.inventory = Inventory(servers, wanted)
        self.work = Work(
            self.client, self.identity, self.outbox, self.inventory, wake=lambda: self.pulse.wake()
        )
        self.pulse = Pulse(self.client, self.identity, self.outbox, self.inventory, self.work, lanes, VERSION)
        self.inventory.on_change = self.pulse.beat_now
        self.lets_end = (
            False  #: at SIGTERM runs go on to their end, instead of being handed back after their step
        )
        self._stop = threading.Event()

    def run(self) -> int:
        """Work until SIGTERM; returns the exit code. Raises CannotStart when something that it needs cannot be had."""
        share_one_heap()
        try_lock(locks_folder())
        self._check_redis()
        self._start_adb()
        with written_in(self.identity.folder):
            abandoned = self.outbox.abandon_all()
        if abandoned:
            log.warning("the agent before this one died with %s runs in hand: reported", abandoned)
        threads = [
            threading.Thread(target=target, name=name, args=arguments, daemon=True)
            for name, target, arguments in self._threads()
        ]
        gc.freeze()  # to look for garbage in all that was loaded stops every lane for 0.1 s
        for thread in threads:
            thread.start()
        try:
            self._serve()
            return 0 if self.work.stopping else DEFECT
        finally:
            self._say_goodbye(threads)

    def _threads(self) -> Iterator[tuple[str, Callable[..., None], tuple[Any, ...]]]:
        yield "pulse", self.pulse.run, ()
        yield "orders", self.pulse.listen, ()
        yield "inventory", self._look, ()
        for server in self.inventory.servers:
            yield f"adb {server.port}", self.inventory.watch, (server, self._stop)

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
            self.inventory.look_now.wait(LOOK_SECONDS)
            self.inventory.look_now.clear()

    def _is_idle(self, serial: str) -> bool:
        return not self.work.lanes.lane(serial).locked()

    def _serve(self) -> None:
        app = celery_app(self.identity.name, self.redis_url, self.work)
        worker_shutting_down.connect(self._stop_working, weak=False)
        app.worker_main(
            ["worker", "-P", "threads", "-c", str(2 * self.lanes + SPARE), "-Q", "runs",
             "-n", f"agent@{self.identity.name}",
             "--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
        )  # fmt: skip

    def _stop_working(self, **_signal: Any) -> None:
        """The first SIGTERM: as `lets_end` says, the step at hand for STOP_SECONDS. A second one: at once."""
        if self.work.stopping:
            self.work.cancel_all(self.work.stopping)
            return
        self.work.stop(self.lets_end)
        if not self.lets_end:
            late = threading.Timer(STOP_SECONDS, self.work.cancel_all, [self.work.stopping])
            late.daemon = True
            late.start()

    def _say_goodbye(self, threads: list[threading.Thread]) -> None:
        """Send the last reports and free the name; what cannot be sent stays in the outbox for the next start."""
        self.work.stop()
        self._stop.set()
        self.inventory.look_now.set()
        self.pulse.stop.set()
        self.pulse.wake()
        threads[0].join(timeout=5)  # the pulse; the others only wait for what comes from outside
        try:
            self.pulse.beat_once()
            self.client.delete(key(self.identity.name, "agent"))
        except WIRE_ERRORS:
            log.warning("the last reports could not be sent; they are kept in %s", self.identity.folder)


def celery_app(host: str, redis_url: str, work: Work) -> Any:
    """The Celery app of an agent: its queue is `h:<host>:runs`, its only task runs an offer."""
    transport.use(transport.Offers)  # this process is an agent and nothing else
    app = Celery("phonerack-agent", set_as_current=False, fixups=[])  # else it loads Django where it finds it
    app.conf.update(CELERY_SETTINGS, broker_url=redis_url)
    app.conf.broker_transport_options = {
        **CELERY_SETTINGS["broker_transport_options"],
        "global_keyprefix": key(host, ""),
    }
    app.task(name=RUN_TASK, Strategy=f"{__name__}:straight_to_the_pool")(work.do)
    return app


def straight_to_the_pool(task: Any, _app: Any, consumer: Any, **_options: Any) -> Callable[..., None]:
    """Celery's strategy for offers: each goes to a thread as it is.

    `Work.do` raises nothing, returns nothing, and is told apart by run and fence; so it needs none of what Celery's
    own strategy does for each message (request, tracer, results, retries, revokes), which takes 0.4 ms of CPU.
    """

    def on_message(message: Any, *_arguments: Any, **_callbacks: Any) -> None:
        message.ack()
        arguments, *_rest = message.decode()
        consumer.pool.apply_async(task.run, arguments, callback=_has_no_result)

    return on_message


def _has_no_result(_nothing: None) -> None:
    """The pool wants somebody to tell."""


def share_one_heap() -> None:
    """Have all threads allocate from one heap: glibc gives each its own, which costs 40 MB with 120 threads.

    Only glibc knows mallopt (https://man7.org/linux/man-pages/man3/mallopt.3.html); elsewhere nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
