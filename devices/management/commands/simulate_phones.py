"""`manage.py simulate_phones`: a farm of simulated phones, as `python -m devices.simulator`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from devices.simulator.__main__ import add_arguments, run


class Command(BaseCommand):
    """Runs the simulated phones until it is stopped."""

    help = "Run simulated phones that speak the real ADB and uiautomator2 protocols."
    requires_system_checks: list[str] = []  #: the phones need no database and no settings

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if code := run(argparse.Namespace(**options)):
            sys.exit(code)
