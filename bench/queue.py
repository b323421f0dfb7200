"""Phonerack's queue beside the usual ways to keep phones busy, in one run on this machine.

./run bench queue [--small] [--json] [--database sqlite|postgres]

The whole takes about 15 minutes and writes docs/benchmarks.md and docs/benchmarks.svg; --small takes a minute.
A part, by --small or --database, is only shown and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console

from bench import _machine, _phonerack, _report
from bench._phonerack import FULL, SMALL, Rates, Size
from bench._plan import Plan, warm_up
from bench._rivals import RIVALS, Rival
from bench._stage import Broken, Phonerack
from config import postgres_server, redis_server

#: Of the environment that a measurement is started in nothing may change what is measured.
NOT_OURS = (
    "PHONERACK_",
    "SECRET_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "DJANGO_SETTINGS_MODULE",
    "DEBUG",
    "BENCH_",
)
PHONE_BY_PHONE = ("celery_lock", "dramatiq_lock")  #: rivals that also get their work phone by phone


class Bench:
    """All measurements, one after the other; says on stderr what it is at."""

    def __init__(self, size: Size, databases: list[str]) -> None:
        self.size, self.databases = size, databases
        self.console, self._begun = Console(stderr=True, highlight=False), time.monotonic()
        self.found: dict[str, Any] = {
            "farms": [], "latency": [], "campaigns": [], "rates": [], "hosts": [], "broken": [],
        }  # fmt: skip

    def run(self) -> dict[str, Any]:
        """What was found; what broke is in `broken`."""
        self._say("what machine this is")
        self.found["machine"] = _machine.describe()
        for database in self.databases:
            self._try(self._farm, database)
            if not self._is_second(database):
                self._rivals()
            self._try(self._rates, database)
            self._try(self._big_host, database)
        self.found["seconds"] = round(time.monotonic() - self._begun)
        return self.found

    def _is_second(self, database: str) -> bool:
        """On the second database only that is measured in which a database can matter."""
        return database != self.databases[0]

    def _try(self, measure: Callable[..., None], *arguments: Any) -> None:
        """One measurement that breaks does not cost the others."""
        try:
            measure(*arguments)
        except (Broken, redis_server.NoServer, postgres_server.NoServer) as error:
            self.console.print(str(error), markup=False)
            self.found["broken"].append(str(error).splitlines()[0])

    def _farm(self, database: str) -> None:
        plans = self.size.plans[: 1 if self._is_second(database) else None]
        with Phonerack(database) as stage:
            self._say(f"Phonerack on {database}: starting {self.size.farm.hosts} agents")
            stage.start_controller()
            stage.start_agents(self.size.farm)
            _phonerack.farm(stage, warm_up(self.size.farm))
            for plan in plans:
                self._say(f"Phonerack on {database}: {plan.total} runs of {plan.name}")
                self.found["farms"].append(_phonerack.farm(stage, plan))
            for what in ("clicks", "cancel", *(["moves"] if self.size.moves else [])):
                self._say(f"Phonerack on {database}: {what}")
                self.found["latency"].append(_phonerack.latency(stage, self.size, what))

    def _rivals(self) -> None:
        for plan in self.size.plans:
            for module, name in RIVALS.items():
                self._try(self._rival, module, name, plan, "interleaved")
                if module in PHONE_BY_PHONE and plan is FULL.farm:
                    self._try(self._rival, module, name, plan, "by device")

    def _rival(self, module: str, name: str, plan: Plan, order: str) -> None:
        self._say(f"{name}: {plan.total} runs of {plan.name}, {order}")
        with Rival(module, plan) as rival:
            found = rival.work(order, seconds=20 + 10 * plan.ideal())
        cpu = _phonerack.per_run(found.pop("cpu"), plan.total)
        who = {"who": name, "database": "", "plan": plan.name, "order": order, "cpu_ms": cpu}
        self.found["farms"].append({**who, **found})

    def _rates(self, database: str) -> None:
        with Phonerack(database) as stage:
            rates = Rates(stage, self.size)
            self._say(f"Phonerack on {database}: a campaign of {self.size.campaign} runs")
            self.found["campaigns"].append(rates.campaign())
            for backlog in (0, self.size.backlog) if self.size.backlog else (0,):
                self._say(f"Phonerack on {database}: runs a second, {backlog} more waiting")
                self.found["rates"].append(rates.runs(backlog))
            self._say(f"Phonerack on {database}: log lines a second")
            self.found["rates"].append(rates.log_lines())

    def _big_host(self, database: str) -> None:
        if self._is_second(database):
            return
        with Phonerack(database) as stage:
            self._say(f"Phonerack on {database}: one agent, its memory, and the idle system")
            self.found["hosts"].append(_phonerack.big_host(stage, self.size))

    def _say(self, what: str) -> None:
        passed = time.monotonic() - self._begun
        self.console.print(f"[dim]{passed // 60:02.0f}:{passed % 60:02.0f}[/dim]  {what}")


def main() -> int:
    """0; 1 when a measurement broke; 130 after Ctrl-C. Only a whole one is written into docs/."""
    args = parser().parse_args()
    for name in [name for name in os.environ if name.startswith(NOT_OURS)]:
        del os.environ[name]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bench = Bench(SMALL if args.small else FULL, databases(args.database, args.small))
    try:
        found = bench.run()
    except KeyboardInterrupt:
        bench.console.print("Stopped; every process is ended.")
        return 130
    if args.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        _report.show(found)
    if not (args.small or args.database or found["broken"]):
        _report.write(found, bench.size.farm)
    return 1 if found["broken"] else 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="./run bench queue", description=__doc__.split("\n")[0])
    made.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else there")
    made.add_argument("--small", action="store_true", help="a slice of a minute; writes no file")
    made.add_argument(
        "--database", choices=["sqlite", "postgres"], help="only this one (default: both); writes no file"
    )
    return made


def databases(wanted: str | None, is_small: bool) -> list[str]:
    """All of it on the first; on the second what depends on the database."""
    if wanted:
        return [wanted]
    return ["sqlite"] if is_small else ["sqlite", "postgres"]


if __name__ == "__main__":
    sys.exit(main())
