"""`manage.py export_accounts accounts.xlsx`: the list as a file that imports again."""

from __future__ import annotations

import os
import sys
import tempfile
from argparse import ArgumentParser
from getpass import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from accounts.audit import Who
from accounts.choices import App
from accounts.excel.lock import lock
from accounts.excel.resources import export_file
from accounts.export_page import note_export
from accounts.management.questions import agreed
from accounts.models import Account

SHORTEST = 10  #: characters of a file's password


class Command(BaseCommand):
    help = "Export all accounts to an .xlsx file that only you can read. It holds every password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--no-passwords", action="store_true", help="leave out the column pwd")
        parser.add_argument(
            "--lock", action="store_true", help="ask for a password that Excel opens the file with"
        )
        parser.add_argument("--app", choices=App.values, help="only the accounts of this app")
        parser.add_argument("--yes", action="store_true", help="on a terminal: replace FILE without asking")

    def handle(self, *_args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if path.suffix.casefold() != ".xlsx":
            raise CommandError(_("%(file)s: the name must end in .xlsx.") % {"file": path})
        asks = path.exists() and sys.stdin.isatty() and not options["yes"]
        if asks and not agreed(_("%(file)s is there already. Replace it? [y/N] ") % {"file": path}):
            self.stdout.write(_("Nothing was written."))
            return
        accounts = Account.objects.all()
        if options["app"]:
            accounts = accounts.of_app(options["app"])
        password = _asked_twice() if options["lock"] else ""
        if not options["no_passwords"]:
            note_export(Who.at_the_shell(), accounts, is_locked=bool(password))
        data = export_file(accounts, with_passwords=not options["no_passwords"])
        data = lock(data, password) if password else data
        try:
            write_private(path, data)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from error
        self.stdout.write(
            _("%(count)s accounts written to %(file)s.") % {"count": accounts.count(), "file": path}
        )


def _asked_twice() -> str:
    """Raises CommandError when the two differ or are too short."""
    first = getpass(_("Password for the file: "))
    if len(first) < SHORTEST or first != getpass(_("The same again: ")):
        raise CommandError(_("Nothing was written: type the same password twice, 10 characters or more."))
    return first


def write_private(path: Path, data: bytes) -> None:
    """Put the file there whole or not at all, readable by its owner only."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
