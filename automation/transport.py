"""Kombu's Redis transport for our workers: a message that is not theirs is counted and dropped; it never kills one.

Measured with Celery 5.7: bytes that are no JSON, a body that is no base64 or a wrong `timelimit` end a worker with
"Unrecoverable error", and some of them are put back on the queue, so that the next one dies too.
"""

from __future__ import annotations

import base64
import binascii
import logging
import time
from datetime import UTC, datetime
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

from automation.protocol import IMPORT_TASK, RUN_TASK, TICK_TASK, celery_message, is_number, read_json

log = logging.getLogger(__name__)

BURST_SECONDS = 0.1  #: messages nearer to each other than that are a burst
BURST = 50  #: messages of a burst taken at once
MOST_SERIAL = 64  #: characters of a device's serial


class Channel(redis.Channel):
    """Drops what is no JSON, and takes what comes in a burst at once: a BRPOP for each message costs more than it."""

    _read_at = 0.0

    def _brpop_read(self, **options: Any) -> Any:
        try:
            super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except (ValueError, RecursionError) as error:
            dropped(type(error).__name__)
        now = time.monotonic()
        if now - self._read_at < BURST_SECONDS:
            self._take_more()
        self._read_at = now
        return True

    def _take_more(self) -> None:
        for queue in list(self.active_queues):
            for item in self.client.rpop(queue, BURST) or []:
                try:
                    self.connection._deliver(read_json(item), queue)
                except ValueError as error:
                    dropped(type(error).__name__)


class Transport(redis.Transport):
    """Delivers what `arguments_of` lets through, each in an envelope made anew: nothing in the old one is trusted."""

    Channel = Channel
    task = ""
    dropped = 0  #: messages dropped by this process

    @staticmethod
    def arguments_of(message: Any) -> list[Any] | None:
        """The arguments of a message for this worker; None for anything else."""
        raise NotImplementedError

    @classmethod
    def task_of(cls, message: Any) -> str:
        """Which of its tasks a message that was let through asks for."""
        return cls.task

    def _deliver(self, message: Any, queue: str) -> None:
        arguments = self.arguments_of(message)
        if arguments is None:
            dropped("not for this worker")
        else:
            envelope = celery_message(self.task_of(message), arguments)
            super()._deliver(envelope, queue)  # type: ignore[no-untyped-call]


class Offers(Transport):
    """What an agent takes."""

    task = RUN_TASK

    @staticmethod
    def arguments_of(message: Any) -> list[Any] | None:
        """Run, fence and serial of an offer."""
        try:
            arguments = read_json(base64.b64decode(message["body"], validate=True))[0]
            run, fence, serial = arguments
            is_offer = message["headers"]["task"] == RUN_TASK and _is_serial(serial)
        except (TypeError, KeyError, IndexError, ValueError, binascii.Error):
            return None
        return arguments if is_offer and is_number(run) and is_number(fence) else None


class Ticks(Transport):
    """What the controller's worker takes: ticks, of campaigns and of imports."""

    tasks = {TICK_TASK: TICK_TASK, IMPORT_TASK: IMPORT_TASK}

    @classmethod
    def task_of(cls, message: Any) -> str:
        return cls.tasks[message["headers"]["task"]]

    @staticmethod
    def arguments_of(message: Any) -> list[Any] | None:
        """Of a tick: none; it is dropped when its time is over."""
        try:
            headers = message["headers"]
            expires = datetime.fromisoformat(headers.get("expires") or "9999-01-01T00:00:00+00:00")
            is_tick = headers["task"] in Ticks.tasks and expires > datetime.now(UTC)
        except (TypeError, KeyError, ValueError, AttributeError):
            return None
        return [] if is_tick else None


def _is_serial(value: Any) -> bool:
    """As long as a device's may be: it becomes the name of a file."""
    return isinstance(value, str) and 0 < len(value) <= MOST_SERIAL


def use(transport: type[Transport]) -> None:
    """Have every Redis connection of this process's Celery go through it."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{transport.__name__}"


def dropped(why: str) -> None:
    """Count a message that was dropped, and say so; what it held may be anything and is not shown."""
    Transport.dropped += 1
    if Transport.dropped <= 10 or Transport.dropped % 1000 == 0:  # a flood must not fill the log
        log.warning("a message on the queue was dropped (%s); %s so far", why, Transport.dropped)
