"""Kombu's Redis transport for an agent: a message that is no offer is counted and dropped; it never kills the worker.

Measured with Celery 5.7: bytes that are no JSON, a body that is no base64 or a wrong `timelimit` end a worker with
"Unrecoverable error", and some of them are put back on the queue, so that the next one dies too.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from typing import Any

from kombu.transport import redis

from automation.protocol import RUN_TASK, offer_message

log = logging.getLogger(__name__)


class Channel(redis.Channel):
    """Drops what is no JSON."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except ValueError as error:
            dropped(type(error).__name__)
            return True


class Transport(redis.Transport):
    """Delivers offers only, each in an envelope made anew: nothing in the old one is trusted."""

    Channel = Channel
    dropped = 0  #: messages dropped by this process

    def _deliver(self, message: Any, queue: str) -> None:
        arguments = offer_in(message)
        if arguments is None:
            dropped("no offer")
        else:
            super()._deliver(offer_message(*arguments), queue)  # type: ignore[no-untyped-call]


def dropped(why: str) -> None:
    """Count a message that was dropped, and say so; what it held may be anything and is not shown."""
    Transport.dropped += 1
    log.warning("a message on the queue was dropped (%s); %s so far", why, Transport.dropped)


def offer_in(message: Any) -> list[Any] | None:
    """Run, fence and serial of an offer; None for anything else."""
    try:
        arguments = json.loads(base64.b64decode(message["body"], validate=True))[0]
        run, fence, serial = arguments
        is_offer = message["headers"]["task"] == RUN_TASK and isinstance(serial, str)
    except (TypeError, KeyError, IndexError, ValueError, binascii.Error):
        return None
    numbers = all(
        isinstance(one, int) and not isinstance(one, bool) and 0 <= one < 2**53 for one in (run, fence)
    )
    return arguments if is_offer and numbers else None
