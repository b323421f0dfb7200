"""The agent's talk with the controller: one thread that sends reports and heartbeats and reads what is asked."""

from __future__ import annotations

import logging
import platform
import threading
import time
from pathlib import Path
from typing import Any

import redis

from automation.agent.identity import CannotStart, Identity
from automation.agent.inventory import Inventory
from automation.agent.lease import CUT_OFF_SECONDS, clock
from automation.agent.outbox import Outbox
from automation.agent.work import Work
from automation.protocol import (
    CONTROL_POLL_SECONDS,
    HEARTBEAT_SECONDS,
    HOST_SILENT_SECONDS,
    MOST,
    REPORT_WINDOW,
    Heartbeat,
    key,
    read_json,
)
from automation.screens.schema import library
from automation.transport import Transport

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.01  #: from a report to its sending, so that those of a busy moment travel together
READ_SECONDS = 0.1  #: between two readings of the control hash, unless an order rings
RESEND_SECONDS = 3.0  #: reports not acknowledged by then are sent again: Redis may have lost them
LISTEN_SECONDS = 2  #: one wait for an order; below the socket's timeout
FAULTS_LENGTH = 1000  #: of what is wrong in the operator's screen files
SAY_SECONDS = 30.0  #: between two log lines about the same outage
NAME_SECONDS = 20  #: how long the name stays taken after the last heartbeat

WIRE_ERRORS = (redis.RedisError, OSError)


class Pulse:
    """Everything the agent says and hears, apart from the tickets and the Celery messages."""

    def __init__(
        self,
        client: Any,
        identity: Identity,
        outbox: Outbox,
        inventory: Inventory,
        work: Work,
        lanes: int,
        version: str,
    ) -> None:
        self.client, self.identity, self.outbox, self.inventory = client, identity, outbox, inventory
        self._work, self._lanes, self._version = work, lanes, version
        self._number, self._nonce, self._beat_at = 0, "", 0.0
        self._sent, self._acked, self._progress_at = 0, 0, time.monotonic()
        self._lease, self._say_at = work.lease, 0.0
        self._new_report, self._urgent, self._ordered, self._read_at = threading.Event(), False, False, 0.0
        self.stop = threading.Event()

    @property
    def _mine(self) -> bytes:
        """What stands at the host's name while it is ours: the outbox, and the machine that it lies on."""
        return f"{self.outbox.epoch}:{machine_id()}".encode()

    def claim_name(self) -> None:
        """Take the host's name, or keep it. Raises CannotStart when somebody else has it, or redis errors."""
        name = key(self.identity.name, "agent")
        if self.client.set(name, self._mine, nx=True, ex=NAME_SECONDS):
            return
        if self.client.get(name) not in (None, self._mine):
            raise CannotStart(
                f"Another agent already uses the name {self.identity.name} (on another machine, or with another "
                f"state folder). Stop it and try again in {NAME_SECONDS} s, or choose another name with --name."
            )
        self.client.expire(name, NAME_SECONDS)

    def wake(self) -> None:
        """There is a new report or a new order: talk now."""
        self._new_report.set()

    def beat_now(self) -> None:
        """A phone came or went: the controller should hear of it now."""
        self._urgent, self._beat_at = True, 0.0
        self.wake()

    def listen(self) -> None:
        """Until `stop`: wake when the controller writes an order. What is missed is read within the next poll."""
        orders, last = key(self.identity.name, "orders"), "0"
        while not self.stop.is_set():
            try:
                for _stream, entries in self.client.xread({orders: last}, block=LISTEN_SECONDS * 1000) or []:
                    last, self._ordered = entries[-1][0], True
                    self.wake()
            except WIRE_ERRORS:
                self.stop.wait(1)

    def run(self) -> None:
        """Until `stop`. An outage is waited out; when it lasts too long the phones are let go."""
        while not self.stop.is_set():
            if self._lease.is_over:  # also after this machine slept or was paused
                self._work.cancel_all("cut_off")
            try:
                is_due = self._ordered or time.monotonic() - self._read_at >= READ_SECONDS
                (self.beat_once if is_due else self._speak)()
            except WIRE_ERRORS as error:
                self._say_away(error)
            except Exception:  # nobody would hear of the phones any more: better none is touched
                log.exception("the talk with the controller broke off; this agent ends")
                self._work.die()
            self._work.end_expired()
            if self._new_report.wait(CONTROL_POLL_SECONDS) and not self._ordered:
                self.stop.wait(GATHER_SECONDS)
            self._new_report.clear()

    def _say_away(self, error: Exception) -> None:
        now, there = time.monotonic(), self.client.get_connection_kwargs()
        if now >= self._say_at:
            self._say_at = now + SAY_SECONDS
            log.warning(
                "Redis at %s:%s does not answer (%s); trying again. Is it up, and does this host reach it? Until it "
                "does, nothing new starts, and what runs longer than %.0f s into the outage ends.",
                there.get("host"), there.get("port"), type(error).__name__, CUT_OFF_SECONDS,
            )  # fmt: skip

    def beat_once(self) -> None:
        """One exchange: read the control hash, send reports, send a heartbeat when due. Raises redis errors."""
        self._ordered, self._read_at = False, time.monotonic()
        self._obey(self.client.hgetall(key(self.identity.name, "control")))
        self._speak()

    def _speak(self) -> None:
        self._send_reports()
        if time.monotonic() - self._beat_at >= HEARTBEAT_SECONDS:
            self._send_heartbeat()

    def _obey(self, control: dict[bytes, bytes]) -> None:
        epoch, _, acked = control.get(b"acked", b"").decode(errors="replace").partition(":")
        if epoch == self.outbox.epoch and _is_number(acked):
            self._acknowledged(int(acked))
        if b"key" in control:
            self._trust(control[b"key"].decode(errors="replace"))
        if cancels := _pairs(control.get(b"cancels", b"[]")):
            self._work.cancel(cancels, "canceled")
        nonce = control.get(b"nonce", b"").decode(errors="replace")
        if nonce != self._nonce:  # the controller waits for the answer
            self._nonce, self._beat_at = nonce, 0.0

    def _trust(self, controller_key: str) -> None:
        try:
            self.identity.trust(controller_key)
        except CannotStart as error:
            log.error("%s", error)

    def _acknowledged(self, seq: int) -> None:
        if seq != self._acked:
            self._acked, self._progress_at = seq, time.monotonic()
            self.outbox.acknowledged(seq)

    def _send_reports(self) -> None:
        """Send what is new; and everything again that was read without being acknowledged: it was lost on the way."""
        stream, now = key(self.identity.name, "reports"), time.monotonic()
        if now - self._progress_at > RESEND_SECONDS and not self.client.xlen(stream):
            self._sent, self._progress_at = 0, now
        reports = self.outbox.unsent_texts(self._sent, REPORT_WINDOW)
        if not reports:
            return
        pipeline = self.client.pipeline(transaction=False)
        for _seq, text in reports:
            pipeline.xadd(stream, {"report": text}, maxlen=2 * REPORT_WINDOW)
        pipeline.execute()
        self._sent = reports[-1][0]

    def _send_heartbeat(self) -> None:
        begun = clock()
        phones, screens = self.inventory.phones(), library()
        first_seq, last_seq, in_hand = self.outbox.snapshot()
        self._number = max(self._number + 1, int(time.time() * 1000))  # grows over restarts too
        beat = Heartbeat(
            host=self.identity.name, epoch=self.outbox.epoch, number=self._number, nonce=self._nonce,
            last_seq=last_seq, first_seq=first_seq, in_hand=in_hand, phones=phones,
            public_key=self.identity.public_key, version=self._version, lanes=self._lanes,
            dropped=Transport.dropped, screens=screens.hash, screen_faults="\n".join(screens.faults)[:FAULTS_LENGTH],
        )  # fmt: skip
        self.claim_name()
        self.client.set(key(self.identity.name, "beat"), beat.to_json(), ex=int(HOST_SILENT_SECONDS))
        self._lease.renew(begun)
        if self._urgent:
            self._urgent = False
            self.client.xadd(
                key(self.identity.name, "reports"), {"beat": self._number}, maxlen=2 * REPORT_WINDOW
            )
        self._beat_at = time.monotonic()


def machine_id() -> str:
    """What tells this machine from a copy of its disk."""
    try:
        return Path("/etc/machine-id").read_text().strip() or platform.node()
    except OSError:
        return platform.node()


def _is_number(text: str) -> bool:
    """One that a column of the outbox takes."""
    return text.isascii() and text.isdigit() and len(text) <= 16 and int(text) < MOST


def _pairs(text: bytes) -> set[tuple[int, int]]:
    try:
        return {(int(run), int(fence)) for run, fence in read_json(text)}
    except (ValueError, TypeError, OverflowError):
        log.warning("the control hash holds no list of cancels")
        return set()
