"""What is to be done on which phone, and for how long: the same for Phonerack and for every rival."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

Item = tuple[str, str, int, float]  #: host, serial, number of the run, seconds


@dataclass(frozen=True)
class Plan:
    """`runs` runs on each phone, of `low` to `high` seconds."""

    name: str
    hosts: int
    phones: int  #: of each host
    runs: int
    low: float
    high: float
    seed: int = 1

    @property
    def total(self) -> int:
        return self.hosts * self.phones * self.runs

    def serials(self) -> dict[str, list[str]]:
        """The phones of each host."""
        return {
            f"h{host}": [f"BENCH{host}N{number:03}" for number in range(1, self.phones + 1)]
            for host in range(1, self.hosts + 1)
        }

    def durations(self) -> dict[str, list[float]]:
        """Seconds of each run of each phone; the same in every process."""
        chance = random.Random(self.seed)
        return {
            serial: [round(chance.uniform(self.low, self.high), 3) for _ in range(self.runs)]
            for serials in self.serials().values()
            for serial in serials
        }

    def ideal(self) -> float:
        """Seconds that the phone with the most work needs for it without any pause."""
        return max(sum(seconds) for seconds in self.durations().values())

    def interleaved(self) -> Iterator[Item]:
        """The first run of every phone, then the second of every phone..."""
        return iter(sorted(self.by_device(), key=lambda item: (item[2] % self.runs, item[2])))

    def by_device(self) -> Iterator[Item]:
        """All runs of the first phone, then all of the second... Runs are numbered so."""
        durations, number = self.durations(), 0
        for host, serials in self.serials().items():
            for serial in serials:
                for seconds in durations[serial]:
                    yield host, serial, number, seconds
                    number += 1

    def save(self, path: Path) -> Path:
        path.write_text(json.dumps(asdict(self)))
        return path


def load(path: Path | str) -> Plan:
    return Plan(**json.loads(Path(path).read_text()))


def warm_up(plan: Plan) -> Plan:
    """What each phone does before the plan, so that no worker is measured while it loads and starts its threads."""
    return replace(plan, name="warm-up", runs=2, low=0.3, high=0.3)
