"""What the agent has to say, on disk until the controller has it; and what it has in hand.

Both in one SQLite file, so that "finished" and "no longer in hand" are one transaction.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from automation.protocol import Report

SCHEMA = """
CREATE TABLE IF NOT EXISTS reports (seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS in_hand (run INTEGER, fence INTEGER, PRIMARY KEY (run, fence));
CREATE TABLE IF NOT EXISTS taken (number INTEGER PRIMARY KEY, run INTEGER, fence INTEGER, UNIQUE (run, fence));
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


REMEMBERED = 20_000  #: offers that are known to have been taken, so that none is taken twice


class Outbox:
    """Numbered reports and runs in hand, safe against `kill -9` (synchronous=FULL)."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + SCHEMA)
        self._db.execute("INSERT OR IGNORE INTO facts VALUES ('epoch', ?)", [uuid.uuid4().hex])
        self.epoch = str(self._db.execute("SELECT value FROM facts WHERE name = 'epoch'").fetchone()[0])

    def take_in_hand(self, run: int, fence: int) -> bool:
        """Note a run before its ticket is taken, so that "not in hand" proves "not started".

        False when this offer was taken before: a message, or with an old Redis even a ticket, may come twice.
        """
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            is_new = self._db.execute(
                "INSERT OR IGNORE INTO taken (run, fence) VALUES (?, ?)", [run, fence]
            ).rowcount
            if is_new:
                self._db.execute("INSERT INTO in_hand VALUES (?, ?)", [run, fence])
                self._db.execute(
                    "DELETE FROM taken WHERE number <= (SELECT max(number) FROM taken) - ?", [REMEMBERED]
                )
        return bool(is_new)

    def let_go(self, run: int, fence: int) -> None:
        """The run was not started: there was no ticket. Its message may come again."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM in_hand WHERE run = ? AND fence = ?", [run, fence])
            self._db.execute("DELETE FROM taken WHERE run = ? AND fence = ?", [run, fence])

    def add(self, kind: str, run: int, fence: int, body: dict[str, Any] | None = None) -> None:
        """Write a report down; it is sent as soon as Redis can be reached."""
        with self._lock:
            self._insert(kind, run, fence, body)

    def finish(self, kind: str, run: int, fence: int, body: dict[str, Any] | None = None) -> None:
        """The last report of a run, and the run out of hand, in one transaction."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._insert(kind, run, fence, body)
            self._db.execute("DELETE FROM in_hand WHERE run = ? AND fence = ?", [run, fence])

    def _insert(self, kind: str, run: int, fence: int, body: dict[str, Any] | None) -> None:
        values = {"kind": kind, "run": run, "fence": fence, "at": time.time(), "body": body or {}}
        self._db.execute(
            "INSERT INTO reports (body) VALUES (?)", [json.dumps(values, ensure_ascii=False, default=str)]
        )

    def unsent(self, after: int, limit: int) -> list[Report]:
        """Of the oldest `limit` reports those with a number above `after`, in order."""
        query = "SELECT seq, body FROM (SELECT * FROM reports ORDER BY seq LIMIT ?) WHERE seq > ?"
        with self._lock:
            found = self._db.execute(query, [limit, after]).fetchall()
        return [Report(epoch=self.epoch, seq=seq, **json.loads(body)) for seq, body in found]

    def acknowledged(self, seq: int) -> None:
        """The controller has everything up to `seq`."""
        with self._lock:
            self._db.execute("DELETE FROM reports WHERE seq <= ?", [seq])

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
