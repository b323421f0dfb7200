"""Trouble at the n-th call of a process: it dies there, the call fails, or somebody else is quicker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis
from django.db import OperationalError, connection

from tests.faults.machine_strands import Killed, here


@dataclass
class Trouble:
    """`kind` happens at call number `number` or, where it cannot happen there, at the next."""

    kind: str = ""
    number: int = 0
    action: Callable[[], None] | None = None  #: what `meanwhile` does

    def at_call(self, process: Any, when: str, name: str) -> None:
        """Called before and after each call; `name` is a Redis command, outbox.METHOD or sql."""
        if not self.kind:
            return
        self.number -= 1
        if self.number > 0 or not self._fits(name):
            return
        kind, self.kind = self.kind, ""
        getattr(self, f"_{kind}")(process)

    def _fits(self, name: str) -> bool:
        if self.kind in ("cut", "flush"):
            return name != "sql" and not name.startswith("outbox.")
        if self.kind == "no_database":
            return name == "sql"
        if self.kind == "meanwhile":
            return not connection.in_atomic_block
        return not (self.kind == "pause" and here() is None)

    def _crash(self, process: Any) -> None:
        process.crash()
        raise Killed

    def _cut(self, _process: Any) -> None:
        raise redis.ConnectionError("cut off")

    def _no_database(self, _process: Any) -> None:
        raise OperationalError("the database is away")

    def _meanwhile(self, _process: Any) -> None:
        if self.action is not None:
            self.action()

    def _flush(self, process: Any) -> None:
        process.redis.flushall()

    def _pause(self, _process: Any) -> None:
        strand = here()
        if strand is not None:
            strand.pause("call")


NO_TROUBLE = Trouble()
