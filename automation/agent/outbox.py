"""What the agent has to say, on disk until the controller has it; and what it has in hand.

Both in one SQLite file, so that "finished" and "no longer in hand" are one transaction.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from automation.protocol import Report

SCHEMA = """
CREATE TABLE IF NOT EXISTS reports (seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS in_hand (run INTEGER, fence INTEGER, PRIMARY KEY (run, fence));
CREATE TABLE IF NOT EXISTS taken (number INTEGER PRIMARY KEY, run INTEGER, fence INTEGER, UNIQUE (run, fence));
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


INSERT = "INSERT INTO reports (body) VALUES (?)"
REMEMBERED = 20_000  #: offers that are known to have been taken, so that none is taken twice


class _Write:
    """Something to be written, and what came of it."""

    def __init__(self, operation: Callable[[sqlite3.Connection], Any]) -> None:
        self.operation = operation
        self.done, self.value = False, None
        self.error: BaseException | None = None


class Outbox:
    """Numbered reports and runs in hand, safe against `kill -9` and power loss (synchronous=FULL).

    What threads write at the same time goes into one transaction, so that they share its fsync.
    """

    def __init__(self, path: Path) -> None:
        self._lock, self._queue_lock = threading.Lock(), threading.Lock()
        self._queue: list[_Write] = []
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + SCHEMA)
        self._db.execute("INSERT OR IGNORE INTO facts VALUES ('epoch', ?)", [uuid.uuid4().hex])
        self.epoch = str(self._db.execute("SELECT value FROM facts WHERE name = 'epoch'").fetchone()[0])

    def take_in_hand(self, run: int, fence: int) -> bool:
        """Note a run before its ticket is taken, so that "not in hand" proves "not started".

        False when this offer was taken before: a message, or with an old Redis even a ticket, may come twice.
        """

        def write(db: sqlite3.Connection) -> bool:
            new = db.execute("INSERT OR IGNORE INTO taken (run, fence) VALUES (?, ?)", [run, fence])
            if not new.rowcount:
                return False
            db.execute("INSERT INTO in_hand VALUES (?, ?)", [run, fence])
            db.execute("DELETE FROM taken WHERE number <= ?", [(new.lastrowid or 0) - REMEMBERED])
            return True

        return bool(self._write(write))

    def let_go(self, run: int, fence: int) -> None:
        """The run was not started: there was no ticket. Its message may come again."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM in_hand WHERE run = ? AND fence = ?", [run, fence])
            db.execute("DELETE FROM taken WHERE run = ? AND fence = ?", [run, fence])

        self._write(write)

    def add(self, kind: str, run: int, fence: int, body: dict[str, Any] | None = None) -> None:
        """Write a report down; it is sent as soon as Redis can be reached."""
        report = _text(kind, run, fence, body)
        self._write(lambda db: db.execute(INSERT, [report]))

    def finish(self, kind: str, run: int, fence: int, body: dict[str, Any] | None = None) -> None:
        """The last report of a run, and the run out of hand, in one transaction."""
        report = _text(kind, run, fence, body)

        def write(db: sqlite3.Connection) -> None:
            db.execute(INSERT, [report])
            db.execute("DELETE FROM in_hand WHERE run = ? AND fence = ?", [run, fence])

        self._write(write)

    def _write(self, operation: Callable[[sqlite3.Connection], Any]) -> Any:
        """Have it on disk when this returns. Whoever gets the lock first writes for all who wait behind it."""
        mine = _Write(operation)
        with self._queue_lock:
            self._queue.append(mine)
        with self._lock:
            if not mine.done:
                self._write_queue()
        if mine.error is not None:
            raise mine.error
        return mine.value

    def _write_queue(self) -> None:
        with self._queue_lock:
            queue, self._queue = self._queue, []
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                for one in queue:
                    one.value = one.operation(self._db)
        except Exception as error:  # noqa: BLE001 - each of those who wait is to raise it
            for one in queue:
                one.error = error
        finally:
            for one in queue:
                one.done = True

    def unsent(self, after: int, limit: int) -> list[Report]:
        """Of the oldest `limit` reports those with a number above `after`, in order."""
        return [Report.from_json(text) for _seq, text in self.unsent_texts(after, limit)]

    def unsent_texts(self, after: int, limit: int) -> list[tuple[int, str]]:
        """The same as (number, JSON of the report)."""
        query = "SELECT seq, body FROM (SELECT * FROM reports ORDER BY seq LIMIT ?) WHERE seq > ?"
        with self._lock:
            found = self._db.execute(query, [limit, after]).fetchall()
        return [(seq, f'{{"epoch":"{self.epoch}","seq":{seq},{body[1:]}') for seq, body in found]

    def acknowledged(self, seq: int) -> None:
        """The controller has everything up to `seq`."""
        self._write(lambda db: db.execute("DELETE FROM reports WHERE seq <= ?", [seq]))

    def snapshot(self) -> tuple[int, int, list[list[int]]]:
        """(oldest number still kept, newest ever given, runs in hand), read together."""
        with self._lock, self._db:
            self._db.execute("BEGIN")
            given = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'reports'").fetchone()
            kept = self._db.execute("SELECT min(seq) FROM reports").fetchone()[0]
            runs = self._db.execute("SELECT run, fence FROM in_hand ORDER BY run").fetchall()
        last = int(given[0]) if given else 0
        return int(kept or last + 1), last, [list(row) for row in runs]

    def abandon_all(self) -> int:
        """At boot: what the dead forerunner had in hand is over; returns how many runs that were."""
        _first, _last, runs = self.snapshot()
        for run, fence in runs:
            self.finish("abandoned", run, fence)
        return len(runs)

    def close(self) -> None:
        with self._lock:
            self._db.close()


def _text(kind: str, run: int, fence: int, body: dict[str, Any] | None) -> str:
    values = {"kind": kind, "run": run, "fence": fence, "at": time.time(), "body": body or {}}
    return json.dumps(values, ensure_ascii=False, default=str)
