"""The controller: applies reports, ends what is lost, offers what can start. One clear loop.

hear heartbeats -> apply reports -> settle and sweep -> offer -> wait for the next report
"""

from __future__ import annotations

import contextlib
import logging
import platform
import threading
import time
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from accounts.excel import uploads
from automation import drift
from automation.controller import cancels, dispatch, gather, parcels, prune, reports, sweep, tickets
from automation.controller.gather import Pace
from automation.controller.heartbeats import Hearing
from automation.controller.wire import DATABASE_AWAY, WIRE_ERRORS, clear_strangers, wire
from automation.models import Run
from automation.protocol import CONTROLLER_KEY, CONTROLLER_SECONDS, WAKE_KEY, Heartbeat, key, without_password
from devices.models import Host

log = logging.getLogger(__name__)

PASS_SECONDS = 1.0  #: longest wait for a report or for new work before the next pass
SWEEP_SECONDS = 1.0  #: heartbeats, overdue offers, expired runs
CLEAN_SECONDS = 10.0  #: between two looks for what nothing else would end
PRUNE_SECONDS = 60.0  #: between two looks for what was kept for long enough, where the last one found nothing
HEAR_SECONDS = 0.02  #: longest stay at heartbeats in one pass
GATHER_SECONDS = 0.06  #: longest wait of a busy moment, from the end of one pass to the next
GATHERED = 100  #: reports of one pass that are a batch already: the next pass does not wait for more
SAY_SECONDS = 30.0  #: between two log lines about the same outage
OUTAGE_SECONDS = 1.0  #: wait after Redis or the database did not answer


class Controller:
    """One pass after the other until `stop` is set. Holds nothing that may not be lost."""

    def __init__(self) -> None:
        self.hearing, self.questions = Hearing(), sweep.Questions()
        self.pace, self.cancels, self.post = Pace(), cancels.Cancels(), parcels.Post()
        self.draining, self.stop = threading.Event(), threading.Event()
        self._drained_at = float("inf")
        self._hosts: list[str] = []
        self._lines: list[gather.Line] = []
        self._cleaned = self._prune_at = 0.0
        self._swept, self._woken, self._is_news, self._gather_until = 0.0, b"0", True, 0.0
        self._said: dict[str, float] = {}  #: outages, and when they were last logged

    def run(self) -> None:
        """Work until told to stop; an outage of Redis or the database is waited out."""
        log.info("controller at work")
        while not self.stop.is_set():
            try:
                if self._is_drained():
                    break
                self.one_pass()
                self._wait()
            except WIRE_ERRORS as error:
                self._no_redis(error)
            except DATABASE_AWAY as error:
                self._outage("the database", error)
            except Exception:  # a defect; the hosts must not pay for it
                log.exception("a pass of the controller broke off")
                self.stop.wait(OUTAGE_SECONDS)
        log.info("controller stopped")

    def drain(self) -> None:
        """Offer nothing more; go on until nothing is in hand, at most PHONERACK_DRAIN_SECONDS. Then `run` returns."""
        self._drained_at = time.monotonic() + settings.PHONERACK_DRAIN_SECONDS
        self.draining.set()

    def _is_drained(self) -> bool:
        return self.draining.is_set() and (
            time.monotonic() >= self._drained_at or not Run.objects.active().exists()
        )

    def one_pass(self) -> None:
        """Reports first, so that a phone that came free gets its next run in the same pass."""
        begun, news = time.monotonic(), reports.News(pace=self.pace)
        is_due = begun - self._swept >= SWEEP_SECONDS
        if is_due:  # of all hosts, for the sweep judges them by what they reported
            self._hosts = list(Host.objects.values_list("name", flat=True))
        applied = reports.apply_hosts(self._hosts, news)
        if news.bells or is_due or self.hearing.left:
            self._hear()
        if is_due:
            self._sweep()
            self._swept = time.monotonic()
        if not self.draining.is_set():
            self._offer(news.devices)
        ended = time.monotonic()
        is_busy = 0 < applied < GATHERED
        self._gather_until = ended + min(2 * (ended - begun), GATHER_SECONDS) if is_busy else 0.0

    def _offer(self, devices: set[int]) -> None:
        """To all phones when there may be new work, else to those that came free, of the lines known since then."""
        if self._is_news:
            self._lines = gather.lines()
        if self._lines and (self._is_news or devices):
            among = None if self._is_news else devices
            dispatch.offer_all(self.pace, among, self._lines, self.draining.is_set)
        self._is_news = False

    def _hear(self) -> None:
        """What the hosts say, for HEAR_SECONDS; the next pass hears the others, after what was clicked meanwhile."""
        for beat in self.hearing.listen(HEAR_SECONDS):
            self._apart(self._settle, beat)
        self._is_news = True

    def _sweep(self) -> None:
        wire().set(CONTROLLER_KEY, platform.node(), ex=CONTROLLER_SECONDS)
        hosts = list(Host.objects.all())
        alive = [host for host in hosts if not host.is_silent]
        given_up = [host for host in hosts if host.is_silent]
        for host in {*self.hearing.silent(alive), *sweep.with_runs(given_up)}:
            self._apart(sweep.lose_host, host)
        self._apart(self.cancels.send, alive, self.hearing.beats)
        self._apart(self.post.send, alive)
        self._apart(sweep.end_holds)
        self._apart(sweep.in_hand, self.questions)
        self._apart(sweep.expire)
        if time.monotonic() - self._cleaned >= CLEAN_SECONDS:
            self._clean()
            self._cleaned = time.monotonic()

    def _clean(self) -> None:
        self._apart(sweep.skip_disabled)
        if time.monotonic() >= self._prune_at and not self._prune():
            self._prune_at = time.monotonic() + PRUNE_SECONDS

    def _prune(self) -> bool:
        """Whether something went: then there may be more."""
        gone = [self._apart(prune.evidence), self._apart(prune.history)]
        self._apart(drift.prune, timezone.now())
        self._apart(uploads.sweep)
        return any(gone)

    def _settle(self, beat: Heartbeat) -> None:
        reports.apply_host(beat.host)
        host = Host.objects.get(name=beat.host)
        reports.acknowledge(wire(), host)
        wire().hset(key(beat.host, "control"), "key", bytes(tickets.controller_key().public_key).hex())
        sweep.hold_against(host, beat, self.questions)

    def _apart(self, step: Callable[..., object], *arguments: Any) -> object:
        """What the step returns. One host's or one step's trouble is not the others'; an outage is everybody's."""
        try:
            return step(*arguments)
        except (*WIRE_ERRORS, *DATABASE_AWAY):
            raise
        except Exception:
            log.exception("%s failed for %.100s", step.__qualname__, arguments)
            return None

    def _wait(self) -> None:
        """Until a report or new work comes in, at most PASS_SECONDS; with a report in a busy moment until twice as long
        has passed as the last pass took, so that what comes then is one batch.
        """
        if self.hearing.left:
            return
        streams = {key(name, "reports"): "0" for name in self._hosts}
        found = wire().xread({**streams, WAKE_KEY: self._woken}, count=1, block=int(PASS_SECONDS * 1000))
        for name, entries in found or []:
            if name == WAKE_KEY.encode():
                self._woken, self._is_news = entries[-1][0], True
        if found and not self._is_news:
            self.stop.wait(max(0.0, self._gather_until - time.monotonic()))

    def _no_redis(self, error: redis.RedisError) -> None:
        """An outage is waited out; what lies at a key where it does not belong is cleared away."""
        if "WRONGTYPE" in str(error):
            with contextlib.suppress(*WIRE_ERRORS):
                clear_strangers()
        self._outage(f"Redis at {without_password(settings.REDIS_URL)}", error)
        self.hearing.one_more_term()

    def _outage(self, what: str, error: Exception) -> None:
        """Wait a little; say so at once and then once in SAY_SECONDS."""
        now = time.monotonic()
        if now - self._said.get(what, -SAY_SECONDS) >= SAY_SECONDS:
            log.warning("%s does not answer (%s); trying again", what, type(error).__name__)
            self._said[what] = now
        close_old_connections()
        self.stop.wait(OUTAGE_SECONDS)
