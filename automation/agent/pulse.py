"""The agent's talk with the controller: one thread that sends reports and heartbeats and reads what is asked."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import redis

from automation.agent.identity import CannotStart, Identity
from automation.agent.inventory import Inventory
from automation.agent.outbox import Outbox
from automation.protocol import (
    CONTROL_POLL_SECONDS,
    HEARTBEAT_SECONDS,
    HOST_SILENT_SECONDS,
    REPORT_WINDOW,
    Heartbeat,
    key,
)

log = logging.getLogger(__name__)

RESEND_SECONDS = 3.0  #: reports not acknowledged by then are sent again: Redis may have lost them
CUT_OFF_SECONDS = HOST_SILENT_SECONDS * 0.8  #: unheard for so long, the agent lets go of its phones itself
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
        cancel: Callable[[int, int, str], None],
        cancel_all: Callable[[str], None],
        lanes: int,
        version: str,
    ) -> None:
        self.client, self.identity, self.outbox, self.inventory = client, identity, outbox, inventory
        self._cancel, self._cancel_all, self._lanes, self._version = cancel, cancel_all, lanes, version
        self._number, self._nonce, self._beat_at = 0, "", 0.0
        self._sent, self._sent_at = 0, 0.0
        self._heard_at = time.monotonic()
        self._new_report = threading.Event()
        self.stop = threading.Event()

    def claim_name(self) -> None:
        """Take the host's name, or say who has it. Raises CannotStart, or redis errors."""
        name, mine = key(self.identity.name, "agent"), self.outbox.epoch
        if not self.client.set(name, mine, nx=True, ex=NAME_SECONDS):
            holder = self.client.get(name)
            if holder is not None and holder.decode() != mine:
                raise CannotStart(
                    f"Another agent already uses the name {self.identity.name} (on another machine, or with another "
                    f"state folder). Stop it and try again in {NAME_SECONDS} s, or choose another name with --name."
                )

    def wake(self) -> None:
        """There is a new report: send it now."""
        self._new_report.set()

    def run(self) -> None:
        """Until `stop`: never raises for an outage, lets go of the phones when it lasts too long."""
        while not self.stop.is_set():
            try:
                self.beat_once()
                self._heard_at = time.monotonic()
            except WIRE_ERRORS as error:
                log.warning("Redis does not answer (%s)", type(error).__name__)
                self._cut_off()
            self._new_report.wait(CONTROL_POLL_SECONDS)
            self._new_report.clear()

    def beat_once(self) -> None:
        """One exchange: read the control hash, send reports, send a heartbeat when due. Raises redis errors."""
        self._obey(self.client.hgetall(key(self.identity.name, "control")))
        self._send_reports()
        if time.monotonic() - self._beat_at >= HEARTBEAT_SECONDS:
            self._send_heartbeat()

    def _obey(self, control: dict[bytes, bytes]) -> None:
        epoch, _, acked = control.get(b"acked", b"").decode().partition(":")
        if epoch == self.outbox.epoch and acked.isdigit():
            self.outbox.acknowledged(int(acked))
        if b"key" in control:
            self._trust(control[b"key"].decode())
        for run, fence in _pairs(control.get(b"cancels", b"[]")):
            self._cancel(run, fence, "canceled")
        nonce = control.get(b"nonce", b"").decode()
        if nonce != self._nonce:  # the controller waits for the answer
            self._nonce, self._beat_at = nonce, 0.0

    def _trust(self, controller_key: str) -> None:
        try:
            self.identity.trust(controller_key)
        except CannotStart as error:
            log.error("%s", error)

    def _send_reports(self) -> None:
        stream = key(self.identity.name, "reports")
        if time.monotonic() - self._sent_at > RESEND_SECONDS and not self.client.xlen(stream):
            self._sent = 0  # all was read: what is still not acknowledged was lost on the way
        reports = self.outbox.unsent(self._sent, REPORT_WINDOW)
        if not reports:
            return
        pipeline = self.client.pipeline(transaction=False)
        for report in reports:
            pipeline.xadd(stream, {"report": report.to_json()}, maxlen=2 * REPORT_WINDOW)
        pipeline.execute()
        self._sent, self._sent_at = reports[-1].seq, time.monotonic()

    def _send_heartbeat(self) -> None:
        phones = self.inventory.phones()
        last_seq, in_hand = self.outbox.snapshot()
        self._number = max(self._number + 1, int(time.time() * 1000))  # grows over restarts too
        beat = Heartbeat(
            host=self.identity.name, epoch=self.outbox.epoch, number=self._number, last_seq=last_seq,
            nonce=self._nonce, public_key=self.identity.public_key, version=self._version, lanes=self._lanes,
            in_hand=in_hand, phones=phones,
        )  # fmt: skip
        pipeline = self.client.pipeline(transaction=False)
        pipeline.set(key(self.identity.name, "beat"), beat.to_json())
        pipeline.set(key(self.identity.name, "agent"), self.outbox.epoch, ex=NAME_SECONDS)
        pipeline.execute()
        self._beat_at = time.monotonic()

    def _cut_off(self) -> None:
        if time.monotonic() - self._heard_at > CUT_OFF_SECONDS:
            self._cancel_all("cut_off")


def _pairs(text: bytes) -> list[tuple[int, int]]:
    try:
        return [(int(run), int(fence)) for run, fence in json.loads(text)]
    except (ValueError, TypeError):
        log.warning("the control hash holds no list of cancels")
        return []
