"""One fault test from the first process to the verdict."""

from __future__ import annotations

import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random

from django.db import DatabaseError, connection
from django.utils import timezone

from automation.choices import OverlapPolicy
from automation.models import Campaign, Occurrence, Run
from config.processes import Process
from tests.faults import schedule
from tests.faults.checker import proves_nothing
from tests.faults.collect import campaigns, collect, hosts, starts
from tests.faults.history import History, unsigned_touches
from tests.faults.injector import Injector
from tests.faults.people import Feeder, Operator, Watcher
from tests.faults.roles import Postgres
from tests.faults.rules import Finding, check
from tests.faults.schedule import Planned
from tests.faults.stage import HOSTS, NotReady, Stage, make_rows, make_scheduled, serials

QUIET_SECONDS = 180.0  #: in which all runs must have ended after the last fault
APPLIED_SECONDS = 60.0  #: in which the last reports must be applied and acknowledged after that
TICK_SECONDS = 60.0  #: in which a tick must come after that
WATCHED_SECONDS = 4.0  #: a run that goes on after its end is seen to
LONGER = 2  #: times the wanted length at most, to come to the wanted runs and faults
FAULTS_END = 90.0  #: what the faults under way may take in the end

Say = Callable[["Play"], None]


class Play:
    """`run` does it all; afterwards `history`, `findings` and the counts are there."""

    def __init__(self, folder: Path, seed: int, options: Namespace, say: Say) -> None:
        self.folder, self.seed, self.database = folder, seed, options.database
        self.runs, self.least_faults = options.runs, options.faults
        self.act, self.seconds, self._say = "", options.minutes * 60, say
        self.longest = self.seconds * (LONGER if self.runs or self.least_faults else 1)
        made = schedule.make(Random(seed), self.longest, HOSTS, list(serials()), options.database)
        self.planned = [one for one in made if not options.only or one.kind.startswith(tuple(options.only))]
        self.stage = Stage(folder, Random(seed + 1))
        self.injector = Injector(self.stage, Random(seed + 2))
        self.begun = 0.0
        self.feeder: Feeder | None = None
        self.operator: Operator | None = None
        self.history, self.findings = History(), list[Finding]()

    @property
    def violations(self) -> list[str]:
        return [
            f"{finding.rule} {finding.name}: {one}" for finding in self.findings for one in finding.violations
        ]

    def run(self, redis: Process, database: Process | None) -> None:
        """Raises NotReady when something does not come up."""
        try:
            self._come_up(redis, database)
            make_scheduled()
            watcher = Watcher()
            self._storm()
            self._calm_down(watcher)
        finally:
            self.stage.close()
            connection.close()

    def _come_up(self, redis: Process, database: Process | None) -> None:
        self._begin("the processes come up")
        self.stage.start_redis(redis)
        if database is not None:
            self.stage.supervisor.roles["postgres"] = Postgres(database)
        make_rows()
        self.stage.start_phones()
        self.stage.start_controllers()
        self.stage.start_agents()
        self.stage.start_ticks()
        self.stage.wait_until_ready()

    def _storm(self) -> None:
        """Until the time is over and there are enough runs and faults; at most twice as long."""
        self._begin("storm")
        self.feeder = Feeder(Random(self.seed + 3), self.seconds)
        self.operator = Operator(Random(self.seed + 4))
        self.begun, waiting = time.monotonic(), list(self.planned)
        while (elapsed := time.monotonic() - self.begun) < self.seconds or self._lacks_some(elapsed):
            while waiting and waiting[0].at <= elapsed:
                self.injector.inject(waiting.pop(0))
            self._look()
        self.feeder.stop()
        self.operator.stop()

    def _lacks_some(self, elapsed: float) -> bool:
        made, faults = self.feeder.made if self.feeder else 0, len(self.injector.whole)
        return (made < self.runs or faults < self.least_faults) and elapsed < self.longest

    def _calm_down(self, watcher: Watcher) -> None:
        """No fault any more: everything must come to its end."""
        self._begin("the last faults end")
        self._look_until(lambda: not self.injector.under_way, FAULTS_END)
        assert self.operator is not None
        self._begin("quiet: all runs must end")
        connection.close()  # the faults may have broken it
        self.operator.enable_all()
        until = self._end_schedules()
        self.operator.stop_queues()
        self.operator.cancel_postponed()
        self._look_until(lambda: _is_so(_all_ended), QUIET_SECONDS)
        self._look_until(lambda: False, WATCHED_SECONDS)
        self._look_until(lambda: all(host.is_told for host in hosts(self.folder)), APPLIED_SECONDS)
        watcher.once()
        watcher.stop()
        self._judge(watcher, until)

    def _judge(self, watcher: Watcher, until: datetime) -> None:
        """Raises NotReady when the test proves nothing, or less than it says."""
        assert self.operator is not None
        assert self.feeder is not None
        self._begin("history is checked")
        self.history = collect(self.folder, {**watcher.accounts, **self.feeder.accounts})
        self.history.campaigns = campaigns(watcher.looks, until)
        self.history.starts = starts(watcher.starts)
        self.history.calls, self.history.faults = self.operator.calls, self.injector.faults
        self.history.sights = watcher.sights
        self.history.write(self.folder / "history.json")
        self.findings = check(self.history)
        if why := proves_nothing(self.history):
            raise NotReady(why)
        actors = (self.feeder, self.operator, watcher, self.injector)
        stumbled = [one for who in actors for one in who.stumbled]
        if stumbled and not self.violations:
            raise NotReady(f"Less was done than was to be: {stumbled[:3]}. See test.log in {self.folder}.")
        if unsigned_touches([self.folder / "phones.journal"]):
            raise NotReady(
                "Some touches were not signed: the journal proves nothing. See tests/faults/starter.py."
            )

    def _end_schedules(self) -> datetime:
        """Up to when campaigns were due: a tick has looked at all of that, or none came in all the time."""
        until, scheduled = timezone.now(), Campaign.objects.scheduled()
        self._look_until(
            lambda: _is_so(lambda: not scheduled.filter(checked_at__lt=until).exists()), TICK_SECONDS
        )
        scheduled.exclude(overlap=OverlapPolicy.QUEUE).update(every_minutes=None)
        return until

    def _look_until(self, is_true: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not is_true():
            self._look()

    def _begin(self, act: str) -> None:
        self.act = act
        self._say(self)

    def _look(self) -> None:
        """A moment in which dead processes are started again."""
        self.stage.supervisor.tend()
        self._say(self)
        time.sleep(0.1)

    def outcomes(self) -> Counter[str]:
        """Runs by outcome, and by reason where they did not succeed."""
        rows = self.history.runs.values()
        return Counter(" ".join(filter(None, [row.outcome or row.state, row.reason])) for row in rows)

    def starts(self) -> Counter[str]:
        """Starts of campaigns by what became of them."""
        return Counter(one.what for one in self.history.starts)

    def injected(self) -> Counter[str]:
        return Counter(fault.kind for fault in self.injector.whole)

    def under_way(self) -> list[Planned]:
        return list(self.injector.under_way.values())


def _all_ended() -> bool:
    return not Run.objects.unfinished().exists() and not Occurrence.objects.open().exists()


def _is_so(question: Callable[[], bool]) -> bool:
    """Whether the database says so; one that is away says nothing."""
    try:
        return question()
    except DatabaseError:
        connection.close()
        return False
