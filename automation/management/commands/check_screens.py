"""Check the screen files: `manage.py check_screens`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from automation.screens.schema import SchemaError, load, screens_hash
from automation.scripts.reasons import REASONS


class Command(BaseCommand):
    """Says how many screens there are, or every fault with its file and line."""

    help = "Check the screen files and show their hash."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        load.cache_clear()
        try:
            apps = load()
        except SchemaError as error:
            raise CommandError(str(error)) from error
        for app in apps.values():
            for screen in app.screens:
                if screen.reason and screen.reason not in REASONS:
                    raise CommandError(f"{screen.id}: reason {screen.reason!r} is not in scripts/reasons.py")
            self.stdout.write(f"{app.name}: {len(app.screens)} screens, {', '.join(app.languages)}")
        self.stdout.write(f"hash {screens_hash()}")
