"""Figures from what the phones wrote down."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench._plan import Plan
from bench._records import Recorder, Records, Visit, figures, quantiles

PLAN = Plan("two", hosts=1, phones=2, runs=2, low=1.0, high=1.0)


def visits(*rows: tuple[str, int, float, float]) -> list[Visit]:
    return [Visit(*row) for row in rows]


def test_makespan_idle_share_and_gaps_are_counted_from_the_moment_the_work_was_there() -> None:
    seen = visits(("A", 0, 10.0, 11.0), ("A", 1, 11.5, 12.5), ("B", 2, 10.0, 11.0), ("B", 3, 11.0, 12.0))
    found = figures(seen, PLAN, since=10.0)
    assert (found["makespan"], found["ideal"], found["ratio"]) == (2.5, 2.0, 1.25)
    assert found["idle"] == pytest.approx(0.5 / 4.5, abs=1e-4)
    assert (found["gap_ms"]["max"], found["gap_ms"]["n"]) == (500.0, 2)
    assert (found["overlaps"], found["missing"], found["doubled"]) == (0, 0, 0)


def test_two_runs_at_once_on_a_phone_a_lost_one_and_a_doubled_one_are_told() -> None:
    seen = visits(("A", 0, 10.0, 11.0), ("A", 1, 10.5, 11.5), ("B", 2, 10.0, 11.0), ("B", 2, 12.0, 13.0))
    found = figures(seen, PLAN, since=10.0)
    assert (found["overlaps"], found["missing"], found["doubled"]) == (1, 1, 1)


def test_what_happened_before_is_left_out() -> None:
    assert figures(visits(("A", 0, 1.0, 2.0)), PLAN, since=5.0)["runs"] == 0


def test_records_are_read_on_as_they_grow_and_half_a_line_waits(tmp_path: Path) -> None:
    recorder, records = Recorder(tmp_path, "h1"), Records(tmp_path)
    with recorder.visit("A", 7):
        assert [(serial, run) for serial, run, _at in records.follow().starts] == [("A", 7)]
        assert records.visits == []
    with recorder.path.open("a") as file:
        file.write("start\tA\t8")
    assert [visit.run for visit in records.follow().visits] == [7]
    with recorder.path.open("a") as file:
        file.write("\t99.5\n")
    assert records.follow().starts[-1] == ("A", 8, 99.5)


def test_both_orders_hold_the_same_runs_and_interleaving_gives_every_phone_one_first() -> None:
    first, *_others = by_device = list(PLAN.by_device())
    mixed = list(PLAN.interleaved())
    assert sorted(by_device) == sorted(mixed)
    assert mixed[0] == first
    assert mixed[0][1] != mixed[1][1]
    assert by_device[0][1] == by_device[1][1]


def test_the_99th_of_a_hundred_is_not_the_longest() -> None:
    assert quantiles(range(100)) == {"p50": 49, "p99": 98, "max": 99, "n": 100}
    assert quantiles(range(1000))["p99"] == 989
