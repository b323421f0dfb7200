"""Which screen is in a dump? `manage.py recognise DUMP.xml... [--json]`"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from automation.screens.explain import nearest, written
from automation.screens.recognise import SCREEN, Verdict, recognise
from automation.screens.schema import library

SHOWN = (
    "status", "screen", "kind", "package", "language", "matched", "values", "lists", "reason", "result", "why",
    "detail", "unconfirmed", "fingerprint",
)  # fmt: skip


class Command(BaseCommand):
    """Shows the verdict on each dump, and fails when one is no known screen."""

    help = (
        "Show which screen each dump is, why, and its values; or which screens come near and what they lack."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("dumps", nargs="+", type=Path, metavar="DUMP.xml")
        add("--package", default="", help="look at this package (a clone) only")
        add("--app", default="", help="by the screens of this app")
        add("--app-version", default="", help="of the app, for screens that belong to some versions")
        add("--front", default="", metavar="PACKAGE/ACTIVITY", help="what Android says is in front")
        add("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        for fault in library().faults:
            self.stderr.write(f"left out: {fault}")
        unknown = 0
        for path in options["dumps"]:
            try:
                xml = path.read_text("utf-8", "replace")
            except OSError as error:
                raise CommandError(f"{path}: {error.strerror}") from error
            verdict = recognise(
                xml, options["package"], options["app"],
                version=options["app_version"], front=options["front"],
            )  # fmt: skip
            unknown += verdict.status != SCREEN
            self.stdout.write(as_json(path, verdict) if options["json"] else as_text(path, verdict))
        if unknown:
            raise CommandError(f"{unknown} of {len(options['dumps'])} dumps show no known screen")


def as_json(path: Path, verdict: Verdict) -> str:
    """The verdict as one line of JSON."""
    near = [vars(one) for one in nearest(verdict)] if verdict.status != SCREEN else []
    found = {name: getattr(verdict, name) for name in SHOWN}
    told = {"dump": str(path), **found, "conditions": conditions(verdict), "actions": actions(verdict)}
    return json.dumps({**told, "nearest": near}, ensure_ascii=False)


def conditions(verdict: Verdict) -> list[str]:
    """What held, of the best alternative, as the screen files have it."""
    if verdict.definition is None:
        return []
    names = (f"{verdict.definition.prefix}all", *verdict.matched[:1])
    found = (written_in(verdict, one) for one in dict.fromkeys(names))
    return [one for one in found if one]


def written_in(verdict: Verdict, alternative: str) -> str:
    if verdict.app is None:
        return ""
    return written({verdict.app.name: verdict.app}, verdict.app.name, verdict.screen, alternative)


def actions(verdict: Verdict) -> dict[str, list[int] | None]:
    """Where each action of the screen would tap; null where it is not on this dump."""
    names = verdict.definition.actions if verdict.definition else ()
    spots = {name: verdict.find(name) for name in names}
    return {name: [spot.x, spot.y] if spot else None for name, spot in spots.items()}


def as_text(path: Path, verdict: Verdict) -> str:
    """The verdict for people: one line for a screen, some more for what is none."""
    if verdict.status != SCREEN:
        why = f" ({verdict.why})" if verdict.why else ""
        return "\n".join([f"{path.name}: {verdict.status}{why}: {verdict.detail}", *_nearest_lines(verdict)])
    values = [f"{name}={value}" for name, value in {**verdict.values, **verdict.lists}.items()]
    matched = f"{verdict.matched[0]} [{' + '.join(conditions(verdict))}]"
    end = f"{verdict.result}: {verdict.reason}" if verdict.reason else ""
    unseen = f"unconfirmed: {'; '.join(verdict.unconfirmed)}" if verdict.unconfirmed else ""
    parts = [f"{path.name}:", verdict.screen, verdict.kind, verdict.language, matched, *values, end, unseen]
    return " ".join(part for part in parts if part)


def _nearest_lines(verdict: Verdict) -> list[str]:
    return [
        f"    near {one.screen}: holds {'; '.join(one.held)}; {'; '.join(one.failed) or 'another screen fits as well'}"
        for one in nearest(verdict)
    ]
