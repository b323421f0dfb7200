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
from accounts.excel import jobs, records
from accounts.excel.models import ImportJob
from accounts.excel.preview import Preview, RowChange
from accounts.excel.resources import FileRefused
from accounts.management.commands.export_accounts import write_private
from accounts.management.questions import agreed


class Command(BaseCommand):
    help = "Import accounts from an .xlsx or .csv file: all of it, or nothing when a row is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--app", choices=App.values, help="the app of all accounts of a file that does not say it"
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would change and write nothing")
        parser.add_argument("--yes", action="store_true", help="on a terminal: import without asking")
        parser.add_argument(
            "--good-rows", action="store_true", help="import the good rows although others have errors"
        )
        parser.add_argument(
            "--errors",
            type=Path,
            metavar="FILE",
            help="write the rows with errors to this .xlsx (with passwords)",
        )
        parser.add_argument(
            "--expect-phones", action="store_true", help="add the phones that are not known as expected ones"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        console = Console(file=cast(TextIO, self.stdout), width=None if self.stdout.isatty() else 160)
        job, found = _checked(options["file"], options["app"])
        show(found, console)
        self._refuse_errors(job, options)
        if options["dry_run"] or not self._may_go_on(options, job.expected_devices):
            _write_errors(job, options["errors"])
            jobs.discard(job)
            self.stdout.write(_("Nothing was written."))
            return
        self._import(job, console, options)
        self.stdout.write(_("Imported: %(summary)s.") % {"summary": job.summary()})

    def _refuse_errors(self, job: ImportJob, options: dict[str, Any]) -> None:
        if job.invalid and not options["good_rows"]:
            _write_errors(job, options["errors"])
            jobs.discard(job)
            raise CommandError(
                _(
                    "Nothing was imported: correct the rows above and import the file again, or use --good-rows."
                )
            )

    def _may_go_on(self, options: dict[str, Any], unknown_phones: int) -> bool:
        """Whether to import, and whether to expect the phones that are not known: on a terminal that is asked."""
        if not sys.stdin.isatty() or options["yes"]:
            return True
        if unknown_phones and not options["expect_phones"]:
            question = _("%(n)s phones are not known yet. Add them as expected ones? [y/N] ")
            options["expect_phones"] = agreed(question % {"n": unknown_phones})
        return agreed(_("Import? [y/N] "))

    def _import(self, job: ImportJob, console: Console, options: dict[str, Any]) -> None:
        try:
            if job.new + job.changed:
                jobs.confirm(job, options["good_rows"], options["expect_phones"], here=True)
        except jobs.NotNow as error:
            jobs.discard(job)
            raise CommandError(f"{error} (--good-rows, --expect-phones)") from error
        except jobs.ListChanged as error:
            for wrong in records.errors(job, 0, 1000):
                console.print(str(wrong), style="red", markup=False, highlight=False)
            jobs.discard(job)
            raise CommandError(str(error)) from error
        if not job.new + job.changed:
            jobs.discard(job)  # nothing to undo
        _write_errors(job, options["errors"])


def _checked(path: Path, app: str | None) -> tuple[ImportJob, Preview]:
    """The import of the file, checked in this process however large it is."""
    data = read_file(path)
    try:
        job = jobs.create(data, path.name, app or "", who=Who.at_the_shell())
        return job, jobs.check_here(job)
    except FileRefused as refused:
        raise CommandError(f"{path}: {refused}") from refused


def _write_errors(job: ImportJob, path: Path | None) -> None:
    if path and records.error_count(job):
        try:
            write_private(path, records.bad_rows_file(job, with_passwords=True))
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from error


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
