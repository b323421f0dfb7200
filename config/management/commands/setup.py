from __future__ import annotations

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import keys
from config.env import BASE


class Command(BaseCommand):
    """Prepare this machine: secrets in the state folder, then the database. Safe to repeat."""

    help = __doc__ or ""
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.PHONERACK_FIELD_KEYS:
            path = keys.make(settings.STATE)
            self.stdout.write(f"The keys of this machine: {path}. Keep a copy: without it no password opens.")
            self.stdout.flush()
        # A process of its own, because settings are read once and the keys may be new.
        code = subprocess.run([sys.executable, BASE / "manage.py", "migrate"], check=False).returncode
        if code:
            sys.exit(code)
        self.stdout.write(self.style.SUCCESS("Ready. Make yourself an administrator: ./run createsuperuser"))
