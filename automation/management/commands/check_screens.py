"""Check the screen files: `manage.py check_screens`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from automation.screens.schema import SchemaError, load, own_folder, with_own
from automation.scripts.reasons import REASONS


class Command(BaseCommand):
    """Says how many screens there are, or every fault with its file and line."""

    help = "Check the screen files, those of PHONERACK_SCREENS or --folder too, and show their hash."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--folder", type=Path, help="of your own screen files, in place of PHONERACK_SCREENS"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        load.cache_clear()
        try:
            found = with_own(options["folder"] or own_folder())
        except SchemaError as error:
            raise CommandError(str(error)) from error
        faults = list(found.faults)
        for app in found.apps.values():
            unknown = {one.id: one.reason for one in app.screens if one.reason and one.reason not in REASONS}
            faults += [f"{name}: no script knows the reason {reason!r}" for name, reason in unknown.items()]
            names = len({screen.id for screen in app.screens})
            self.stdout.write(f"{app.name}: {names} screens, {', '.join(app.languages)}")
        if faults:
            raise CommandError("\n".join(faults))
        self.stdout.write(f"hash {found.hash}")
