"""What people do meanwhile: they start runs, and cancel, disable, edit, delete and import at every state of a run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.utils import timezone

from accounts import services as accounts
from accounts.excel.resources import ImportRefused, import_file
from accounts.models import Account
from accounts.services import NotDeleted, RunsMayStart
from automation import services, steering
from automation.choices import CampaignState, OverlapPolicy, RunState
from automation.controller.cancels import cancel
from automation.models import Campaign, Occurrence, Run
from devices.models import Device
from tests.accounts.excel.sheets import make_xlsx
from tests.faults.history import Call, Sight
from tests.faults.stage import make_account

log = logging.getLogger(__name__)

WAITING = 45  #: runs that wait, at least
SOURCES = {"touch": 0.92, "login": 0.05, "match": 0.03}
LONG_SHARE = 0.02  #: of the touch runs: they outlast a silent host
ACTIONS = {"cancel": 40, "disable": 25, "edit": 10, "import": 8, "delete": 7, "pause": 5}
ENABLED_AGAIN = (1.0, 6.0)  #: seconds after it was disabled, and resumed after it was paused
PAUSE = (0.1, 0.5)  #: between two things that the operator does


class Worker:
    """A thread that does one thing again and again; a database or Redis that is away does not end it.

    `stumbled` tells what it met besides: then the test itself is broken, for it does less than it says.
    """

    def __init__(self, name: str, gap: tuple[float, float], rng: Random) -> None:
        self.name, self.rng, self._gap, self._ended = name, rng, gap, threading.Event()
        self.stumbled: list[str] = []
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(self.rng.uniform(*self._gap)):
            try:
                self.once()
            except DatabaseError as error:  # away or locked: somebody else is tried
                log.info("%s: %s", self.name, type(error).__name__)
                connection.close()
            except Exception as error:
                log.exception("%s failed", self.name)
                self.stumbled.append(f"{self.name}: {error}")
        connection.close()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(60)

    def once(self) -> None:
        raise NotImplementedError


class Feeder(Worker):
    """Keeps runs waiting for every phone. `accounts` tells whose run it was, whatever becomes of the row."""

    def __init__(self, rng: Random, seconds: float) -> None:
        self.accounts: dict[int, int] = {}
        self.made, self._long_until = 0, time.monotonic() + seconds - 60
        super().__init__("feeder", (0.2, 0.3), rng)

    def once(self) -> None:
        lacking = WAITING - Run.objects.pending().count()
        if lacking > 0:
            for _ in range(lacking):
                self._make()

    def _make(self) -> None:
        (script,) = self.rng.choices(list(SOURCES), list(SOURCES.values()))
        target: tuple[Account | None, Device | None]
        if script == "match":
            target = (None, self.rng.choice(list(Device.objects.all())))
        else:
            account = self.rng.choice(list(Account.objects.enabled().select_related("device")))
            target = (account, account.device)
        campaign = self.rng.choice([None, *Campaign.objects.filter(every_minutes=None)])
        made = services.enqueue(
            script, [target], requested_by="feeder", options=self._touches(), campaign=campaign
        )
        for run in made:
            self.accounts[run.pk] = run.account_id or 0
            self.made += 1

    def _touches(self) -> dict[str, Any]:
        """About a second of them, or about 40."""
        if self.rng.random() < LONG_SHARE and time.monotonic() < self._long_until:
            return {"touches": 100, "pause": 0.4}
        return {"touches": self.rng.randint(3, 5), "pause": round(self.rng.uniform(0.05, 0.25), 2)}


class Watcher(Worker):
    """Looks at the states of all runs all the time, by the clock that all share."""

    def __init__(self) -> None:
        self.sights: dict[int, Sight] = {}
        self.accounts: dict[int, int] = {}  #: run -> account, while it had one
        self.starts: dict[int, float] = {}  #: row of a campaign's start -> when it was there
        self.looks: dict[int, set[datetime]] = {}  #: campaign -> up to when its starts were looked at
        self._unfinished: set[int] = set()
        super().__init__("watcher", (0.4, 0.4), Random(0))

    def once(self) -> None:
        rows = list(Run.objects.unfinished().values_list("pk", "state", "account_id"))
        states, now = {run: state for run, state, _account in rows}, time.monotonic()
        for run, state, account in rows:
            self._see(run, state, now)
            self.accounts[run] = account or self.accounts.get(run, 0)
        self._unfinished |= states.keys()  # first: the database may go away in the middle of a look
        self._see_campaigns()
        gone = self._unfinished - states.keys()
        ended = dict(Run.objects.finished().filter(pk__in=gone).values_list("pk", "outcome"))
        for run, outcome in ended.items():
            sight = self.sights[run]
            sight.finished, sight.outcome = now, outcome
        self._unfinished -= ended.keys()

    def _see_campaigns(self) -> None:
        starts, now = list(Occurrence.objects.values_list("pk", flat=True)), time.monotonic()
        for start in starts:
            self.starts.setdefault(start, now)
        for campaign, checked in Campaign.objects.scheduled().values_list("pk", "checked_at"):
            self.looks.setdefault(campaign, set()).add(checked)

    def _see(self, run: int, state: str, now: float) -> None:
        sight = self.sights.setdefault(run, Sight())
        if state == RunState.PENDING:
            sight.active = None
        elif sight.active is None:
            sight.active = now


class Operator(Worker):
    """Acts on a run in a state drawn by lot, as the admin does; `calls` is what was done and answered."""

    def __init__(self, rng: Random) -> None:
        self.calls: list[Call] = []
        self.disabled: dict[int, float] = {}  #: account -> when to enable it again
        self.paused: dict[int, float] = {}  #: campaign -> when to resume it
        self._replacements = 0
        super().__init__("operator", PAUSE, rng)

    def once(self) -> None:
        for account, when in list(self.disabled.items()):
            if time.monotonic() >= when:
                self._enable(account)
        for campaign, when in list(self.paused.items()):
            if time.monotonic() >= when:
                self._resume(campaign)
        state = self.rng.choice(RunState.values)
        runs = list(_in_state(state)[:40])
        if runs:
            (action,) = self.rng.choices(list(ACTIONS), list(ACTIONS.values()))
            getattr(self, f"_{action}")(self.rng.choice(runs), state)

    def enable_all(self) -> None:
        """What was disabled or paused is so no more, so that nothing is left to wait."""
        for account in list(self.disabled):
            self._enable(account)
        for campaign in list(self.paused):
            self._resume(campaign)

    def stop_queues(self) -> None:
        """What waits behind its forerunner would take longer than anybody watches."""
        for campaign in Campaign.objects.scheduled().filter(overlap=OverlapPolicy.QUEUE):
            self._call("stop", lambda: steering.stop(campaign, "operator"), "")  # noqa: B023 - called at once

    def cancel_postponed(self) -> None:
        """Retries that a controller with a wrong clock has put off until long after this test."""
        later = timezone.now() + timedelta(minutes=5)
        for run in Run.objects.pending().filter(not_before__gt=later):
            self._cancel(run, RunState.PENDING)

    def _cancel(self, run: Run, state: str) -> None:
        self._call("cancel", lambda: cancel([run], "operator"), state, run=run)

    def _disable(self, run: Run, state: str) -> None:
        if run.account is not None:
            account = run.account
            self._enable_later(account)
            self._call("disable", lambda: accounts.set_enabled([account], False, "operator"), state, run=run)

    def _enable_later(self, account: Account) -> None:
        self.disabled[account.pk] = time.monotonic() + self.rng.uniform(*ENABLED_AGAIN)

    def _enable(self, account: int) -> None:
        rows = list(Account.objects.filter(pk=account))
        self._call("enable", lambda: accounts.set_enabled(rows, True, "operator"), "", account=account)
        del self.disabled[account]

    def _pause(self, run: Run, state: str) -> None:
        if run.campaign is not None and run.campaign_id not in self.paused:
            campaign = run.campaign
            self.paused[campaign.pk] = time.monotonic() + self.rng.uniform(*ENABLED_AGAIN)
            self._call("pause", lambda: steering.pause(campaign, "operator"), state, run=run)

    def _resume(self, pk: int) -> None:
        campaign = Campaign.objects.get(pk=pk)
        if campaign.state == CampaignState.PAUSED:  # else the database was away when it was to be paused
            self._call("resume", lambda: steering.resume(campaign, "operator"), "")
        del self.paused[pk]

    def _edit(self, run: Run, state: str) -> None:
        """The same password again: another one would only fail the logins."""
        if run.account is not None:
            account, same = run.account, run.account.password.reveal()
            self._call("edit", lambda: _change_password(account, same), state, run=run)

    def _import(self, run: Run, state: str) -> None:
        """A file with this account and two more: the first is disabled by it (status 1), the others stay enabled."""
        account = run.account
        if account is None or account.device is None:
            return
        others = Account.objects.enabled().exclude(pk=account.pk).select_related("device")[:2]
        rows = [
            ["id", "username", "device", "status"],
            [account.pk, account.username, account.device.serial, 1],
        ]
        rows += [[one.pk, one.username, one.device.serial, 0] for one in others if one.device is not None]
        content = make_xlsx(*rows)
        self._enable_later(account)
        self._call("import", lambda: import_file(content, "instagram", actor="operator"), state, run=run)

    def _delete(self, run: Run, state: str) -> None:
        """Another account takes its place."""
        account = run.account
        if account is None or account.device is None:
            return
        device, pk, tags = account.device, account.pk, account.tags
        self._call("delete", account.delete, state, account=pk, run=run)
        self.disabled.pop(pk, None)
        if not Account.objects.filter(pk=pk).exists():
            self._replacements += 1
            make_account(device, f"{device.serial.lower()}.r{self._replacements}", tags)

    def _call(
        self, kind: str, act: Callable[[], Any], state: str, run: Run | None = None, account: int = 0
    ) -> None:
        """Do it and note it. What fails because the database is away was not done."""
        account = account or (run.account_id if run and run.account_id else 0)
        sent, is_sure = time.monotonic(), True
        try:
            act()
        except RunsMayStart:
            is_sure = False
        except NotDeleted:
            return
        except ImportRefused as refused:
            log.warning("the import was refused: %s %s", refused, refused.preview.errors[:1])
            return
        replied = time.monotonic()
        after = _state_of(run.pk) if run else ""
        number = run.pk if run and kind == "cancel" else 0
        self.calls.append(Call(kind, sent, replied, number, account, state, after, is_sure))


def _in_state(state: str) -> QuerySet[Run]:
    runs = Run.objects.filter(state=state).select_related(
        "account", "account__device", "campaign", "host", "device"
    )
    return runs.order_by("-id")


def _state_of(run: int) -> str:
    return str(Run.objects.values_list("state", flat=True).get(pk=run))


def _change_password(account: Account, password: str) -> None:
    accounts.set_credentials(account, "another for a moment")
    accounts.set_credentials(account, password)


def actions_by_state(calls: Iterable[Call]) -> dict[tuple[str, str], int]:
    """(what was done, in which state the run was) -> how often."""
    found: dict[tuple[str, str], int] = {}
    for call in calls:
        if call.state:
            found[call.kind, call.state] = found.get((call.kind, call.state), 0) + 1
    return found
