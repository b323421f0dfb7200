"""What is measured is told under the right head, and only a whole measurement goes into docs/."""

from __future__ import annotations

from typing import Any

import pytest

from bench import _report, queue
from bench._sheets import Found, goals, sheets

FARM = {
    "who": "Phonerack", "database": "sqlite", "plan": "0.1-1.4 s", "order": "any", "runs": 100, "missing": 0,
    "doubled": 0, "ideal": 10.0, "makespan": 11.0, "ratio": 1.1, "idle": 0.01, "gap_ms": {"p50": 5, "p99": 50},
    "cpu_ms": {"agent": 1.0}, "pss_mb": 60, "overlaps": 0, "others": 0.0,
}  # fmt: skip
HOST = {
    "phones": 60,
    "pss_mb": 67,
    "cpu_ms": {"agent": 1.0},
    "idle": {"total": 0.01, "shares": {"web": 0.01}},
}
RATE = {
    "what": "throughput",
    "database": "sqlite",
    "per_second": 1200,
    "cpu_ms": {"controller": 0.5},
    "others": 0.0,
}


def found(**over: Any) -> Found:
    """All goals are met."""
    return {
        "farms": [FARM, {**FARM, "plan": "0.5 s", "ratio": 1.01}, {**FARM, "plan": "5 s", "ratio": 1.01}],
        "latency": [
            {"what": what, "database": "sqlite", "p50": 20, "p99": 50, "max": 60, "n": 9}
            for what in ("clicks", "cancel", "moves")
        ],
        "hosts": [HOST], "campaigns": [{"runs": 10_000, "seconds": 1.0, "database": "sqlite"}],
        "rates": [RATE, {**RATE, "what": "lines", "per_second": 12_000}], "broken": [], **over,
    }  # fmt: skip


MISSED = [
    {"farms": [{**FARM, "plan": "0.5 s", "ratio": 1.09}]},
    {"farms": [{**FARM, "plan": "5 s", "ratio": 1.04}]},
    {"farms": [{**FARM, "idle": 0.021}]},
    {"farms": [{**FARM, "gap_ms": {"p50": 26, "p99": 50}}]},
    {"farms": [{**FARM, "gap_ms": {"p50": 5, "p99": 101}}]},
    {"latency": [{"what": "clicks", "database": "sqlite", "p50": 1, "p99": 100, "max": 1, "n": 1}]},
    {"latency": [{"what": "moves", "database": "sqlite", "p50": 1, "p99": 1000, "max": 1, "n": 1}]},
    {"hosts": [{**HOST, "pss_mb": 76}]},
    {"hosts": [{**HOST, "cpu_ms": {"agent": 1.7}}]},
    {"hosts": [{**HOST, "idle": {"total": 0.03, "shares": {}}}]},
    {"campaigns": [{"runs": 10_000, "seconds": 1.5, "database": "sqlite"}]},
    {"campaigns": [{"runs": 400, "seconds": 0.1, "database": "sqlite"}]},
    {"rates": [{**RATE, "per_second": 999}]},
    {"rates": [{**RATE, "what": "lines", "per_second": 9_999}]},
]


def test_a_goal_that_is_reached_is_met() -> None:
    assert [goal.what for goal in goals(found()) if not goal.is_met] == []
    assert {row[-1] for row in next(sheets(found())).rows} == {"met"}


@pytest.mark.parametrize("over", MISSED, ids=str)
def test_a_goal_that_is_not_reached_is_missed(over: Found) -> None:
    assert [goal.is_met for goal in goals(found(**over))].count(False) == 1
    assert [row[-1] for row in next(sheets(found(**over))).rows].count("missed") == 1


def test_under_the_cpu_of_the_controller_stands_nothing_else() -> None:
    (sheet,) = [sheet for sheet in sheets(found()) if sheet.title == "One controller"]
    column = sheet.columns.index("CPU of the controller, ms each")
    assert [row[column] for row in sheet.rows] == ["", "0.50", "0.50"]


@pytest.mark.parametrize(
    ("options", "is_written"), [([], True), (["--small"], False), (["--database", "sqlite"], False)]
)
def test_only_the_whole_is_written_into_the_documents(
    monkeypatch: pytest.MonkeyPatch, options: list[str], is_written: bool
) -> None:
    written: list[Found] = []
    monkeypatch.setattr("sys.argv", ["queue", "--json", *options])
    monkeypatch.setattr(queue.os, "environ", {})
    monkeypatch.setattr(queue.signal, "signal", lambda *_: None)
    monkeypatch.setattr(queue.Bench, "run", lambda _bench: found())
    monkeypatch.setattr(_report, "write", lambda whole, _plan: written.append(whole))
    assert queue.main() == 0
    assert bool(written) == is_written
