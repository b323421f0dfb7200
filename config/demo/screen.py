"""What a demo shows in the terminal."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from automation.choices import Outcome, RunState
from automation.models import Run
from config.demo.verdict import Row

COLOURS: dict[str, str] = {
    Outcome.SUCCEEDED: "green", Outcome.FAILED: "red", Outcome.NEEDS_PERSON: "yellow", Outcome.ERRORED: "bold red",
    Outcome.CANCELED: "dim", Outcome.SKIPPED: "dim", Outcome.LOST: "magenta",
    RunState.RUNNING: "cyan", RunState.OFFERED: "blue", RunState.PENDING: "dim",
}  # fmt: skip


LOG_WIDTH = 130  #: columns where there is no terminal


class Screen:
    """Lines, a live table while runs go on, and the final table."""

    def __init__(self) -> None:
        self.console = Console()
        if not self.console.is_terminal:
            self.console.width = LOG_WIDTH
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        self.console.print(f"[dim]{time.monotonic() - self._began:5.1f} s[/dim]  {text}", highlight=False)

    @contextmanager
    def live(self, script: str) -> Iterator[Callable[[Iterable[Run]], None]]:
        """Yields `show(runs)`, which draws their state anew; in a log (no terminal) only the end is written."""
        last: list[Run] = []
        with Live(console=self.console, refresh_per_second=5, transient=True) as live:

            def show(runs: Iterable[Run]) -> None:
                last[:] = list(runs)
                live.update(_progress(script, last))

            yield show
        outcomes = Counter(run.get_outcome_display() or run.get_state_display() for run in last)
        self.say(f"{script}: " + ", ".join(f"{count} {name}" for name, count in outcomes.most_common()))

    def results(self, rows: list[Row], file: Path) -> None:
        """The final table."""
        table = Table("app", "account", "device", "outcome", "reason", title="How every account ended")
        table.add_column("seconds", justify="right")
        if not all(row.as_expected for row in rows):
            table.add_column("otherwise than expected")
        for row in rows:
            table.add_row(
                row.app, row.username, row.device, Text(row.outcome, style=COLOURS.get(row.outcome, "")),
                row.reason, f"{row.seconds:.1f}" if row.seconds is not None else "",
                *([] if row.as_expected else [Text(row.wanted or "nothing", style="bold red")]),
            )  # fmt: skip
        self.console.print(table)
        self.say(f"the list as it is now: {file}")


def _progress(script: str, runs: list[Run]) -> Group:
    done = sum(run.state == RunState.FINISHED for run in runs)
    table = Table("run", "account", "device", "state", "reason", box=None, padding=(0, 2))
    for run in runs[-25:]:
        state = run.outcome or run.state
        table.add_row(
            str(run.pk), str(run.account or ""), str(run.device or "–"),
            Text(state, style=COLOURS.get(state, "")), run.reason,
        )  # fmt: skip
    head = Text(f"{script}: {done} of {len(runs)} runs ended", style="bold")
    return Group(head, ProgressBar(total=max(1, len(runs)), completed=done, width=60), table)
