"""What a demo does: import the file, match all phones, log in all accounts, show how it went."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command

from accounts.excel.resources import FileRefused, ImportRefused, export_file, import_file
from accounts.models import Account
from automation import campaigns, services
from automation.choices import LOGIN
from automation.models import Campaign, Run
from config.demo import cast, verdict
from config.demo.screen import Screen
from config.demo.stage import NotReady, Stage
from devices import services as devices
from devices.choices import Connection
from devices.models import Device

PATIENCE = timedelta(seconds=90)  #: for phones that are online
OFFLINE_PATIENCE = timedelta(seconds=8)  #: for the phone that is not
LONGEST = 150.0  #: seconds that a round of runs may take


class Play:
    """One demo from start to end on a stage."""

    def __init__(self, file: Path | None, app: str | None, screen: Screen) -> None:
        self.file, self.app, self.screen = file or cast.OWN_FILE, app, screen
        self.is_own = file is None
        self.stage = Stage(screen.say)
        self.password = secrets.token_urlsafe(9)

    def run(self) -> bool:
        """The whole play; True when every account ended as expected."""
        try:
            wanted = verdict.expected(self.file)
        except verdict.BadSheet as error:
            raise NotReady(str(error)) from None
        farm = self.prepare()
        self.raise_curtain(farm)
        self.round("match", campaigns.for_devices(Device.objects.all()))
        self.round(LOGIN, campaigns.for_accounts(Account.objects.enabled().select_related("device")))
        rows = verdict.rows(wanted)
        out = self.stage.folder / "accounts.xlsx"
        out.write_bytes(export_file(Account.objects.all(), with_passwords=True))
        self.screen.results(rows, out)
        return all(row.as_expected for row in rows)

    def prepare(self) -> dict[str, Any]:
        """Database, administrator, sample campaign and the imported list; returns the farm that goes with it."""
        self.screen.say("preparing the database")
        call_command("migrate", verbosity=0)
        get_user_model().objects.create_superuser("admin", "", self.password)
        Campaign.objects.create(
            name="Nightly match", script="match", cron="0 3 * * *", time_zone="Europe/Amsterdam"
        )
        self.stage.start_redis()
        if self.is_own:
            return cast.own()
        cast.expect_spare_phones()
        self.load()
        return cast.for_list()

    def raise_curtain(self, farm: dict[str, Any]) -> None:
        """Start everything, number the phones as they hang, import the demo's own list."""
        self.screen.say("starting phones, adb servers, agents, controller, beat and web")
        self.stage.start_controller()
        self.stage.start_phones(farm)
        self.stage.wait_until_ready(len(farm["phones"]))
        if self.is_own:
            devices.number_by_position()
            self.load()
        for serial in farm.get("offline", []):
            self.stage.set_phone(serial, fault="offline")
            self.stage.until_connection(serial, Connection.OFFLINE)

    def load(self) -> None:
        """Import the list by the code that the admin uses."""
        try:
            done = import_file(self.file.read_bytes(), self.app, "demo")
        except (FileRefused, ImportRefused) as error:
            raise NotReady(f"{self.file.name} was not imported, nothing was written:\n{error}") from None
        self.screen.say(f"imported {self.file.name}: {done.summary()}")
        for warning in done.warnings:
            self.screen.say(f"note: {warning}")

    def round(self, script: str, targets: Iterable[tuple[Account | None, Device | None]]) -> None:
        """Run one script everywhere and show it live until the last run has ended."""
        offline = set(Device.objects.exclude(connection=Connection.ONLINE).values_list("pk", flat=True))
        pairs = list(targets)
        for patience, wanted in ((PATIENCE, False), (OFFLINE_PATIENCE, True)):
            some = [pair for pair in pairs if (getattr(pair[1], "pk", None) in offline) is wanted]
            services.enqueue(script, some, requested_by="demo", start_within=patience)
        self.watch(script)

    def watch(self, script: str) -> None:
        """Until every run of the script, retries included, has ended."""
        end = time.monotonic() + LONGEST
        with self.screen.live(script) as show:
            while Run.objects.unfinished().filter(script=script).exists() and time.monotonic() < end:
                self.stage.tend()
                show(Run.objects.filter(script=script).select_related("account", "device").order_by("id"))
                time.sleep(0.3)
            show(Run.objects.filter(script=script).select_related("account", "device").order_by("id"))
