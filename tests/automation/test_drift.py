"""What runs saw is counted by the day, and what stops working is shown first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from automation import drift
from automation.controller import reports
from automation.models import Sighting
from tests.automation.controller.test_reports import DONE, report, send
from tests.automation.rows import host_with_key, running_run
from tests.factories import make_device

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
PAGE = reverse("admin:automation_sighting_changelist")
LANDING = ["instagram", "ig.landing", "410.0", ["", "any.1", "log_in.1"]]


def saw(*rows: list[Any], at: datetime = NOW, runs: int = 1) -> None:
    """So many runs that saw this."""
    seen = drift.Seen(at)
    for _ in range(runs):
        seen.add(list(rows))
    seen.write()


def counted() -> dict[tuple[str, str, str], int]:
    return {
        (row.screen, row.alternative, row.app_version): row.runs for row in Sighting.objects.order_by("pk")
    }


def test_a_run_counts_once_for_each_alternative_and_the_day_adds_up() -> None:
    saw(LANDING, LANDING)
    saw(LANDING, at=NOW + timedelta(hours=1))

    assert counted() == {("ig.landing", one, "410.0"): 2 for one in ("", "any.1", "log_in.1")}
    assert Sighting.objects.latest("last_at").last_at == NOW + timedelta(hours=1)


def test_days_and_versions_are_counted_apart() -> None:
    saw(LANDING)
    saw(LANDING, at=NOW + timedelta(days=1))
    saw(["instagram", "ig.landing", "411.0", [""]])

    assert Sighting.objects.count() == 7


@pytest.mark.parametrize(
    "rubbish",
    [
        None, {}, "x", [None], [[]], [["instagram", "ig.landing", "410", "any.1"]], [[1, 2, 3, [""]]],
        [["instagram", "ig.landing", "410", [["any.1"]]]], [["", "", "", [""]]], [["a" * 33, "b", "c", [""]]],
        [["instagram", "ig.landing", "4\x0010", [""]]], [["instagram", "ig.landing", "\ud800", [""]]],
        [["instagram", "ig.landing", "410", ["<b>", "any.x", "any.1; drop table"]]],
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_left_out(rubbish: Any) -> None:
    seen = drift.Seen(NOW)
    seen.add(rubbish)
    seen.write()

    assert Sighting.objects.count() == 0


def test_one_report_can_fill_the_table_only_so_far() -> None:
    saw(["instagram", "ig.landing", "410.0", [f"any.{n}" for n in range(999)]])

    assert Sighting.objects.count() == drift.MOST


def finished(redis_client: Any, runs: int) -> int:
    """How many queries it takes to apply the ends of so many runs of one host."""
    host = host_with_key()
    ended = [running_run(make_device(host=host)) for _ in range(runs)]
    sent = [
        report("finished", run, place, **DONE, seen=[LANDING]) for place, run in enumerate(ended, start=1)
    ]
    send(redis_client, host.name, *sent)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert reports.apply_host(host.name) == runs
    return sum("automation_sighting" in one["sql"] for one in queries)


def test_the_ends_of_many_runs_are_counted_in_one_statement(redis_client: Any) -> None:
    assert finished(redis_client, 1) == 1
    assert finished(redis_client, 7) == 1
    assert counted()["ig.landing", "any.1", "410.0"] == 8


def test_a_report_that_comes_twice_counts_once_and_a_late_one_never(redis_client: Any) -> None:
    run = running_run()
    end = report("finished", run, 1, **DONE, seen=[LANDING], screens_hash="abc")
    send(redis_client, run.host.name, end, end)
    reports.apply_host(run.host.name)
    send(redis_client, run.host.name, report("finished", run, 2, **DONE, seen=[LANDING]))
    reports.apply_host(run.host.name)

    run.refresh_from_db()
    assert run.screens_hash == "abc"
    assert counted()["ig.landing", "", "410.0"] == 1


def line(alternative: str, version: str) -> drift.Line:
    return next(
        one for one in drift.lines(NOW) if (one.alternative, one.app_version) == (alternative, version)
    )


def test_what_worked_and_works_no_more_under_a_new_version_comes_first() -> None:
    saw(LANDING, at=NOW - timedelta(days=10), runs=20)
    saw(LANDING, runs=5)
    saw(["instagram", "ig.landing", "412.0", ["", "any.1", "log_in.2"]], runs=4)
    first = drift.lines(NOW)[0]

    assert (first.screen, first.alternative, first.app_version) == ("ig.landing", "log_in.1", "412.0")
    assert (first.hits, first.tries, first.before, first.drop) == (0, 4, 1.0, 1.0)
    assert first.last_at is None
    assert line("any.1", "412.0").rate == 1.0


def test_an_alternative_of_an_action_was_tried_only_when_none_before_it_worked() -> None:
    saw(["instagram", "ig.landing", "410.0", ["", "log_in.0"]], runs=3)
    saw(["instagram", "ig.landing", "410.0", ["", "log_in.2"]], runs=1)

    assert (line("log_in.0", "410.0").hits, line("log_in.0", "410.0").tries) == (3, 4)
    assert (line("log_in.2", "410.0").hits, line("log_in.2", "410.0").tries) == (1, 1)


def test_only_the_last_seven_days_make_the_rate() -> None:
    saw(LANDING, at=NOW - timedelta(days=6), runs=1)
    saw(["instagram", "ig.landing", "410.0", [""]], at=NOW - timedelta(days=7), runs=99)

    assert (line("any.1", "410.0").hits, line("any.1", "410.0").tries) == (1, 1)


def test_what_nobody_needs_any_more_is_forgotten() -> None:
    saw(LANDING)
    saw(LANDING, at=NOW - drift.KEPT - timedelta(days=2))

    assert drift.prune(NOW) == 3
    assert Sighting.objects.count() == 3


def test_the_page_shows_the_alternative_as_the_file_has_it_and_marks_what_drifts(admin_client: Any) -> None:
    now = datetime.now(UTC)
    saw(["instagram", "ig.landing", "410.0", ["", "log_in.0"]], at=now - timedelta(days=9), runs=10)
    saw(["instagram", "ig.landing", "412.0", ["", "log_in.1"]], at=now, runs=10)
    page = admin_client.get(PAGE)
    row = page.context["rows"][0]

    assert (row.line.alternative, row.written, row.rate, row.before) == (
        "log_in.0",
        "id: log_in_button",
        0,
        100,
    )
    assert row.drifts
    assert "id: log_in_button" in page.content.decode()
    assert admin_client.get(PAGE, {"q": "nothing-like-it"}).context["rows"] == []


def test_the_page_takes_two_queries_of_its_table_however_much_there_is(admin_client: Any) -> None:
    for version in range(30):
        saw(["instagram", "ig.landing", f"4{version}.0", ["", "any.1", "log_in.1"]], at=datetime.now(UTC))
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(PAGE)

    assert sum("automation_sighting" in one["sql"] for one in queries) == 2


@pytest.mark.parametrize(("permissions", "status"), [(["view_sighting"], 200), (["view_run"], 403)])
def test_the_page_is_for_those_who_may_see_it(client: Any, permissions: list[str], status: int) -> None:
    user = User.objects.create_user("vic", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)

    assert client.get(PAGE).status_code == status


def test_a_run_that_relied_on_an_unconfirmed_word_says_so_on_its_page(
    admin_client: Any, redis_client: Any
) -> None:
    run = running_run()
    end = {**DONE, "data": {"logined": True, "unconfirmed_words": ["nl log_in: inloggen"]}}
    send(redis_client, run.host.name, report("finished", run, 1, **end, screens_hash="abc123"))
    reports.apply_host(run.host.name)
    page = admin_client.get(reverse("admin:automation_run_change", args=[run.pk])).content.decode()

    assert "nl log_in: inloggen" in page
    assert "words that nobody has seen in the app yet" in page
    assert "abc123" in page
