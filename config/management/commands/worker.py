from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand

from automation.protocol import TICKS


class Command(BaseCommand):
    """Do the controller's background work: campaign ticks and large imports."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        command = [
            sys.executable, "-m", "celery", "-A", "config.celery", "worker", "-Q", TICKS, "-P", "threads", "-c", "2",
            "-n", "ticks@%h", "--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING",
        ]  # fmt: skip
        os.execv(sys.executable, command)
