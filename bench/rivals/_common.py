"""What the rivals share: their Redis, the lock of a phone, the record, and the sign that a worker is ready."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from bench._plan import Item, Plan, load
from bench._records import Recorder

STAGED = "staged:"  #: prefix of keys that are not in place yet
LOCK_MS = 60_000  #: after which a lock ends by itself
RETRY_SECONDS = 0.2  #: before a run whose phone is taken is tried again

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
HOST = os.environ.get("BENCH_HOST", "")


class Taken(Exception):
    """Another run has the phone."""


class Phones:
    """The phones of one worker process."""

    def __init__(self) -> None:
        self._client = redis.Redis.from_url(REDIS_URL)
        self._recorder = Recorder(Path(os.environ["BENCH_RECORDS"]), HOST or "worker")

    @contextmanager
    def lock(self, serial: str) -> Iterator[None]:
        """The phone's lock in Redis (SET NX PX). Raises Taken."""
        mine = uuid.uuid4().hex
        if not self._client.set(f"lock:{serial}", mine, nx=True, px=LOCK_MS):
            raise Taken
        try:
            yield
        finally:
            if self._client.get(f"lock:{serial}") == mine.encode():
                self._client.delete(f"lock:{serial}")

    def visit(self, serial: str, run: int, seconds: float) -> None:
        """Have the phone in hand for so long."""
        with self._recorder.visit(serial, run):
            time.sleep(seconds)


def say_ready() -> None:
    """This worker takes work from now on."""
    (Path(os.environ["BENCH_RECORDS"]) / f"ready-{HOST}").touch()


def fill(put: Callable[[Item], object]) -> None:
    """Main program of a rival: put every run of the plan into its queue, in the order that is asked for."""
    plan: Plan = load(sys.argv[1])
    items: Iterable[Item] = plan.by_device() if sys.argv[2] == "by device" else plan.interleaved()
    begun = time.monotonic()
    for item in items:
        put(item)
    sys.stdout.write(f"{time.monotonic() - begun:.3f}\n")
