"""The product at work: real controller, agents, Redis and database; stand-in phones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bench._cost import pss_mb
from bench._plan import Plan, warm_up
from bench._records import Records, figures
from bench._stage import Phonerack


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    plans: tuple[Plan, ...]
    clicks: int
    moves: int
    big_host: int  #: phones of the one agent whose memory is taken
    idle_seconds: float
    campaign: int  #: runs
    backlog: int  #: runs
    rate_seconds: float
    lines: int  #: log lines of a run

    @property
    def farm(self) -> Plan:
        return self.plans[0]


FULL = Size(
    plans=(
        Plan("0.5 s", 4, 50, 10, 0.5, 0.5),
        Plan("0.1-1.4 s", 4, 50, 10, 0.1, 1.4),
        Plan("5 s", 4, 50, 3, 5.0, 5.0),
    ),
    clicks=150, moves=6, big_host=60, idle_seconds=30, campaign=10_000, backlog=100_000, rate_seconds=10, lines=100,
)  # fmt: skip
SMALL = Size(
    plans=(Plan("0.5 s", 2, 10, 4, 0.5, 0.5),),
    clicks=8, moves=0, big_host=0, idle_seconds=3, campaign=400, backlog=0, rate_seconds=3, lines=20,
)  # fmt: skip


def farm(stage: Phonerack, plan: Plan) -> dict[str, Any]:
    """One plan on the agents of the stage."""
    found = stage.client("farm", plan=asdict(plan))
    seen = figures(Records(stage.records).follow().visits, plan, found["since"])
    return {
        "who": "Phonerack", "database": stage.database, "plan": plan.name, "order": "any", **seen,
        "enqueue": round(found["enqueue"], 3), "cpu_ms": per_run(found["cpu"], plan.total),
        "pss_mb": pss_mb(stage.processes["agent h1"].pid), "others": found["others"],
    }  # fmt: skip


def per_run(cpu: Mapping[str, float], runs: int) -> dict[str, float]:
    """CPU milliseconds of a run by kind of process."""
    kinds: dict[str, float] = {}
    for name, seconds in cpu.items():
        kind = name.split()[0]
        kinds[kind] = kinds.get(kind, 0.0) + seconds * 1000 / runs
    return {kind: round(milliseconds, 2) for kind, milliseconds in kinds.items()}


def latency(stage: Phonerack, size: Size, what: str) -> dict[str, Any]:
    """Clicks, cancels or moves on phones that have nothing else to do."""
    serials = [serial for serials in size.farm.serials().values() for serial in serials]
    samples = size.moves if what == "moves" else size.clicks
    found = stage.client(what, within=60 + samples * 12, serials=serials, samples=samples)
    return {"what": what, "database": stage.database, **found}


def big_host(stage: Phonerack, size: Size) -> dict[str, Any]:
    """Memory of one agent with many phones, all at work, and what the whole system takes when idle."""
    plan = replace(size.farm, hosts=1, phones=size.big_host or size.farm.phones)
    stage.start_controller()
    stage.start_agents(plan)
    farm(stage, warm_up(plan))
    at_work = farm(stage, plan)
    stage.start_web()
    stage.client("idle", seconds=8)  # Django, gunicorn and Celery come up
    idle = stage.client("idle", seconds=size.idle_seconds)
    return {"phones": plan.phones, "database": stage.database, "pss_mb": at_work["pss_mb"],
            "cpu_ms": at_work["cpu_ms"], "idle": idle}  # fmt: skip


class Rates:
    """One controller against agents that cost nothing."""

    def __init__(self, stage: Phonerack, size: Size) -> None:
        self.stage, self.size = stage, size
        self._plan = str(replace(size.farm, runs=1).save(stage.folder / "echo.json"))

    def campaign(self) -> dict[str, Any]:
        """All runs of a campaign made at once, as its Start button does."""
        self._start(lines=0)
        self.stage.client("ready", phones=self.size.farm.hosts * self.size.farm.phones)
        self._stop()
        return {"database": self.stage.database, **self.stage.client("campaign", count=self.size.campaign)}

    def runs(self, backlog: int = 0) -> dict[str, Any]:
        """Release + report, with so many more pending runs in the table."""
        if backlog:
            self.stage.client("backlog", within=300, count=backlog)
        return self._rate("throughput", lines=0, backlog=backlog)

    def log_lines(self) -> dict[str, Any]:
        self.stage.client("backlog", count=self.size.farm.hosts * self.size.farm.phones * 10)
        return self._rate("lines", lines=self.size.lines)

    def _rate(self, measure: str, lines: int, **extra: int) -> dict[str, Any]:
        self._start(lines)
        found = self.stage.client(measure, seconds=self.size.rate_seconds)
        self._stop()
        return {"what": measure, "database": self.stage.database, **extra, **found}

    def _start(self, lines: int) -> None:
        self.stage.start("echo", "-m", "bench._echo", self._plan, str(lines))
        self.stage.start_controller()

    def _stop(self) -> None:
        self.stage.stop("controller")  # it drains first, so that nothing is left in hand
        self.stage.stop("echo")
