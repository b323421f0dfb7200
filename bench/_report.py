"""What is said at the end: tables on the screen, and docs/benchmarks.md with its picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from bench._plot import Bar, bars
from bench._sheets import Found, Sheet, name_of, percent, sheets
from bench._stage import BASE

QUIET = 0.05  #: share of all cores that others may take without a word

HEAD = """# Measured: Phonerack's queue beside the usual ones

Written by `./run bench queue`; do not edit. `./run bench queue --small` takes a minute, `--json` is for machines.

{machine}

All in one run on this machine: agents, controller, Redis, database and the rivals' workers share its cores, and
so did whatever else ran then (the column “others' load”: share of all cores). Rows may be compared where that
column is small or alike; CPU a run depends less on it.

{disturbed}

![Makespan over ideal, and idle phones](benchmarks.svg)

What is real: the controller process, the agents (Celery workers in threads, with their outbox on disk and the
kernel's lock per phone), Redis with its append-only file, the database with its usual settings. What is not: the
phones and adb. A stand-in phone is held for the seconds of the plan and notes when that began and ended, by the
machine's one monotonic clock; every figure of a farm is made from these notes. No radio, no USB, no screen.

The work is the same for all: {hosts} hosts with {phones} phones each. Each phone did two short runs before, so that
every worker is awake. The clock starts when all work is in the queues (for Phonerack: when its
transaction commits; for the others: when the filled queues are renamed into place).
*Ideal* is the time of the phone with the most work. *Idle* is the share of the time in which a phone that has work
before it stands still. *Gap* is from the end of a run to the start of the next on the same phone. *Lost or doubled*
counts runs that a phone never saw or saw twice.
"""

FOOT = """
## How the others are set up

Each as its documents show it, with good settings: threads, one per phone, prefetch of one per thread, no results.
*Redis lock*: `SET NX PX` per phone; a run whose phone is taken is retried after 0.2 s. *Lock in the process*: a
`threading.Lock` per phone, one Celery queue per phone, all of a host's queues read by its worker. *Bare Redis* is
no rival but what this machine allows: a thread per phone, `BLMOVE` from its own list, `XADD` for what happened, no
guarantees. None of them knows priorities, limits, cancels or what becomes of a run whose worker dies.

*One controller* is measured against agents that answer each offer at once (`bench/_echo.py`), with tickets, numbered
reports and the agents' window, but without phones, so that the controller is what limits.
"""


def show(found: Found) -> None:
    """The tables on the screen."""
    console = Console()
    for sheet in sheets(found):
        console.print(_rich(sheet))


def _rich(sheet: Sheet) -> Table:
    table = Table(title=sheet.title, title_justify="left")
    for number, column in enumerate(sheet.columns[: sheet.on_screen]):
        table.add_column(column, justify="right" if number else "left")
    for row in sheet.rows:
        table.add_row(*row[: sheet.on_screen])
    return table


def write(found: Found, plan: Any) -> None:
    """docs/benchmarks.md and docs/benchmarks.svg."""
    head = HEAD.format(
        machine=machine(found), disturbed=disturbed(found), hosts=plan.hosts, phones=plan.phones
    )
    text = "\n".join([head, *map(_markdown, sheets(found)), FOOT])
    (BASE / "docs" / "benchmarks.md").write_text(text)
    (BASE / "docs" / "benchmarks.svg").write_text(picture(found))


def machine(found: Found) -> str:
    """One paragraph."""
    it = found["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in it["versions"].items())
    minutes = found["seconds"] / 60
    return (
        f"{it['cpu']}, {it['cores']} cores, {it['memory_gb']} GB, {it['system']}. {versions}.\n"
        f"The run took {minutes:.0f} minutes; before it the machine was {percent(it['busy_before'])} busy."
    )


def disturbed(found: Found) -> str:
    """A warning where other work took so much of the machine that the times are not its own."""
    loads = [one["others"] for one in (*found["farms"], *found["rates"])]
    if max(loads) <= QUIET:
        return "Nothing else of weight ran."
    return (
        f"**Other work took {percent(min(loads))} to {percent(max(loads))} of all cores during this run: times and "
        f"rates are worse than this machine allows.** Take it again when nothing else runs."
    )


def _markdown(sheet: Sheet) -> str:
    lines = [
        f"## {sheet.title}",
        "",
        _line(sheet.columns),
        _line(["---", *["---:"] * (len(sheet.columns) - 1)]),
    ]
    return "\n".join([*lines, *map(_line, sheet.rows), ""])


def _line(cells: Any) -> str:
    return "| " + " | ".join(cells) + " |"


def picture(found: Found) -> str:
    """Makespan over ideal in lockstep, idle phones with uneven runs."""
    charts = [
        ("Makespan / ideal, runs of 0.5 s (dashed: goal 1.08)", "", list(_bars(found, "0.5 s", "ratio", 1)), 1.08),
        ("Phones with work that stand idle, runs of 0.1-1.4 s (dashed: goal 2 %)", " %",
         list(_bars(found, "0.1-1.4 s", "idle", 100)), 2.0),
    ]  # fmt: skip
    return bars([chart for chart in charts if chart[2]])


def _bars(found: Found, plan: str, figure: str, factor: float) -> Iterator[Bar]:
    for farm in sorted(found["farms"], key=lambda farm: farm["who"] != "Phonerack"):
        if farm["plan"] == plan:
            yield name_of(farm), farm[figure] * factor, farm["who"] == "Phonerack"
