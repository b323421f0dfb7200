"""`manage.py rotate_keys`: every secret under the newest key, so that the old ones can be thrown away."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from itertools import chain
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from accounts.excel import resealing
from accounts.keyring import key_ring
from accounts.rotation import Tally, count, rotate, sealed_columns, tally

NAMED = 5  #: rows that do not open which are named


class Command(BaseCommand):
    help = (
        "Seal every stored secret, and what imports keep for their undo, with the first key of "
        "PHONERACK_FIELD_KEYS. It may be stopped at any moment and started again. "
        "Ends with 1 while a value needs another key or does not open."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="say how many values are under which key; change nothing"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        console = Console(file=cast(TextIO, self.stdout), width=None if self.stdout.isatty() else 120)
        if not options["check"]:
            self._rotate(console)
        tallies = [*(tally(column) for column in sealed_columns()), resealing.tally()]
        _show(tallies, console)
        if not all(one.is_done for one in tallies):
            sys.exit(1)

    def _rotate(self, console: Console) -> None:
        columns, begun = sealed_columns(), time.monotonic()
        with Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=console, transient=not self.stdout.isatty(),
        ) as progress:  # fmt: skip
            total, changed = sum(map(count, columns)) + resealing.count(), 0
            bar = progress.add_task(_("sealing"), total=total)
            # What an undo would bring back comes first: it ends up in the columns.
            for part in chain(resealing.rotate(), *map(rotate, columns)):
                progress.advance(bar, part.seen)
                changed += part.changed
        self.stdout.write(
            _("%(count)s values sealed anew with key %(key)s in %(seconds)s s.")
            % {"count": changed, "key": key_ring().newest, "seconds": f"{time.monotonic() - begun:.1f}"}
        )


def _show(tallies: list[Tally], console: Console) -> None:
    """A table of values by column and key, and the rows that do not open."""
    table = Table(_("Column"), _("Key"), _("Values"))
    for one in tallies:
        for key, number in sorted(one.keys.items()):
            table.add_row(one.name, _key(key), str(number))
    console.print(table)
    for one in tallies:
        if one.unreadable:
            some = ", ".join(str(pk) for pk in one.unreadable[:NAMED])
            more = " ..." if len(one.unreadable) > NAMED else ""
            words = {"count": len(one.unreadable), "column": one.name, "rows": some + more}
            console.print(_to_do(one) % words, style="red", markup=False, highlight=False)


def _to_do(one: Tally) -> str:
    if one.name == resealing.NAME:
        return _(
            "%(count)s values of %(column)s do not open (id %(rows)s): their imports cannot be undone. "
            "They are gone 7 days after their import."
        )
    return _("%(count)s values of %(column)s do not open (id %(rows)s): give each a new password.")


def _key(key: str) -> str:
    ring = key_ring()
    if key not in ring.keys:
        return _("%(key)s: not in PHONERACK_FIELD_KEYS") % {"key": key[:20]}
    return _("%(key)s, the newest") % {"key": key} if key == ring.newest else key
