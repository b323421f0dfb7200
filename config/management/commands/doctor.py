from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.text import Text

from config import doctor

STYLES = {"good": ("✓", "green"), "bad": ("✗", "bold red"), "note": ("·", "yellow")}


class Command(BaseCommand):
    """Look at this machine and say what must be mended: exit code 1 if something must."""

    help = __doc__ or ""
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = ", ".join(doctor.CHECKS)
        parser.add_argument(
            "--only", nargs="+", choices=list(doctor.CHECKS), metavar="CHECK", help=f"only these: {names}"
        )
        parser.add_argument(
            "--agent",
            action="store_const",
            const=list(doctor.OF_AN_AGENT),
            dest="only",
            help="only what a host with phones needs",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(soft_wrap=True, highlight=False, file=cast(TextIO, self.stdout))
        is_bad = False
        for finding in doctor.findings(options["only"] or list(doctor.CHECKS)):
            mark, style = STYLES[finding.kind]
            console.print(Text.assemble((mark, style), " ", finding.sentence))
            is_bad = is_bad or finding.kind == "bad"
        if is_bad:
            console.print("Something must be mended.", style="bold red")
            sys.exit(1)
