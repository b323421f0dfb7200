"""What the fault test says while it runs, and its verdict."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from automation.choices import RunState
from tests.faults.people import actions_by_state
from tests.faults.play import Play

SAY_SECONDS = 15.0  #: between two lines where there is no terminal


class Screen:
    """One live line on a terminal; else a line now and then."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, width=None if Console().is_terminal else 140)
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)
        self._act, self._said_at = "", 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_error: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._live.stop()

    def print(self, what: str | Table) -> None:
        self._console.print(what, markup=False, soft_wrap=isinstance(what, str))

    def plan(self, test: Play) -> None:
        """The seed, and all that will be injected."""
        self.print(
            f"seed {test.seed}: {len(test.planned)} faults in {test.longest / 60:.1f} minutes at most, {test.database}"
        )
        for one in test.planned:
            self.print(str(one))

    def show(self, test: Play) -> None:
        """What happens now."""
        if self._console.is_terminal:
            self._live.update(Text(_line(test)))
        elif test.act != self._act or time.monotonic() - self._said_at > SAY_SECONDS:
            self._act, self._said_at = test.act, time.monotonic()
            self.print(_line(test))


def _line(test: Play) -> str:
    seconds = time.monotonic() - test.begun if test.begun else 0
    now = ", ".join(f"{one.kind} {one.target}".strip() for one in test.under_way())
    made = test.feeder.made if test.feeder else 0
    return f"{seconds:5.0f} s  {test.act}: {made} runs, {len(test.injector.whole)} faults over; now {now or 'none'}"


def verdict(screen: Screen, test: Play) -> int:
    """Print it; the exit code."""
    for table in (_faults(test), _people(test), _outcomes(test), _starts(test), _rules(test)):
        screen.print(table)
    for violation in test.violations:
        screen.print(f"VIOLATION {violation}")
    word = f"{len(test.violations)} violations; logs in {test.folder}" if test.violations else "no violation"
    screen.print(
        f"seed {test.seed}: {len(test.history.runs)} runs, {len(test.injector.whole)} faults of "
        f"{len(test.injected())} kinds, {len(test.history.calls)} calls of operators: {word}"
    )
    return int(bool(test.violations))


def _faults(test: Play) -> Table:
    table = Table("fault", "times", "fault", "times", "fault", "times")
    cells = [cell for kind, count in sorted(test.injected().items()) for cell in (kind, str(count))]
    for start in range(0, len(cells), 6):
        table.add_row(*cells[start : start + 6])
    return table


def _people(test: Play) -> Table:
    counts = actions_by_state(test.history.calls)
    table = Table("an operator's call on a run that is", *RunState.values)
    for kind in sorted({kind for kind, _state in counts}):
        table.add_row(kind, *[str(counts.get((kind, state), 0)) for state in RunState.values])
    return table


def _outcomes(test: Play) -> Table:
    table = Table("runs ended as", "times")
    for outcome, count in test.outcomes().most_common():
        table.add_row(outcome, str(count))
    return table


def _starts(test: Play) -> Table:
    history, runs = test.history, Counter[str]()
    for one in history.starts:
        runs[one.what] += len(history.runs_of_start[one.id])
    table = Table("starts of campaigns", "times", "with runs")
    for what, count in test.starts().most_common():
        table.add_row(what, str(count), str(runs[what]))
    return table


def _rules(test: Play) -> Table:
    table = Table("promise", "", "checked", "with more time", "violations")
    for one in test.findings:
        table.add_row(one.rule, one.name, str(one.checked), str(one.relaxed), str(len(one.violations)))
    return table
