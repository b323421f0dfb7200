"""The run: everything happens once with marked accounts, then every place is searched, without and with leaks."""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import connection

from accounts.models import Account
from automation import services
from automation.models import Evidence, Run
from config.processes import Process
from devices.simulator.apps.base import App
from tests.canary import places, plants
from tests.canary.cast import Marks, players, workbook
from tests.canary.scanner import Hit, Scanner
from tests.canary.stage import Stage
from tests.canary.starter import TROUBLES
from tests.canary.visitor import Page, Visitor, hidden_fields

RUNS_SECONDS = 240.0
ALIKE = 2  #: pages that differ in numbers only, for each user; all of them in a long run
ROWS = ("/admin/accounts/account/", "/admin/automation/run/", "/admin/devices/device/")
#: Roles of a list that has no groups of its own: what its users may.
NO_GROUPS = {
    "viewer": ("view_",),
    "operator": ("view_", "change_"),
    "manager": ("view_", "change_", "add_", "delete_"),
}
#: Who may have passwords: the export of one who may is the proof that the scanner reads what is exported.
EXPORTERS = ("accounts.export_passwords",)


class Play:
    """`run` does it all; afterwards the findings and the counts are there."""

    def __init__(self, folder: Path, is_long: bool = False) -> None:
        self.folder, self.is_long, self.marks = folder, is_long, Marks()
        self.scanner = Scanner(self.marks.named())
        self.cast = players(self.marks, TROUBLES, is_long)
        self.stage = Stage(folder, self.cast)
        self.typed: list[str] = []  #: what the phones' fields were given
        self.pages: list[Page] = []
        self.looked_at: list[Page] = []  #: before anything was planted
        self.hits: list[Hit] = []
        self.ends: list[tuple[str, str, str]] = []  #: username, what was expected, what came
        self.proofs: dict[str, bool] = {}  #: where a canary may stand -> it was found there
        self.leaks: dict[str, bool] = {}  #: planted leak -> it was found
        self.seconds: dict[str, float] = {}
        self._begun = time.monotonic()

    def run(self, redis: Process) -> None:
        """Raises NotReady when something does not come up."""
        call_command("migrate", verbosity=0)
        self._watch_fields()
        self.users = make_users()
        with self.stage.up(redis):
            self._lap("up")
            self.visitors = [Visitor(user, self.stage.bind) for user in self.users]
            self._import()
            self._log_in_all()
            self._lap("logins")
            self._look_at_everything()
            self.looked_at = list(self.pages)
            self._lap("pages")
            self.hits += self._searched(self.places())
            self._prove()
            self._lap("search")
            self.leaks = plants.plant_and_find(self)
            self._lap("leaks")

    def _lap(self, name: str) -> None:
        self.seconds[name] = round(time.monotonic() - self._begun, 1)

    def _watch_fields(self) -> None:
        write = App.write

        def noted(app: App, entry: str, text: str) -> None:
            self.typed.append(text)
            write(app, entry, text)

        App.write = noted  # type: ignore[method-assign]

    @property
    def boss(self) -> Visitor:
        return self.visitors[0]

    def _import(self) -> None:
        """As in a browser: upload, preview, confirm. The upload is searched while it waits."""
        options = {"format": "0", "resource": "", "app": ""}
        page = self._see(
            self.boss.post("/admin/accounts/account/import/", options, {"import_file": workbook(self.cast)})
        )
        self.hits += self._searched(places.files(self.folder))
        (job,) = re.findall(rb"/admin/accounts/importjob/(\d+)/change/", page.body)
        preview = self._see(self.boss.get(f"/admin/accounts/importjob/{job.decode()}/change/"))
        answer = {**hidden_fields(preview), "job": job.decode(), "expect_phones": "1"}
        self._see(self.boss.post("/admin/accounts/account/process_import/", answer))
        found = Account.objects.filter(username__startswith="can").count()
        assert found == len(self.cast), (
            f"{found} of {len(self.cast)} accounts were imported: {page.body[:3000]!r}"
        )

    def _log_in_all(self) -> None:
        for one in self.cast:
            if one.case.fault:
                self.stage.farm.set(one.serial, fault=one.case.fault)
        accounts = {one.username: one for one in Account.objects.select_related("device")}
        targets = [(accounts[one.username], accounts[one.username].device) for one in self.cast]
        services.enqueue(
            "login", targets, requested_by="canary", start_within=timedelta(seconds=RUNS_SECONDS)
        )
        unfinished = Run.objects.unfinished().filter(retry_of=None)  # the retries go on meanwhile
        self.stage.until("all logins have ended", lambda: not unfinished.all().exists(), RUNS_SECONDS)
        for one in self.cast:
            run = Run.objects.filter(account__username=one.username).order_by("id").first()
            self.ends.append(
                (one.username, f"{one.case.outcome} {one.case.reason}", f"{run.outcome} {run.reason}")
            )

    def _look_at_everything(self) -> None:
        most = 10_000 if self.is_long else ALIKE
        rows = list(Run.objects.order_by("pk").values_list("pk", "account_id")[:: 1 if self.is_long else 20])
        more = [f"/admin/automation/run/{run}/change/" for run, _account in rows]
        more += [f"/admin/accounts/account/{account}/change/" for _run, account in rows]
        more += [
            f"/admin/evidence/{run}/{what}" for run, _account in rows for what in ("dump.txt", "screenshot")
        ]
        more += [
            "/admin/accounts/account/?q=" + self.marks.core[:1],
            "/admin/none/",
            "/admin/accounts/account/?o=x",
        ]
        for visitor in self.visitors:
            for page in visitor.everything(most, more, lambda: True):
                self._see(page)
            self._do_wrong_things(visitor)
            self._export(visitor)
        self._break_the_export()

    def _do_wrong_things(self, visitor: Visitor) -> None:
        """Forms with a marked password that are refused, questions about passwords, and an error page."""
        first = Account.objects.order_by("pk").first()
        assert first is not None
        new = {
            "new_password": self.marks.password("new"),
            "new_totp_secret": self.marks.totp_secret(999),
            "username": "",
        }
        for path in (f"/admin/accounts/account/{first.pk}/change/", "/admin/accounts/account/add/"):
            self._see(visitor.post(path, new))
        self._see(
            visitor.post("/admin/attention/password/", {"password": self.marks.password("x"), "run": "x"})
        )
        self._see(
            visitor.post("/admin/accounts/account/import/", {"format": "0"}, {"import_file": b"PK\3\4"})
        )
        self._see(
            visitor.post(
                "/admin/accounts/account/import/", {"format": "x" * 50}, {"import_file": workbook(self.cast)}
            )
        )
        for field in ("password", "totp_secret"):
            self._see(visitor.get(f"/admin/accounts/account/?{field}__startswith=1"))

    def _break_the_export(self) -> None:
        """An export that ends with an error in its midst: with DEBUG its page tells what every function held."""
        last = Account.objects.order_by("pk").last()
        assert last is not None
        sealed = last.password.sealed
        with connection.cursor() as cursor:
            change = "UPDATE accounts_account SET password = %s WHERE id = %s"
            cursor.execute(change, [sealed[:-8] + "AAAAAAA=", last.pk])
            for method in ("GET", "POST"):
                ask = {"GET": self.boss.get, "POST": self._ask_for_export}[method]
                page = ask("/admin/accounts/account/export/")
                if b"PK\3\4" not in page.body:
                    self._see(page)
            cursor.execute(change, [sealed, last.pk])

    def _ask_for_export(self, path: str) -> Page:
        return self.boss.post(path, {"with_passwords": "on", "format": "0"})

    def _export(self, visitor: Visitor) -> None:
        """Both with and without asking; what one who may gets is set apart."""
        user = User.objects.get(username=visitor.name)
        may = any(map(user.has_perm, EXPORTERS))
        for page in (
            visitor.get("/admin/accounts/account/export/"),
            visitor.post("/admin/accounts/account/export/", {"with_passwords": "on", "format": "0"}),
        ):
            if may and b"PK\3\4" in page.body:
                self.proofs["the export of one who may"] = bool(self.scanner.search("", page.body))
            else:
                self._see(page)

    def _see(self, page: Page) -> Page:
        self.pages.append(page)
        self.hits += self.scanner.search(page.place, page.body)
        return page

    def note_page(self, who: str, what: str, status: int, body: bytes) -> None:
        self.pages.append(Page(who, what, status, body))

    def places(self) -> places.Found:
        """Every place but the pages, which are searched as they come."""
        self.stage.redis.save()
        yield from places.processes(self.folder)
        yield from places.redis_keys(self.stage.redis)
        yield from places.tables()
        yield from places.pictures(
            bytes(one) for one in Evidence.objects.values_list("screenshot", flat=True) if one
        )
        yield from places.files(self.folder)

    def _searched(self, found: places.Found) -> list[Hit]:
        return [hit for place, data in found for hit in self.scanner.search(place, data)]

    def _prove(self) -> None:
        typed = "\n".join(self.typed).encode()
        self.proofs["the input field of a phone"] = bool(self.scanner.search("", typed))

    def report(self) -> dict[str, Any]:
        """The counts and the findings as plain data."""
        return {
            "accounts": len(self.cast),
            "ends": Counter(got for _name, _wanted, got in self.ends),
            "otherwise": [list(one) for one in self.ends if one[1] != one[2]],
            "pages": dict(Counter(page.who for page in self.looked_at)),
            "statuses": {str(k): v for k, v in Counter(page.status for page in self.looked_at).items()},
            "hits": sorted(map(str, self.hits)),
            "proofs": self.proofs,
            "leaks": self.leaks,
            "seconds": self.seconds,
        }


def make_users() -> list[User]:
    """The superuser, one who may only look, one who may nothing, and one of each group."""
    boss = User.objects.create_superuser("boss")
    users = [boss, User.objects.create_user("nothing", is_staff=True)]
    looks = User.objects.create_user("looks", is_staff=True)
    looks.user_permissions.set(
        Permission.objects.filter(codename__startswith="view_").exclude(
            codename__in=["view_password", "view_totp_code"]
        )
    )
    users.append(looks)
    for group in Group.objects.all() or _groups():
        user = User.objects.create_user(f"one of {group.name}".replace(" ", "."), is_staff=True)
        user.groups.add(group)
        users.append(user)
    connection.close()
    return users


def _groups() -> list[Group]:
    made = []
    for name, beginnings in NO_GROUPS.items():
        group = Group.objects.create(name=name)
        for beginning in beginnings:
            group.permissions.add(*Permission.objects.filter(codename__startswith=beginning))
        made.append(group)
    return made
