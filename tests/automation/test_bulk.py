"""Rows that are written many at a time are those that Django itself would write; on each database in its own way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from automation import bulk
from automation.models import Run, RunEvent

pytestmark = pytest.mark.django_db

NOW = timezone.now()
ODD = 'it\'s % "q" \\ {é} 漢 \u2028 \n\t end'
OPTIONS: list[Any] = [{"a": [1, None, True, 0.1]}, {}, {"text": ODD}, {"deep": {"list": [[], {}]}}]


def new_runs() -> list[Run]:
    columns: dict[str, list[Any]] = {
        "options": OPTIONS,
        "message": ["", ODD, "x" * 5000, "null"],
        "not_before": [NOW + timedelta(seconds=number) for number in range(4)],
        "finished_at": [None, None, None, None],
        "any_device": [True, False, True, False],
        "priority": [0, -5, 10, 2],
    }
    return list(bulk.insert(Run, {"script": "login", "start_by": NOW, "requested_by": ODD[:20]}, columns))


def values(run: Run) -> tuple[Any, ...]:
    return (
        run.options,
        run.message,
        run.not_before,
        run.finished_at,
        run.any_device,
        run.priority,
        run.start_by,
    )


def test_every_kind_of_value_comes_back_as_it_went_in() -> None:
    made = new_runs()
    read = list(Run.objects.filter(pk__in=[run.pk for run in made]).order_by("pk"))
    assert [values(run) for run in made] == [values(run) for run in read]
    assert [run.options for run in read] == OPTIONS
    assert read[1].message == ODD


def test_a_change_is_written_to_the_rows_that_are_still_as_they_were_read() -> None:
    ids, later = [run.pk for run in new_runs()], NOW + timedelta(days=1, microseconds=1)
    times: list[datetime | None] = [later, None, later, None]
    new: dict[str, list[Any]] = {"result": OPTIONS, "started_at": times, "message": [ODD] * 4}
    assert bulk.update(Run, {"id": ids, "fence": [0, 0, 0, 7]}, new) == 3
    read = list(Run.objects.filter(pk__in=ids).order_by("pk").values_list("result", "started_at", "message"))
    assert read[:3] == [(OPTIONS[0], later, ODD), (OPTIONS[1], None, ODD), (OPTIONS[2], later, ODD)]
    assert read[3] == ({}, None, "null")


def test_numbers_with_a_fraction_keep_every_digit() -> None:
    (run, *_others), seconds = new_runs(), [0.1 + 0.2, 1e-9, 12345.6789, None]
    bulk.insert(RunEvent, {"new": ""}, {"run_id": [run.pk] * 4, "seconds": seconds})
    assert list(run.events.order_by("pk").values_list("seconds", flat=True)) == seconds


def test_more_rows_than_one_statement_takes_come_back_in_their_order() -> None:
    (run, *_others), names = new_runs(), [f"step {number}" for number in range(2 * bulk.TOGETHER + 1)]
    made = list(bulk.insert(RunEvent, {"run_id": run.pk}, {"name": names}))
    assert list(run.events.order_by("pk").values_list("pk", "name")) == [(one.pk, one.name) for one in made]
    assert [one.name for one in made] == names


def test_rows_are_made_when_one_is_asked_for_and_then_are_the_same() -> None:
    made = bulk.insert(RunEvent, {"run_id": new_runs()[0].pk}, {"name": ["first", "second"]})
    with patch.object(RunEvent, "from_db", side_effect=AssertionError("nobody asked for one")):
        assert len(made) == 2
    assert [one.name for one in made] == ["first", "second"]
    assert made[0] is made[0]


def test_what_the_database_refuses_is_an_error_and_nothing_is_written() -> None:
    before = RunEvent.objects.count()
    with pytest.raises(DatabaseError), transaction.atomic():
        bulk.insert(RunEvent, {"name": "x"}, {"run_id": [new_runs()[0].pk, None]})
    assert RunEvent.objects.count() == before
