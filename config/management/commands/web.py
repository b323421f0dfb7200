from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.processes import is_free


class Command(BaseCommand):
    """Serve the admin with gunicorn. Put a TLS proxy in front of it for anything beyond this machine."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bind", default=os.environ.get("PHONERACK_BIND", "127.0.0.1:8000"), help="address:port"
        )
        parser.add_argument("--threads", type=int, default=8)

    def handle(self, *args: Any, **options: Any) -> None:
        host, _, port = str(options["bind"]).rpartition(":")
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise CommandError(f"{options['bind']} is no address:port, such as 127.0.0.1:8000.")
        if not is_free(host, int(port)):
            raise CommandError(
                f"{options['bind']} cannot be used: the port is taken or not ours. Choose another: --bind"
            )
        command = [
            sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", options["bind"],
            "--workers", "1", "--threads", str(options["threads"]), "--worker-class", "gthread",
            "--no-control-socket", "--timeout", "60", "--access-logfile", "-", "--log-level", "warning",
        ]  # fmt: skip
        os.execv(sys.executable, command)
