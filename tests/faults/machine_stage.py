"""What is put in the place of the outside world, once per process: clock, Redis, phones, threads' waits, scripts."""

from __future__ import annotations

import copy
import logging
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import redis
import time_machine
from django.conf import settings
from django.db import connection

from automation.agent import lanes, worker
from automation.agent.work import Work
from automation.controller.wire import wire
from automation.scripts.base import SCRIPTS, AccountError, Context, NeedsPerson, Result, Script
from devices.phones.deadline import Deadline
from devices.phones.errors import PhoneHung
from tests.faults import machine_strands as strands
from tests.faults.machine_books import CANARY
from tests.faults.machine_imports import read_files_here
from tests.faults.machine_phones import Violation, open_phone
from tests.faults.machine_redis import Server

if TYPE_CHECKING:
    from tests.faults.machine_world import World

#: Memory, where there is some: every write to an outbox waits for the disk.
FOLDER = Path(
    tempfile.mkdtemp(prefix="phonerack-machine-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
)
BEGIN = 1_800_000_000.0
TOUCHES = 6  #: of a run that nobody ends

#: Child tables first.
TABLES = (
    "automation_attention", "automation_evidence", "automation_runevent", "automation_run", "automation_occurrence",
    "automation_campaignevent", "automation_campaign", "accounts_auditevent", "accounts_figuresofday",
    "accounts_importpart", "accounts_importjob", "accounts_account",
    "devices_device", "devices_host",
)  # fmt: skip


class Clock:
    """The only clock: of every process, and of every kind."""

    def __init__(self) -> None:
        self._travel = time_machine.travel(BEGIN, tick=False)
        self._traveller = self._travel.start()
        time.monotonic = self.monotonic
        time.clock_gettime = lambda _kind: self.monotonic()

    def monotonic(self) -> float:
        return time.time() - BEGIN + 1000.0

    def shift(self, seconds: float) -> None:
        self._traveller.shift(seconds)

    def begin_anew(self) -> None:
        self._traveller.move_to(BEGIN, tick=False)


class Complaints(logging.Handler):
    """Errors that the product logged: what it takes for a defect of its own."""

    #: Told of a run by the script, or by a clock that jumped: what they say is in the run's outcome.
    EXPECTED = ("run %s: %s\n%s", "run %s: its ticket is no good: %s")

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if CANARY in self.format(record):
            self.heard.append("a password stands in the log")
        elif record.msg not in self.EXPECTED:
            self.heard.append(self.format(record))


complaints = Complaints()
_world: list[World] = []


def world() -> World:
    return _world[-1]


def set_up() -> Clock:
    """Everything that lasts as long as the process; the clock of all examples."""
    clock = Clock()
    redis.Redis.from_url = lambda url, **_options: world().client(url.removeprefix("redis://"))  # type: ignore[method-assign, assignment]
    settings.REDIS_URL, settings.PHONERACK_TRUST_NEW_HOSTS = "redis://controller", True
    vars(worker)["Inventory"] = lambda servers, _wanted: servers[0]
    Work.open_phone = staticmethod(open_phone)  # type: ignore[assignment]
    strands.Lock.now = staticmethod(time.time)
    vars(lanes)["threading"] = SimpleNamespace(Lock=strands.Lock)
    Deadline.sleep = _sleep  # type: ignore[method-assign, assignment]
    read_files_here()
    for name in ("login", "match"):
        SCRIPTS[name] = Script(name, name, _script, needs_account=name == "login")
    logging.getLogger().handlers[:] = [complaints]
    logging.getLogger().setLevel(logging.ERROR)
    return clock


def _sleep(deadline: Deadline, seconds: float) -> None:
    """Whoever waits hands the control over, and looks again when it comes back."""
    strand = strands.here()
    if strand is not None:
        strand.pause("sleep")
    deadline.check()


def _script(context: Context) -> Result:
    """Touches the phone until it is told how to end."""
    for _number in range(TOUCHES):
        with context.step("touch"):
            order = context.phone.touch()  # type: ignore[attr-defined]
        if order in ENDS:
            return ENDS[order](context)
    return Result("succeeded", "signed_in")


def _raise(error: Exception) -> Result:
    raise error


ENDS: dict[str, Callable[[Context], Result]] = {
    "succeed": lambda _context: Result("succeeded", "signed_in"),
    "refuse": lambda _context: _raise(AccountError("wrong_password")),
    "ask": lambda _context: _raise(NeedsPerson("captcha")),
    "hang": lambda _context: _raise(PhoneHung()),
    "break": lambda context: _raise(RuntimeError(str(context.ticket.account))),
}


def tear_down() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)


def enter(new: World) -> None:
    """A new example: its world is the one that everybody sees."""
    _world.append(new)
    new.clock.begin_anew()
    wire.cache_clear()
    complaints.heard.clear()
    Violation.seen.clear()


def leave() -> None:
    _world.clear()


@dataclass
class Origin:
    """How an example begins, kept to be copied: tables, Redis and the agents' folders."""

    tables: sqlite3.Connection
    redis: Server
    folder: Path

    def put_back(self, world: World) -> None:
        self.tables.backup(connection.connection)
        world.server.__dict__.update(copy.deepcopy(self.redis.__dict__))
        shutil.copytree(self.folder, world.folder, dirs_exist_ok=True)


#: By whether the agents share a machine.
ORIGINS: dict[bool, Origin] = {}


def keep_origin(world: World) -> None:
    """On SQLite in memory only: there a copy is quicker than to begin anew."""
    if connection.vendor != "sqlite":
        return
    for agent in world.agents.values():
        agent.outbox._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    folder, tables = FOLDER / f"origin-{world.is_shared}", sqlite3.connect(":memory:")
    shutil.copytree(world.folder, folder)
    connection.connection.backup(tables)
    ORIGINS[world.is_shared] = Origin(tables, copy.deepcopy(world.server), folder)


def empty_tables() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE")
            return
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("DELETE FROM sqlite_sequence")
