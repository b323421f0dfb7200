"""`manage.py import_accounts accounts.xlsx`: a preview, and then the import."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from accounts.audit import Who
from accounts.choices import App
from accounts.excel.preview import Preview, RowChange
from accounts.excel.resources import FileRefused, ImportRefused, import_file, preview
from accounts.management.questions import agreed


class Command(BaseCommand):
    help = "Import accounts from an .xlsx file: all of it, or nothing when a row is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--app", choices=App.values, help="the app of all accounts of a file that does not say it"
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would change and write nothing")
        parser.add_argument("--yes", action="store_true", help="on a terminal: import without asking")

    def handle(self, *_args: Any, **options: Any) -> None:
        data = read_file(options["file"])
        console = Console(file=cast(TextIO, self.stdout), width=None if self.stdout.isatty() else 160)
        look_first = options["dry_run"] or (sys.stdin.isatty() and not options["yes"])
        try:
            found = preview(data, options["app"]) if look_first else write(data, options["app"])
            self._show(found, console)
            if options["dry_run"] or (look_first and not agreed(_("Import? [y/N] "))):
                self.stdout.write(_("Nothing was written."))
                return
            if look_first:
                done = write(data, options["app"])
                if done.errors:  # the list has changed while the question stood
                    self._show(done, console)
        except FileRefused as refused:
            raise CommandError(f"{options['file']}: {refused}") from refused
        self.stdout.write(_("Imported."))

    def _show(self, found: Preview, console: Console) -> None:
        show(found, console)
        if found.errors:
            raise CommandError(_("Nothing was imported: correct the rows above and import the file again."))


def write(data: bytes, app: str | None) -> Preview:
    """What was imported, or the errors because of which nothing was. Raises FileRefused and CommandError."""
    try:
        return import_file(data, app, Who.at_the_shell().name)
    except ImportRefused as refused:
        if not refused.preview.errors:
            raise CommandError(str(refused)) from refused
        return refused.preview


def read_file(path: Path) -> bytes:
    """The bytes of the file. Raises CommandError with a sentence when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from error


def show(found: Preview, console: Console) -> None:
    """Print warnings, the first changed rows, all errors and the counts."""
    for warning in found.warnings:
        console.print(f"! {warning}", style="yellow", markup=False, highlight=False)
    if found.more_warnings:
        console.print(_("... and %(count)s more warnings") % {"count": found.more_warnings})
    if found.rows:
        console.print(_table(found.rows))
    if found.more_rows:
        console.print(_("... and %(count)s more rows") % {"count": found.more_rows})
    for error in found.errors:
        console.print(str(error), style="red", markup=False, highlight=False)
    if found.more_errors:
        console.print(_("... and %(count)s more errors") % {"count": found.more_errors})
    console.print(found.summary(), highlight=False)


def _table(rows: list[RowChange]) -> Table:
    table = Table(_("Row"), "", _("Username"), _("App"), _("What changes"))
    for row in rows:
        kind = _("new") if row.is_new else _("changed")
        table.add_row(str(row.row), kind, escape(row.username), row.app, escape(_cells(row)))
    return table


def _cells(row: RowChange) -> str:
    return ", ".join(
        f"{cell.column}: {cell.old} -> {cell.new}" if cell.old else f"{cell.column}: {cell.new}"
        for cell in row.cells
    )
