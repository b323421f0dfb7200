"""Which screen is in a dump? `manage.py recognise DUMP.xml... [--json]`"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from automation.screens.recognise import Verdict, recognise

SHOWN = ("status", "screen", "kind", "language", "matched", "values", "lists", "reason", "result", "detail")


class Command(BaseCommand):
    """Shows the verdict on each dump, and fails when one is no known screen."""

    help = "Show which screen each dump is, with its values."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dumps", nargs="+", type=Path, metavar="DUMP.xml")
        parser.add_argument("--package", default="", help="look at this package (a clone) only")
        parser.add_argument("--app", default="", help="by the screens of this app")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = 0
        for path in options["dumps"]:
            try:
                xml = path.read_text("utf-8")
            except OSError as error:
                raise CommandError(f"{path}: {error.strerror}") from error
            verdict = recognise(xml, options["package"], options["app"])
            unknown += verdict.status != "screen"
            self.stdout.write(as_json(path, verdict) if options["json"] else as_line(path, verdict))
        if unknown:
            raise CommandError(f"{unknown} of {len(options['dumps'])} dumps show no known screen")


def as_json(path: Path, verdict: Verdict) -> str:
    """The verdict as one line of JSON."""
    return json.dumps(
        {"dump": str(path), **{name: getattr(verdict, name) for name in SHOWN}}, ensure_ascii=False
    )


def as_line(path: Path, verdict: Verdict) -> str:
    """The verdict as a line for people."""
    values = " ".join(f"{name}={value}" for name, value in {**verdict.values, **verdict.lists}.items())
    what = verdict.screen or f"{verdict.status}: {verdict.detail}"
    return f"{path.name}: {what} {verdict.language} {values}".rstrip()
