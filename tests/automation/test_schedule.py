"""Schedules are right in their own time zone, also on the nights on which the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest

from automation.schedule import LOOK_BACK, Schedule

MINUTE = timedelta(minutes=1)


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)


def texts(moments) -> list[str]:
    return [f"{moment:%m-%d %H:%M}" for moment in moments]


def test_without_cron_and_interval_it_is_never_due() -> None:
    assert list(Schedule().after(utc(2026, 1, 1))) == []


@pytest.mark.parametrize(
    ("zone", "cron", "since", "until", "starts"),
    [
        # 02:30 does not exist on 29 March: due when the clocks go on, at 03:00 (01:00 UTC)
        ("Europe/Amsterdam", "30 2 * * *", (2026, 3, 28, 12), (2026, 3, 30, 12), ["03-29 01:00", "03-30 00:30"]),
        # 02:30 exists twice on 25 October: the first (00:30 UTC), once
        ("Europe/Amsterdam", "30 2 * * *", (2026, 10, 24, 12), (2026, 10, 26, 12), ["10-25 00:30", "10-26 01:30"]),
        # two times in the hour that is left out become one start
        ("Europe/Amsterdam", "0,30 2 * * *", (2026, 3, 28, 12), (2026, 3, 29, 12), ["03-29 01:00"]),
        # every hour means every hour that passes: three hours from 01:00 to 03:00
        ("Europe/Amsterdam", "0 * * * *", (2026, 10, 24, 23, 30), (2026, 10, 25, 2),
         ["10-25 00:00", "10-25 01:00", "10-25 02:00"]),
        # no clock ever changes at +5:30
        ("Asia/Kolkata", "30 2 * * *", (2026, 3, 28, 12), (2026, 3, 30, 0), ["03-28 21:00", "03-29 21:00"]),
        # a southern summer ends in April, with 02:30 twice (the first at 15:30 UTC the day before), begins in October
        ("Australia/Sydney", "30 2 * * *", (2026, 4, 4, 0), (2026, 4, 6, 0), ["04-04 15:30", "04-05 16:30"]),
        ("Australia/Sydney", "30 2 * * *", (2026, 10, 3, 0), (2026, 10, 5, 0), ["10-03 16:00", "10-04 15:30"]),
        # where the clocks go on at midnight, midnight is at one
        ("America/Santiago", "0 0 * * *", (2026, 9, 5, 12), (2026, 9, 7, 12), ["09-06 04:00", "09-07 03:00"]),
    ],
)  # fmt: skip
def test_a_cron_line_is_due_once_a_day_whatever_the_clocks_do(zone, cron, since, until, starts) -> None:
    assert texts(Schedule(cron, None, zone).between(utc(*since), utc(*until))) == starts


def test_looked_at_each_minute_of_a_night_with_an_hour_twice_it_is_due_once() -> None:
    schedule = Schedule("15,45 2 * * *", None, "Europe/Amsterdam")
    at, found = utc(2026, 10, 24, 23, 0), []
    while at < utc(2026, 10, 25, 3, 0):
        found += schedule.between(at, at + MINUTE)
        at += MINUTE
    assert texts(found) == ["10-25 00:15", "10-25 00:45"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam", "Asia/Kolkata", "Australia/Sydney"])
def test_an_interval_is_counted_from_a_midnight_of_its_zone_and_never_shifts(zone: str) -> None:
    schedule = Schedule("", 90, zone)
    starts = list(islice(schedule.after(utc(2026, 3, 1)), 1000))
    assert {later - earlier for earlier, later in pairwise(starts)} == {90 * MINUTE}
    for restart in (utc(2026, 3, 29, 1, 7), utc(2026, 4, 5, 3, 59)):
        assert next(schedule.after(restart)) in starts


def test_an_interval_of_an_hour_is_due_on_the_hour_of_its_own_zone() -> None:
    assert texts(islice(Schedule("", 60, "Asia/Kolkata").after(utc(2026, 3, 1, 12, 0)), 2)) == [
        "03-01 12:30",
        "03-01 13:30",
    ]


@pytest.mark.parametrize("schedule", [Schedule("*/5 * * * *"), Schedule("", 5)])
def test_a_start_is_in_exactly_one_of_two_neighbouring_spans(schedule: Schedule) -> None:
    first, middle, last = utc(2026, 3, 1, 10, 0), utc(2026, 3, 1, 10, 5), utc(2026, 3, 1, 10, 10)
    assert texts(schedule.between(first, middle)) == ["03-01 10:05"]
    assert texts(schedule.between(middle, last)) == ["03-01 10:10"]


def test_after_a_very_long_standstill_only_the_last_month_is_looked_at() -> None:
    found = Schedule("", 60).between(utc(2020, 1, 1), utc(2026, 3, 1))
    assert found[0] == utc(2026, 3, 1) - LOOK_BACK + timedelta(hours=1)
