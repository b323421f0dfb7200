from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Fire the campaign tick every 15 seconds. One is enough; two do no harm."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        command = [
            sys.executable, "-m", "celery", "-A", "config.celery", "beat", "-l", "WARNING",
        ]  # fmt: skip
        os.execv(sys.executable, command)
