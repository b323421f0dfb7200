"""The controller's end of Redis: one bounded connection, and the Celery message of an offer."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from django.db import InterfaceError, OperationalError

from automation.protocol import RUN_TASK, WAKE_KEY, key

QUEUE_LENGTH = 1000  #: messages that wait for one host at most

#: What a database that is away or locked raises; anything else it raises is about what was written.
DATABASE_AWAY = (OperationalError, InterfaceError)

#: What talking to Redis may raise; the truth is in the database, so the loop simply goes on.
WIRE_ERRORS = (redis.RedisError, OSError)


@functools.cache
def wire() -> Any:
    """The shared client (redis.Redis, answering in bytes); every call ends within 5 s."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5, health_check_interval=10
    )


def wake() -> None:
    """Tell the controller that there is new work. Without Redis it finds it a second later by itself."""
    with contextlib.suppress(*WIRE_ERRORS):
        wire().xadd(WAKE_KEY, {"new": 1}, maxlen=1)


def publish(host: str, run: int, fence: int, serial: str) -> None:
    """Put the message of an offer on the host's queue: ids only. Raises what a broker may raise.

    The queue of a host that takes nothing stays bounded; the runs behind what falls off are offered anew.
    """
    current_app.send_task(RUN_TASK, args=[run, fence, serial], queue=key(host, "runs"), retry=False)
    wire().ltrim(key(host, "runs"), 0, QUEUE_LENGTH - 1)
