"""Evidence is pruned by age and by size, in small batches, what somebody waits for last."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from automation import attention, services
from automation.choices import OccurrenceState
from automation.controller import prune
from automation.models import Campaign, Evidence, Occurrence, Run, RunEvent
from tests.automation.rows import finished_run, running_run
from tests.automation.test_attention import needy

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limits(settings) -> None:
    settings.PHONERACK_EVIDENCE_DAYS, settings.PHONERACK_EVIDENCE_MB = 30, 1


def piece(days: float = 0, size: int = 100, run: Run | None = None) -> Evidence:
    """Evidence of so many days ago and bytes."""
    run = run or finished_run()
    services.keep_evidence(run, b"x" * size, "")
    Evidence.objects.filter(run=run).update(at=timezone.now() - timedelta(days=days))
    return Evidence.objects.get(run=run)


def left() -> set[int]:
    return set(Evidence.objects.values_list("pk", flat=True))


def test_what_is_too_old_goes_and_its_run_stays() -> None:
    old, young = piece(days=31), piece(days=29)
    assert prune.evidence() == 1
    assert left() == {young.pk}
    assert Run.objects.filter(pk=old.run_id).exists()


def test_of_too_much_the_oldest_goes_until_it_is_little_enough() -> None:
    pieces = [piece(days=4 - number, size=400_000) for number in range(4)]
    prune.evidence()
    assert left() == {pieces[2].pk, pieces[3].pk}


def test_what_somebody_waits_for_goes_last() -> None:
    waits = piece(days=40, size=600_000, run=needy().run)
    other = piece(days=1, size=600_000)
    prune.evidence()
    assert left() == {waits.pk}
    piece(size=1_100_000)
    prune.evidence()
    assert waits.pk in left()
    assert other.pk not in left()


def test_a_pass_prunes_a_batch_and_the_next_goes_on(monkeypatch) -> None:
    monkeypatch.setattr(prune, "BATCH", 2)
    for _ in range(3):
        piece(days=31)
    assert [prune.evidence() for _ in range(3)] == [2, 1, 0]


def test_without_limits_nothing_goes(settings) -> None:
    settings.PHONERACK_EVIDENCE_DAYS = settings.PHONERACK_EVIDENCE_MB = 0
    piece(days=1000, size=2_000_000)
    assert prune.evidence() == 0


def test_no_picture_is_read_for_it(django_assert_max_num_queries) -> None:
    piece(days=31)
    with django_assert_max_num_queries(5) as queries:
        prune.evidence()
    assert not any('"screenshot"' in one["sql"] for one in queries.captured_queries)


def test_runs_go_with_their_events_when_they_ended_too_long_ago(settings) -> None:
    settings.PHONERACK_HISTORY_DAYS = 10
    old, waited_for, fresh, going_on = finished_run(), finished_run(), finished_run(), running_run()
    attention.open_for(waited_for)
    long_ago = timezone.now() - timedelta(days=11)
    Run.objects.filter(pk__in=[old.pk, waited_for.pk]).update(finished_at=long_ago)
    Run.objects.filter(pk=going_on.pk).update(started_at=long_ago, retry_of=old)
    assert (prune.history(), prune.history()) == (1, 0)
    assert set(Run.objects.values_list("pk", flat=True)) == {waited_for.pk, fresh.pk, going_on.pk}
    assert not RunEvent.objects.filter(run=old.pk).exists()


def test_a_pass_prunes_a_batch_of_runs_and_none_where_they_are_kept_for_ever(settings, monkeypatch) -> None:
    monkeypatch.setattr(prune, "BATCH", 2)
    for _number in range(3):
        finished_run()
    Run.objects.update(finished_at=timezone.now() - timedelta(days=5000))
    settings.PHONERACK_HISTORY_DAYS = 0
    assert prune.history() == 0
    settings.PHONERACK_HISTORY_DAYS = 1
    assert [prune.history() for _pass in range(3)] == [2, 1, 0]


def test_starts_of_campaigns_go_once_they_are_over_long_ago_and_without_runs(settings) -> None:
    settings.PHONERACK_HISTORY_DAYS = 10
    campaign, now = Campaign.objects.create(name="nightly", script="login"), timezone.now()

    def start(days: float, state: str = OccurrenceState.OVER) -> Occurrence:
        due_at = now - timedelta(days=days)
        return Occurrence.objects.create(campaign=campaign, due_at=due_at, state=state)

    start(12), start(11.5, OccurrenceState.SKIPPED)
    with_run, queued, young = start(12.5), start(11, OccurrenceState.QUEUED), start(9)
    Run.objects.filter(pk=finished_run().pk).update(occurrence=with_run)
    prune.history()
    assert set(Occurrence.objects.all()) == {with_run, queued, young}
