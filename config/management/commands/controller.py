from __future__ import annotations

import gc
import logging
import os
import signal
from typing import Any

from django.core.management.base import BaseCommand

from automation.controller.loop import Controller

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Apply reports, offer runs, end the lost ones.

    SIGTERM drains: nothing more is offered, and it ends once nothing is in hand, or after PHONERACK_DRAIN_SECONDS.
    A second SIGTERM ends it after the current pass, a third at once. Nothing is lost by either.
    """

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        controller = Controller()

        def stop(number: int, frame: object) -> None:
            if controller.stop.is_set():
                os._exit(128 + number)
            elif controller.draining.is_set():
                controller.stop.set()
            else:
                controller.drain()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        gc.freeze()  # to look for garbage in all that Django loaded takes 0.1 s, in which nothing is offered
        controller.run()
