"""The same seed brings the same faults, of every kind, and leaves one host in peace at a time."""

from __future__ import annotations

from random import Random

import pytest

from tests.faults import schedule
from tests.faults.injector import Injector

HOSTS = ("a", "b", "c")


def plan(seed: int = 1, seconds: float = 240, database: str = "sqlite") -> list[schedule.Planned]:
    return schedule.make(Random(seed), seconds, HOSTS, ["S1", "S2"], database)


def test_a_seed_repeats_its_faults() -> None:
    assert plan(seed=5) == plan(seed=5)
    assert plan(seed=5) != plan(seed=6)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_an_hour_has_every_kind(database: str) -> None:
    kinds = {*schedule.OF_HOST, *schedule.OF_PHONE, *schedule.OF_TICKS, *schedule.OF_ALL}
    kinds |= schedule.OF_DATABASE[database].keys()
    assert {one.kind for one in plan(seconds=3600, database=database)} == kinds


@pytest.mark.parametrize("seed", range(20))
def test_four_minutes_have_sixty_faults_of_ten_kinds(seed: int) -> None:
    planned = plan(seed)
    assert len(planned) >= 60
    assert len({one.kind for one in planned}) >= 10


@pytest.mark.parametrize("seed", range(20))
def test_in_a_window_of_host_faults_one_host_is_left_in_peace(seed: int) -> None:
    window = [one for one in plan(seed) if one.at < schedule.HOST_WINDOW]
    struck = {one.target for one in window if one.kind in schedule.OF_HOST}
    assert len(struck) == 2


def test_every_kind_can_be_injected() -> None:
    for kind in schedule.SECONDS:
        assert hasattr(Injector, f"_{kind.partition('_')[0]}"), kind
