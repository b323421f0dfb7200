from __future__ import annotations

import logging
import os
import signal
from typing import Any

from django.core.management.base import BaseCommand

from automation.controller.loop import Controller

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Apply reports, offer runs, end the lost ones. SIGTERM ends after the current pass, a second one at once."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        controller = Controller()

        def stop(number: int, frame: object) -> None:
            if controller.stop.is_set():
                os._exit(128 + number)
            controller.stop.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        controller.run()
