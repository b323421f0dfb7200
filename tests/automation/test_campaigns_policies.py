"""What becomes of starts that were missed, that overlap, or that come while the campaign is not active."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from automation import campaigns, services, steering
from automation.controller import sweep
from automation.models import Campaign, Occurrence, Run
from tests.factories import make_account, make_device, started

pytestmark = pytest.mark.django_db

MIDNIGHT = datetime(2026, 5, 1, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hourly(**over) -> Campaign:
    values = {"name": "Hourly", "script": "match", "every_minutes": 60, "checked_at": MIDNIGHT, **over}
    return Campaign.objects.create(**values)


def starts() -> list[tuple[int, str, str]]:
    """(hour, state, reason) of each occurrence, oldest first."""
    found = Occurrence.objects.order_by("due_at").values_list("due_at__hour", "state", "reason")
    return list(found)


def end_all() -> None:
    for run in Run.objects.unfinished():
        services.finish_run(run, "succeeded")


def test_a_phone_that_is_away_all_day_does_not_cost_the_next_days_start() -> None:
    make_device(connection="offline")
    hourly(every_minutes=24 * 60, overlap="skip")
    for day, late in ((1, 14), (2, 1)):  # seconds; a tick comes every 15
        with time_machine.travel(MIDNIGHT + day * 24 * HOUR + timedelta(seconds=late), tick=False):
            sweep.expire()
            campaigns.tick()
    assert [state for _hour, state, _reason in starts()] == ["over", "started"]


# Missed


@pytest.mark.parametrize(
    ("missed", "started", "left_out"),
    [("skip", [6], [(5, 5)]), ("once", [6], [(5, 5)]), ("all", [1, 2, 3, 4, 5, 6], [])],
)
def test_after_a_standstill_the_newest_start_is_made_and_the_missed_ones_as_the_campaign_says(
    missed: str, started: list[int], left_out: list[tuple[int, int]]
) -> None:
    make_device()
    hourly(missed=missed, overlap="allow")
    assert campaigns.tick(MIDNIGHT + 6.5 * HOUR) == len(started)
    made = Occurrence.objects.filter(state="started").order_by("due_at")
    assert list(made.values_list("due_at__hour", flat=True)) == started
    skipped = Occurrence.objects.filter(state="skipped", reason="missed")
    assert list(skipped.values_list("due_at__hour", "starts")) == left_out


@pytest.mark.parametrize(("missed", "made"), [("skip", 0), ("once", 1), ("all", 1)])
def test_a_start_that_is_seen_late_is_made_only_if_missed_ones_are(missed: str, made: int) -> None:
    make_device()
    Campaign.objects.create(
        name="Daily", script="match", cron="0 3 * * *", checked_at=MIDNIGHT, missed=missed
    )
    assert campaigns.tick(MIDNIGHT + 9 * HOUR) == made
    assert starts() == [(3, "started", "") if made else (3, "skipped", "missed")]


def test_of_very_many_missed_starts_the_last_hundred_are_made_and_the_log_says_so(caplog) -> None:
    make_device()
    hourly(missed="all", overlap="allow")
    with caplog.at_level(logging.WARNING):
        assert campaigns.tick(MIDNIGHT + 150.5 * HOUR) == campaigns.MOST_STARTS
    assert "50 starts from 2026-05-01 01:00" in caplog.text
    assert list(Occurrence.objects.filter(state="skipped").values_list("starts", flat=True)) == [50]


@pytest.mark.parametrize("missed", ["skip", "once", "all"])
def test_a_second_beat_that_looks_at_the_same_span_starts_nothing_twice(missed: str) -> None:
    make_device()
    campaign = hourly(missed=missed, overlap="allow")
    made = campaigns.tick(MIDNIGHT + 3.5 * HOUR)
    Campaign.objects.filter(pk=campaign.pk).update(checked_at=MIDNIGHT)
    before = starts()
    assert campaigns.tick(MIDNIGHT + 3.5 * HOUR) == 0
    assert campaigns.tick(MIDNIGHT + 3.4 * HOUR) == 0
    assert (starts(), Run.objects.count()) == (before, made)


def test_a_start_that_is_over_is_not_opened_again_by_a_late_beat() -> None:
    make_device()
    campaign = hourly()
    campaigns.tick(MIDNIGHT + HOUR)
    end_all()
    campaigns.tick(MIDNIGHT + HOUR)
    Campaign.objects.filter(pk=campaign.pk).update(checked_at=MIDNIGHT)
    make_device()
    assert campaigns.tick(MIDNIGHT + HOUR) == 0
    assert starts() == [(1, "over", "")]


def test_a_late_tick_does_not_turn_the_clock_back() -> None:
    campaign = hourly()
    campaigns.tick(MIDNIGHT + 3 * HOUR)
    campaigns.tick(MIDNIGHT + 2 * HOUR)
    campaign.refresh_from_db()
    assert campaign.checked_at == MIDNIGHT + 3 * HOUR


@pytest.mark.django_db(transaction=True)
def test_beats_that_tick_at_the_same_moment_start_it_once() -> None:
    make_device()
    hourly(missed="all", overlap="allow")

    def tick(_number: int) -> int:
        try:
            return campaigns.tick(MIDNIGHT + 3.5 * HOUR)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as beats:
        made = list(beats.map(tick, range(4), timeout=60))
    assert sorted(made) == [0, 0, 0, 3]
    assert Run.objects.count() == Occurrence.objects.count() == 3


# Overlap


def test_a_start_is_left_out_while_the_one_before_is_not_over() -> None:
    make_device()
    hourly(overlap="skip")
    campaigns.tick(MIDNIGHT + HOUR)
    assert campaigns.tick(MIDNIGHT + 2 * HOUR) == 0
    end_all()
    assert campaigns.tick(MIDNIGHT + 3 * HOUR) == 1
    assert starts() == [(1, "over", ""), (2, "skipped", "not_over"), (3, "started", "")]


def test_a_queued_start_begins_when_the_one_before_is_over_and_in_its_turn() -> None:
    make_device()
    hourly(overlap="queue")
    made = [campaigns.tick(MIDNIGHT + number * HOUR) for number in (1, 2, 3)]
    assert made == [1, 0, 0]
    assert starts() == [(1, "started", ""), (2, "queued", "not_over"), (3, "queued", "not_over")]
    end_all()
    assert campaigns.tick(MIDNIGHT + 3.1 * HOUR) == 1
    assert starts() == [(1, "over", ""), (2, "started", ""), (3, "queued", "not_over")]


def test_not_more_than_a_hundred_starts_are_queued() -> None:
    make_device()
    campaign = hourly(overlap="queue")
    campaigns.tick(MIDNIGHT + HOUR)
    Occurrence.objects.bulk_create(
        Occurrence(campaign=campaign, due_at=MIDNIGHT - number * HOUR, state="queued")
        for number in range(campaigns.MOST_STARTS)
    )
    campaigns.tick(MIDNIGHT + 2 * HOUR)
    assert Occurrence.objects.latest("due_at").reason == "queue_full"


def test_where_overlap_is_allowed_a_phone_gets_a_run_of_each_start() -> None:
    device = make_device()
    hourly(overlap="allow")
    assert [campaigns.tick(MIDNIGHT + number * HOUR) for number in (1, 2)] == [1, 1]
    assert Run.objects.unfinished().filter(device=device, script="match").count() == 2


def test_a_start_is_over_only_when_the_last_attempt_of_its_runs_is() -> None:
    make_device()
    hourly()
    campaigns.tick(MIDNIGHT + HOUR)
    services.finish_run(Run.objects.get(), "lost", reason="host_silent")
    assert Run.objects.latest("pk").occurrence == Occurrence.objects.get()
    campaigns.tick(MIDNIGHT + HOUR)
    assert starts() == [(1, "started", "")]
    end_all()
    campaigns.tick(MIDNIGHT + HOUR)
    assert starts() == [(1, "over", "")]


def test_a_start_by_hand_is_an_occurrence_like_any_other() -> None:
    make_device()
    campaign = hourly(cron="", every_minutes=None, overlap="skip")
    assert campaigns.start(campaign, "ann") == 1
    assert campaigns.start(campaign, "ann") == 0
    end_all()
    assert campaigns.start(campaign, "ann") == 1
    assert [state for _hour, state, _reason in starts()] == ["over", "skipped", "started"]
    assert set(Occurrence.objects.values_list("requested_by", flat=True)) == {"ann"}


# Not active


def test_what_is_due_in_a_paused_campaign_is_left_out_and_said_and_not_made_up_for() -> None:
    make_device()
    campaign = hourly(missed="all", overlap="queue")
    steering.pause(campaign, "ann")
    assert campaigns.tick(MIDNIGHT + 3 * HOUR) == 0
    steering.resume(campaign, "ann")
    Campaign.objects.update(checked_at=MIDNIGHT + 3 * HOUR)
    assert campaigns.tick(MIDNIGHT + 4 * HOUR) == 1
    assert starts() == [(3, "skipped", "paused"), (4, "started", "")]


def test_resuming_makes_up_for_nothing_even_if_no_tick_came_meanwhile() -> None:
    make_device()
    campaign = hourly(missed="all", overlap="queue")
    steering.pause(campaign, "ann")
    steering.resume(campaign, "ann")
    assert campaigns.tick() == 0


def test_a_paused_campaign_carries_nothing_on() -> None:
    make_device()
    campaign = hourly(overlap="queue")
    for number in (1, 2):
        campaigns.tick(MIDNIGHT + number * HOUR)
    steering.pause(campaign, "ann")
    end_all()
    assert campaigns.tick(MIDNIGHT + 2.5 * HOUR) == 0
    assert [state for _hour, state, _reason in starts()] == ["started", "queued"]


@pytest.mark.parametrize("verb", [steering.pause, steering.stop])
def test_a_campaign_that_is_not_active_cannot_be_started(verb) -> None:
    campaign = hourly()
    verb(campaign, "ann")
    with pytest.raises(services.InvalidTransition):
        campaigns.start(campaign, "ann")


# Spread and priority


def test_runs_are_spread_over_the_window_and_so_are_those_of_each_phone() -> None:
    big, small = make_device(), make_device()
    accounts = [make_account(device=big) for _ in range(6)] + [make_account(device=small) for _ in range(2)]
    runs = started(hourly(script="login", spread_minutes=80))
    assert {run.account for run in runs} == set(accounts)
    first = min(run.not_before for run in runs)
    minutes = {
        device: sorted(
            (run.not_before - first) // timedelta(minutes=10) for run in runs if run.device == device
        )
        for device in (big, small)
    }
    assert sorted(minutes[big] + minutes[small]) == list(range(8))
    assert all(
        1 <= later - earlier <= 2 for earlier, later in zip(minutes[big], minutes[big][1:], strict=False)
    )
    assert minutes[small][1] - minutes[small][0] == 4


def test_the_order_of_the_starts_is_the_same_every_time() -> None:
    for _ in range(3):
        device = make_device()
        for _number in range(3):
            make_account(device=device)
    campaign = hourly(script="login", overlap="allow")
    first, second = ([run.account_id for run in started(campaign)] for _ in range(2))
    assert first == second


def test_runs_have_the_priority_of_their_campaign() -> None:
    make_device()
    (run,) = started(hourly(priority=7))
    assert run.priority == 7
