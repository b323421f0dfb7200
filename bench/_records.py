"""What the phones saw: each process that works on them appends to a file, by the machine's one monotonic clock."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench._plan import Plan


class Recorder:
    """Writes what happens on the phones of one process."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path, self._lock = folder / f"{name}-{os.getpid()}.tsv", threading.Lock()
        self._file = self.path.open("a", buffering=1)

    @contextmanager
    def visit(self, serial: str, run: int) -> Iterator[None]:
        """The phone is in hand from here to the end of the block."""
        self._write("start", serial, run)
        try:
            yield
        finally:
            self._write("end", serial, run)

    def _write(self, what: str, serial: str, run: int) -> None:
        now = time.monotonic()
        with self._lock:
            self._file.write(f"{what}\t{serial}\t{run}\t{now:.6f}\n")


@dataclass(frozen=True)
class Visit:
    """One run on one phone."""

    serial: str
    run: int
    start: float
    end: float


class Records:
    """The files of a folder, read on as they grow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.starts: list[tuple[str, int, float]] = []
        self.visits: list[Visit] = []
        self._open: dict[tuple[str, str, int], float] = {}
        self._read: dict[Path, int] = {}

    def follow(self) -> Records:
        """Take in what was written since the last look."""
        for path in sorted(self.folder.glob("*.tsv")):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._read[path] = self._read.get(path, 0) + len(whole) + 1
                self._take(path.name, whole.decode().splitlines())
        return self

    def _take(self, name: str, lines: list[str]) -> None:
        for line in lines:
            what, serial, run, at = line.split("\t")
            one = (name, serial, int(run))
            if what == "start":
                self._open[one] = float(at)
                self.starts.append((serial, int(run), float(at)))
            else:
                self.visits.append(Visit(serial, int(run), self._open.pop(one), float(at)))


def figures(visits: Iterable[Visit], plan: Plan, since: float) -> dict[str, Any]:
    """Makespan, idle share, gaps, and whether every run came once and alone."""
    seen = [visit for visit in visits if visit.start >= since]
    by_phone = defaultdict(list)
    for visit in sorted(seen, key=lambda one: one.start):
        by_phone[visit.serial].append(visit)
    gaps = [after.start - before.end for mine in by_phone.values() for before, after in pairwise(mine)]
    makespan = max((visit.end for visit in seen), default=since) - since
    return {
        "makespan": round(makespan, 3), "ideal": round(plan.ideal(), 3), "ratio": round(makespan / plan.ideal(), 3),
        "idle": round(_idle_share(by_phone.values(), since), 4),
        "gap_ms": quantiles([gap * 1000 for gap in gaps]),
        "first_start_ms": round((min((visit.start for visit in seen), default=since) - since) * 1000, 1),
        "runs": len(seen), "missing": plan.total - len({visit.run for visit in seen}),
        "doubled": len(seen) - len({visit.run for visit in seen}), "overlaps": sum(gap < 0 for gap in gaps),
    }  # fmt: skip


def _idle_share(phones: Iterable[list[Visit]], since: float) -> float:
    """Of the time in which phones have work before them, the share in which they stand still."""
    span = busy = 0.0
    for mine in phones:
        span += max(visit.end for visit in mine) - since
        busy += sum(visit.end - visit.start for visit in mine)
    return 1 - busy / span if span else 0.0


def quantiles(values: Iterable[float]) -> dict[str, float]:
    """p50, p99 and the greatest of the values, and how many there are."""
    ordered = sorted(values)
    if not ordered:
        return {"p50": 0.0, "p99": 0.0, "max": 0.0, "n": 0}
    ranks = {name: math.ceil(len(ordered) * part) for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 1))}
    at = {name: ordered[rank - 1] for name, rank in ranks.items()}
    return {**{name: round(value, 2) for name, value in at.items()}, "n": len(ordered)}
