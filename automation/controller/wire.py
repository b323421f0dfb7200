"""The controller's end of Redis: one client that waits for nothing long, and the Celery messages of offers."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
from collections.abc import Iterable
from typing import Any

import redis
from django.conf import settings
from django.db import InterfaceError, OperationalError

from automation.protocol import IMPORT_TASK, TICKS, WAKE_KEY, celery_message, key, offer_message

log = logging.getLogger(__name__)

QUEUE_LENGTH = 1000  #: messages that wait for one host at most

#: What a database that is away or locked raises; anything else it raises is about what was written.
DATABASE_AWAY = (OperationalError, InterfaceError)

#: What talking to Redis may raise; the truth is in the database, so the loop simply goes on. No OSError: redis-py has
#: its own for what the socket raises, and a file that cannot be read is no outage of Redis.
WIRE_ERRORS = (redis.RedisError,)

#: The types of the keys (protocol.py) by the last part of their names; the others are strings.
TYPES = {"wake": b"stream", "reports": b"stream", "orders": b"stream", "control": b"hash", "runs": b"list"}


@functools.cache
def wire() -> Any:
    """The shared client (redis.Redis, answering in bytes); no answer is waited for longer than 5 s."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5, health_check_interval=10
    )


def clear_strangers() -> list[str]:
    """Delete the keys that are of another type than their name says; returns them. Raises redis errors.

    A host may write what it likes to its own keys, and must not keep the controller from the others by it. What
    belongs there is written again.
    """
    found = wire().scan_iter(match=key("*", "*"), count=1000)
    names = [WAKE_KEY, *(name.decode(errors="replace") for name in found)]
    pipeline = wire().pipeline(transaction=False)
    for name in names:
        pipeline.type(name)
    strangers = [
        name for name, kind in zip(names, pipeline.execute(), strict=True) if not _is_at_home(name, kind)
    ]
    for name in strangers:
        log.error("Redis: %s held something else than it should: it was deleted", name)
        wire().delete(name)
    return strangers


def _is_at_home(name: str, kind: bytes) -> bool:
    return kind in (TYPES.get(name.rpartition(":")[2], b"string"), b"none")


def wake() -> None:
    """Tell the controller that there is new work. Without Redis it finds it a second later by itself."""
    with contextlib.suppress(*WIRE_ERRORS):
        wire().xadd(WAKE_KEY, {"new": 1}, maxlen=1)


def call_worker() -> None:
    """Have the worker look for imports now. Without Redis it does at its next tick, within 15 seconds."""
    with contextlib.suppress(*WIRE_ERRORS):
        wire().lpush(TICKS, json.dumps(celery_message(IMPORT_TASK, [])))


def publish(offers: Iterable[tuple[str, int, int, str]]) -> None:
    """Put the messages of offers (host, run, fence, serial) on the hosts' queues: ids only. Raises redis errors.

    The queue of a host that takes nothing stays bounded; the runs behind what falls off are offered anew.
    """
    pipeline, messages = wire().pipeline(transaction=False), dict[str, list[str]]()
    for host, run, fence, serial in offers:
        messages.setdefault(host, []).append(json.dumps(offer_message(run, fence, serial)))
    for host, texts in messages.items():
        pipeline.lpush(key(host, "runs"), *texts)
        pipeline.ltrim(key(host, "runs"), 0, QUEUE_LENGTH - 1)
    pipeline.execute()
