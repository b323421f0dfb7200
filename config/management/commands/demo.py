from __future__ import annotations

import os
import signal
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.demo import slot


class Command(BaseCommand):
    """Start the whole system with simulated phones, import a list, match and log in; serve until Ctrl-C.

    Everything listens on 127.0.0.1 only and lies in one folder, which --clean removes.
    """

    help = __doc__ or ""
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", type=Path, help="your own accounts.xlsx instead of demo/accounts.xlsx")
        parser.add_argument(
            "--app", choices=["tiktok", "instagram"], help="the app of a file without that column"
        )
        parser.add_argument(
            "--once", action="store_true", help="end when the runs have ended; 0 only if as expected"
        )
        parser.add_argument("--clean", action="store_true", help="remove what earlier demos left")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["clean"]:
            self._clean()
        elif "PHONERACK_DEMO" not in os.environ:
            self._become_a_demo(options)
        else:
            sys.exit(0 if self._play(options) else 1)

    def _clean(self) -> None:
        busy = slot.clean(settings.STATE)
        if busy:
            raise CommandError(
                f"A demo still runs in {settings.STATE}/{busy[0]}: stop it with Ctrl-C, then clean."
            )
        self.stdout.write("Removed what earlier demos left.")

    def _become_a_demo(self, options: dict[str, Any]) -> None:
        """Settings are read once, so a demo with a folder of its own is this process started anew."""
        if options["file"] is not None and not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        try:
            taken = slot.take(settings.STATE)
        except slot.NoSlot as error:
            raise CommandError(str(error)) from None
        os.environ.update(taken.environment())
        os.execv(sys.executable, [sys.executable, *sys.argv])

    def _play(self, options: dict[str, Any]) -> bool:
        from config.demo.play import Play
        from config.demo.screen import Screen
        from config.demo.stage import NotReady

        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        signal.signal(
            signal.SIGINT, signal.default_int_handler
        )  # a shell's background job ignores it otherwise
        screen = Screen()
        play = Play(options["file"], options["app"], screen)
        try:
            as_expected = play.run()
            if not options["once"]:
                self._serve(play, screen)
        except NotReady as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            as_expected = False
        finally:
            screen.say("ending every process")
            play.stage.close()
        return as_expected

    def _serve(self, play: Any, screen: Any) -> None:
        screen.say(
            f"open [bold]{play.stage.address}[/bold]  user [bold]admin[/bold]  password [bold]{play.password}[/bold]"
        )
        screen.say("it goes on until you press Ctrl-C")
        try:
            while True:
                play.stage.tend()
                time.sleep(1)
        except KeyboardInterrupt:
            screen.console.print()
