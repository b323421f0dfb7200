"""Agents without phones: they take every offer and report its end at once, so that the controller is what limits.

python -m bench._echo PLAN LINES     one process for all hosts of the plan; LINES steps are reported of each run

They take tickets, number their reports and keep to the agent's window of unacknowledged ones, as real agents do.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import time
import uuid
from collections import deque

import redis
from nacl.public import PrivateKey

from automation.protocol import REPORT_WINDOW, Heartbeat, PhoneState, Report, key, ticket_key
from bench._plan import load

BEAT_SECONDS = 2.0
STEP = {"name": "a step", "seconds": 0.012, "ok": True, "detail": "as short as most are"}


class Echo:
    """One host."""

    def __init__(self, client: redis.Redis, host: str, serials: list[str], lines: int) -> None:
        self.client, self.host, self.lines = client, host, lines
        self.epoch = uuid.uuid4().hex
        self.key = bytes(PrivateKey(hashlib.sha256(host.encode()).digest()).public_key).hex()
        self.phones = [PhoneState(serial, serial, "online").__dict__ for serial in serials]
        self.seq = self.acked = self.sent = 0
        self.waiting: deque[Report] = deque()
        self._beat_at = 0.0

    def turn(self) -> bool:
        """Take what is offered, send what the window lets through; False when there was nothing to do.

        Nothing before the controller has met it: it drops what comes from an unknown outbox, and a real agent would
        send that again.
        """
        self._beat()
        acked = self.client.hget(key(self.host, "control"), "acked") or b""
        epoch, _, number = acked.decode().partition(":")
        if epoch != self.epoch:
            return False
        self.acked = int(number)
        offers = [_offer(one) for one in self.client.rpop(key(self.host, "runs"), 500) or []]
        for run, fence, _serial in self._taken(offers):
            self._report(run, fence)
        return bool(self._send() or offers)

    def _taken(self, offers: list[list[object]]) -> list[list[object]]:
        """Those whose ticket was there."""
        pipeline = self.client.pipeline(transaction=False)
        for run, fence, _serial in offers:
            pipeline.getdel(ticket_key(self.host, run, fence))
        return [offer for offer, ticket in zip(offers, pipeline.execute(), strict=True) if ticket]

    def _report(self, run: int, fence: int) -> None:
        self._note("started", run, fence, {})
        for _ in range(self.lines):
            self._note("step", run, fence, STEP)
        self._note(
            "finished", run, fence, {"outcome": "succeeded", "reason": "waited", "message": "", "data": {}}
        )

    def _note(self, kind: str, run: int, fence: int, body: dict[str, object]) -> None:
        self.seq += 1
        self.waiting.append(Report(kind, run, fence, self.epoch, self.seq, time.time(), body))

    def _send(self) -> int:
        room = min(len(self.waiting), REPORT_WINDOW - (self.sent - self.acked))
        pipeline = self.client.pipeline(transaction=False)
        for _ in range(room):
            report = self.waiting.popleft()
            pipeline.xadd(key(self.host, "reports"), {"report": report.to_json()}, maxlen=2 * REPORT_WINDOW)
            self.sent = report.seq
        pipeline.execute()
        return max(0, room)

    def _beat(self) -> None:
        if time.monotonic() - self._beat_at < BEAT_SECONDS:
            return
        self._beat_at = time.monotonic()
        beat = Heartbeat(
            host=self.host, epoch=self.epoch, number=int(time.time() * 1000), last_seq=self.seq,
            first_seq=self.acked + 1, public_key=self.key, lanes=len(self.phones), phones=self.phones,
            nonce=(self.client.hget(key(self.host, "control"), "nonce") or b"").decode(),
        )  # fmt: skip
        self.client.set(key(self.host, "beat"), beat.to_json(), ex=30)


def _offer(message: bytes) -> list[object]:
    """Run, fence and serial of a Celery message."""
    arguments: list[object] = json.loads(base64.b64decode(json.loads(message)["body"]))[0]
    return arguments


def main() -> None:
    client, lines = redis.Redis.from_url(os.environ["REDIS_URL"]), int(sys.argv[2])
    hosts = [Echo(client, host, serials, lines) for host, serials in load(sys.argv[1]).serials().items()]
    while True:
        moved = [host.turn() for host in hosts]
        if not any(moved):
            time.sleep(0.002)


if __name__ == "__main__":
    main()
