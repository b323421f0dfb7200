"""The figures as tables: the same for the screen and for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
LATENCY = {
    "clicks": "click (the call of `enqueue`, without the web's part) to start, nothing else to do",
    "cancel": "cancel of a running step to its end",
    "moves": "phone appears on another host to its first run's start",
}
Found = dict[str, Any]


@dataclass(frozen=True)
class Sheet:
    """A table: the first column is text, the others are figures."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    on_screen: int = 99  #: so many columns fit on a screen


def sheets(found: Found) -> Iterator[Sheet]:
    """All tables that there are figures for."""
    yield Sheet("Goals", ("what", "goal", "measured", ""), [goal.row for goal in goals(found)])
    for plan in dict.fromkeys(farm["plan"] for farm in found["farms"]):
        yield farm_sheet(plan, [farm for farm in found["farms"] if farm["plan"] == plan])
    yield latency_sheet(found)
    yield rate_sheet(found)
    yield idle_sheet(found)


def name_of(farm: Found) -> str:
    """Who did the work, on what, and in which order it was put into the queue where that matters."""
    database = f" ({DATABASES[farm['database']]})" if farm["database"] else ""
    return farm["who"] + database + (", phone by phone" if farm["order"] == "by device" else "")


def farm_sheet(plan: str, farms: list[Found]) -> Sheet:
    runs = farms[0]["runs"] + farms[0]["missing"]
    return Sheet(
        f"{runs:,} runs of {plan}, ideal {farms[0]['ideal']:.1f} s",
        ("", "makespan, s", "/ ideal", "idle", "gap p50, ms", "p99", "CPU of workers, ms a run", "of the rest",
         "PSS of a worker, MB", "overlaps", "lost or doubled", "others' load"),
        [_farm_row(farm) for farm in farms],
        on_screen=7,
    )  # fmt: skip


def _farm_row(farm: Found) -> tuple[str, ...]:
    cpu = dict(farm["cpu_ms"])
    workers = cpu.pop("agent", 0.0) + cpu.pop("worker", 0.0)
    wrong = farm["missing"] + farm["doubled"]
    late = "" if farm.get("ended", True) else " (cut off)"
    return (
        name_of(farm), f"{farm['makespan']:.2f}{late}", f"{farm['ratio']:.2f}", percent(farm["idle"]),
        f"{farm['gap_ms']['p50']:.1f}", f"{farm['gap_ms']['p99']:.0f}", f"{workers:.2f}", f"{sum(cpu.values()):.2f}",
        f"{farm['pss_mb']:.0f}", str(farm["overlaps"]), str(wrong), percent(farm["others"]),
    )  # fmt: skip


def latency_sheet(found: Found) -> Sheet:
    rows = [
        (f"{LATENCY[one['what']]} ({DATABASES[one['database']]})", f"{one['p50']:.0f}", f"{one['p99']:.0f}",
         f"{one['max']:.0f}", str(one["n"]))
        for one in found["latency"]
    ]  # fmt: skip
    return Sheet("How soon a phone feels it, ms", ("", "p50", "p99", "longest", "samples"), rows)


def rate_sheet(found: Found) -> Sheet:
    rows = [
        (f"runs of a campaign of {one['runs']:,} made, {one['seconds']:.2f} s in all{_on(one)}",
         f"{one['runs'] / one['seconds']:,.0f}", "", "")
        for one in found["campaigns"]
    ]  # fmt: skip
    rows += [
        (_rate_name(rate), f"{rate['per_second']:,.0f}", f"{rate['cpu_ms']['controller']:.2f}", percent(rate["others"]))
        for rate in found["rates"]
    ]  # fmt: skip
    return Sheet("One controller", ("", "a second", "CPU of the controller, ms each", "others' load"), rows)


def _rate_name(rate: Found) -> str:
    what = "release + report of a run" if rate["what"] == "throughput" else "log line"
    waiting = f", {rate['backlog']:,} more waiting" if rate.get("backlog") else ""
    return f"{what}{waiting} ({DATABASES[rate['database']]})"


def idle_sheet(found: Found) -> Sheet:
    rows = [
        (name, percent(share)) for host in found["hosts"] for name, share in host["idle"]["shares"].items()
    ]
    rows += [("all together", percent(host["idle"]["total"])) for host in found["hosts"]]
    phones = found["hosts"][0]["phones"] if found["hosts"] else 0
    return Sheet(f"With nothing to do: share of a core, {phones} phones", ("process", "share"), rows)


@dataclass(frozen=True)
class Goal:
    """What the product is to reach, beside what it reaches here."""

    what: str
    goal: str
    measured: str
    is_met: bool

    @property
    def row(self) -> tuple[str, ...]:
        return self.what, self.goal, self.measured, "met" if self.is_met else "missed"


def goals(found: Found) -> Iterator[Goal]:
    for farm in found["farms"]:
        if farm["who"] == "Phonerack":
            yield from _goals_of_farm(farm)
    yield from map(_goal_of_latency, found["latency"])
    for host in found["hosts"]:
        yield from _goals_of_host(host)
    yield from map(_goal_of_campaign, found["campaigns"])
    yield from map(_goal_of_rate, found["rates"])


def _goals_of_farm(farm: Found) -> Iterator[Goal]:
    plan, ratio, gap = farm["plan"] + _on(farm), farm["ratio"], farm["gap_ms"]
    limit = {"0.5 s": 1.08, "5 s": 1.03}.get(farm["plan"])
    if limit:
        yield Goal(f"makespan / ideal, {plan}", f"at most {limit}", f"{ratio:.3f}", ratio <= limit)
    if farm["plan"] == "0.1-1.4 s":
        idle = farm["idle"]
        yield Goal(f"phones that have work stand idle, {plan}", "at most 2 %", percent(idle), idle <= 0.02)
        yield Goal(
            f"gap between two runs, {plan}", "p50 25 ms, p99 100 ms",
            f"{gap['p50']:.1f} ms, {gap['p99']:.0f} ms", gap["p50"] <= 25 and gap["p99"] <= 100,
        )  # fmt: skip


def _goal_of_latency(one: Found) -> Goal:
    limit = 1000 if one["what"] == "moves" else 100
    name = LATENCY[one["what"]] + _on(one)
    return Goal(name, f"p99 under {limit:,} ms", f"p99 {one['p99']:.0f} ms", one["p99"] < limit)


def _goals_of_host(host: Found) -> Iterator[Goal]:
    memory, cpu, idle = host["pss_mb"], host["cpu_ms"]["agent"], host["idle"]["total"]
    yield Goal(f"one agent with {host['phones']} phones", "at most 75 MB", f"{memory:.0f} MB", memory <= 75)
    yield Goal("CPU of an agent for a run", "at most 1.6 ms", f"{cpu:.2f} ms", cpu <= 1.6)
    yield Goal("idle system", "under 3 % of a core", percent(idle), idle < 0.03)


def _goal_of_campaign(one: Found) -> Goal:
    name, seconds = f"campaign of {one['runs']:,} runs{_on(one)}", one["seconds"]
    return Goal(name, "10,000 in under 1.5 s", f"{seconds:.2f} s", seconds * 10_000 / one["runs"] < 1.5)


def _goal_of_rate(rate: Found) -> Goal:
    limit, measured = (1000 if rate["what"] == "throughput" else 10_000), rate["per_second"]
    return Goal(_rate_name(rate), f"{limit:,} a second", f"{measured:,.0f}", measured >= limit)


def _on(one: Found) -> str:
    return f" ({DATABASES[one['database']]})"


def percent(share: float) -> str:
    return f"{share * 100:.1f} %"
