from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """The agent of this host: the same as `python -m automation.agent`, which needs no Django and no database."""

    help = __doc__ or ""
    requires_system_checks = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand the process over, options and all."""
        os.execv(sys.executable, [sys.executable, "-m", "automation.agent", *argv[2:]])

    def handle(self, *args: Any, **options: Any) -> None:
        self.run_from_argv(["manage.py", "agent"])
