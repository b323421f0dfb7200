from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from config import keys


class Command(BaseCommand):
    """Prepare this machine: secrets in the state folder, then the database. Safe to repeat."""

    help = __doc__ or ""
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        is_first = not (settings.STATE / keys.FILE).exists()
        path = keys.make(settings.STATE)
        if is_first and not settings.PHONERACK_FIELD_KEYS:
            self.stdout.write(
                f"Made the secrets of this machine: {path}. Keep a copy: without it no password opens."
            )
            self.stdout.write("Now once more, to prepare the database: ./run setup")
            return
        call_command("migrate", verbosity=1)
        self.stdout.write(self.style.SUCCESS("Ready. Make yourself an administrator: ./run createsuperuser"))
