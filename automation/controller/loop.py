"""The controller: applies reports, ends what is lost, offers what can start. One clear loop.

hear heartbeats -> apply reports -> settle and sweep -> offer -> wait for the next report
"""

from __future__ import annotations

import logging
import platform
import threading
import time

from django.db import DatabaseError, close_old_connections

from automation.controller import dispatch, reports, sweep, tickets
from automation.controller.heartbeats import Hearing
from automation.controller.wire import WIRE_ERRORS, wire
from automation.protocol import CONTROLLER_KEY, CONTROLLER_SECONDS, WAKE_KEY, key
from devices.models import Host

log = logging.getLogger(__name__)

PASS_SECONDS = 1.0  #: longest wait for a report or for new work before the next pass
SWEEP_SECONDS = 1.0  #: heartbeats, overdue offers, expired runs
OUTAGE_SECONDS = 1.0  #: wait after Redis or the database did not answer


class Controller:
    """One pass after the other until `stop` is set. Holds nothing that may not be lost."""

    def __init__(self) -> None:
        self.hearing, self.questions = Hearing(), sweep.Questions()
        self.stop = threading.Event()
        self._swept, self._woken = 0.0, b"0"

    def run(self) -> None:
        """Work until told to stop; an outage of Redis or the database is waited out."""
        log.info("controller at work")
        while not self.stop.is_set():
            try:
                self.one_pass()
                self._wait()
            except WIRE_ERRORS as error:
                self._outage("Redis", error)
                self.hearing.one_more_term()
            except DatabaseError as error:
                self._outage("the database", error)
        log.info("controller stopped")

    def one_pass(self) -> None:
        """Reports first, so that a phone that came free gets its next run in the same pass."""
        hosts = list(Host.objects.all())
        for host in hosts:
            reports.apply_host(host.name)
        if time.monotonic() - self._swept >= SWEEP_SECONDS:
            self._sweep()
            self._swept = time.monotonic()
        dispatch.offer_all()

    def _sweep(self) -> None:
        wire().set(CONTROLLER_KEY, platform.node(), ex=CONTROLLER_SECONDS)
        for beat in self.hearing.listen():
            reports.apply_host(beat.host)
            reports.acknowledge(beat.host)
            wire().hset(key(beat.host, "control"), "key", bytes(tickets.controller_key().public_key).hex())
            sweep.hold_against(beat, self.questions)
        for host in self.hearing.silent():
            sweep.lose_host(host)
        for host in Host.objects.alive():
            sweep.send_cancels(host)
        sweep.overdue_offers(self.questions)
        sweep.expire()

    def _wait(self) -> None:
        """Until a report or new work comes in, at most PASS_SECONDS."""
        streams = {key(name, "reports"): "0" for name in Host.objects.values_list("name", flat=True)}
        found = wire().xread({**streams, WAKE_KEY: self._woken}, count=1, block=int(PASS_SECONDS * 1000))
        for name, entries in found or []:
            if name == WAKE_KEY.encode():
                self._woken = entries[-1][0]

    def _outage(self, what: str, error: Exception) -> None:
        log.warning("%s does not answer (%s); trying again", what, type(error).__name__)
        close_old_connections()
        self.stop.wait(OUTAGE_SECONDS)
