"""Many runs are made at once, each target gets one, and the starts are spread as asked."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from automation import services
from automation.models import Run, RunEvent
from tests.automation.rows import finished_run, run_on
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db


def many(count: int, home: int = 20):
    """Accounts on one phone; one in `home` on none."""
    device = make_device()
    Account.objects.bulk_create(
        Account(app="tiktok", username=f"many{number}", device=device if number % home else None)
        for number in range(count)
    )
    made = Account.objects.filter(username__startswith="many").select_related("device").order_by("pk")
    return [(account, account.device) for account in made]


def test_the_number_of_questions_grows_by_less_than_one_in_a_hundred_runs() -> None:
    targets = many(2000)
    with CaptureQueriesContext(connection) as few:
        services.enqueue("login", targets[:500], requested_by="ann")
    with CaptureQueriesContext(connection) as more:
        assert len(services.enqueue("sync", targets, requested_by="ann")) == 2000
    assert len(more) - len(few) < 15


def test_what_is_returned_is_what_is_stored() -> None:
    targets = many(40, home=4)
    made = services.enqueue("login", targets, requested_by="ann", priority=3, options={"a": 1})
    stored = list(Run.objects.order_by("pk"))
    for run, again, (account, device) in zip(made, stored, targets, strict=True):
        assert (again.pk, again.account, again.device) == (run.pk, account, device)
        for field in Run._meta.concrete_fields:
            assert getattr(run, field.attname) == getattr(again, field.attname), field


def test_accounts_without_a_device_are_told_so_in_bulk_too() -> None:
    services.enqueue("login", many(40, home=4), requested_by="ann")
    ended = Run.objects.finished()
    assert set(ended.values_list("outcome", "reason", "device")) == {("skipped", "no_device", None)}
    assert ended.count() == 10
    assert list(ended.first().events.values_list("old", "new", "detail", "actor")) == [
        ("", "pending", "", "ann"),
        ("pending", "finished", "skipped no_device", ""),
    ]
    assert RunEvent.objects.filter(new="pending").count() == 40


def test_for_any_phone_a_run_without_a_device_waits() -> None:
    (run,) = services.enqueue("login", [(make_account(), None)], requested_by="ann", any_device=True)
    assert (run.state, run.any_device) == ("pending", True)


@pytest.mark.parametrize("others", [0, services.FEW])
def test_a_target_with_the_script_unfinished_gets_none_also_among_many(others: int) -> None:
    run = run_on()
    over = finished_run()
    targets = [(run.account, run.device), (over.account, over.device)]
    more = [(account, None) for account, _device in many(others + 1, home=1)]
    made = services.enqueue("login", targets + more, requested_by="ann")
    assert run.account not in {one.account for one in made}
    assert over.account in {one.account for one in made}
    assert len(made) == 1 + len(more)


@pytest.mark.parametrize("others", [0, services.FEW])
def test_a_device_with_the_script_unfinished_gets_none(others: int) -> None:
    device, free = make_device(), make_device()
    services.enqueue("match", [(None, device)], requested_by="ann")
    more = [(None, make_device(host=free.host)) for _ in range(others)]
    made = services.enqueue("match", [(None, device), (None, free), *more], requested_by="ann")
    assert device not in {run.device for run in made}
    assert len(made) == 1 + others


def test_who_wants_it_repeated_gets_a_second_run() -> None:
    run = run_on()
    assert len(services.enqueue("login", [(run.account, run.device)], requested_by="ann", repeat=True)) == 1


def test_a_limit_counts_only_those_that_get_a_run() -> None:
    waiting = run_on()
    targets = [(waiting.account, waiting.device), *many(5, home=100)]
    made = services.enqueue("login", targets, requested_by="ann", limit=2)
    assert [run.account for run in made] == [account for account, _device in targets[1:3]]


def test_the_starts_are_spread_evenly_in_the_order_given_and_may_be_late_from_then_on() -> None:
    targets = many(6, home=100)
    made = services.enqueue(
        "login", targets, requested_by="ann", spread=timedelta(minutes=60), start_within=timedelta(hours=1)
    )
    assert [run.account for run in made] == [account for account, _device in targets]
    gaps = {later.not_before - run.not_before for run, later in pairwise(made)}
    assert gaps == {timedelta(minutes=10)}
    assert {run.start_by - run.not_before for run in made} == {timedelta(hours=1)}


def test_nobody_is_no_mistake() -> None:
    assert not services.enqueue("login", [], requested_by="ann", spread=timedelta(hours=1))
