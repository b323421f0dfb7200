"""The pure decision: who goes now, in which order, within which limits, and why the others wait."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.controller.planning import (
    SENTENCES,
    CampaignLimits,
    Limits,
    Slot,
    Waiting,
    assign,
    because,
    is_open,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def run(number: int, device: int | None = None, ago: float = 10, **over) -> Waiting:
    """A run that may start since `ago` seconds, on the device of its own number."""
    since = NOW - timedelta(seconds=ago)
    return Waiting(number, since, device=number if device is None else device, **over)


def phones(*numbers: int, **over) -> list[Slot]:
    return [
        Slot(number, **{"host": 1, "hub": "1-1", "name": f"P{number}", "host_name": "pc1", **over})
        for number in numbers
    ]


def limits(lanes: int = 100, **over) -> Limits:
    return Limits(**{"per_host": {1: lanes, 2: lanes}, **over})


def offered(plan) -> list[int]:
    return [offer.run for offer in plan.offers]


def test_the_highest_priority_goes_first_and_then_the_oldest() -> None:
    runs = [run(1, ago=5), run(2, ago=1, priority=10), run(3, ago=9)]
    assert offered(assign(runs, phones(1, 2, 3), limits(lanes=2), NOW)) == [2, 3]


def test_a_large_campaign_does_not_starve_a_single_login_of_another() -> None:
    many = [run(number, device=1, ago=1000, campaign=1) for number in range(1, 1000)]
    single = run(5000, device=1, ago=1, campaign=2)
    now = limits(campaigns_now=Counter({1: 40}))
    assert offered(assign([*many, single], phones(1), now, NOW)) == [5000]


def test_campaigns_of_one_priority_share_the_phones() -> None:
    runs = [run(n, campaign=1, ago=100) for n in range(1, 11)] + [
        run(n, campaign=2, ago=1) for n in range(11, 21)
    ]
    first = offered(assign(runs, phones(*range(1, 21)), limits(lanes=10), NOW))
    assert len([one for one in first if one <= 10]) == 5


def test_a_device_gets_one_run_and_the_others_are_told_that_one_goes_first() -> None:
    plan = assign([run(1, device=7), run(2, device=7)], phones(7), limits(), NOW)
    assert offered(plan) == [1]
    assert str(plan.waiting[2]) == "Another run goes first on device P7."


def test_a_host_gets_no_more_runs_than_it_may() -> None:
    plan = assign([run(1), run(2)], phones(1, 2), limits(lanes=3, hosts_now=Counter({1: 2})), NOW)
    assert offered(plan) == [1]
    assert (
        str(plan.waiting[2]) == "Host pc1 works on 3 phones already, as many as its lanes and its page allow."
    )


def test_a_hub_gets_no_more_runs_than_it_may() -> None:
    slots = [*phones(1, 2, hub="1-1"), *phones(3, hub="1-2")]
    plan = assign([run(1), run(2), run(3)], slots, limits(per_hub={1: 1}), NOW)
    assert offered(plan) == [1, 3]
    assert str(plan.waiting[2]) == "1 phones work on hub 1-1 already, as many as the page of its host allows."


def test_a_campaign_gets_no_more_runs_than_it_may() -> None:
    may = limits(campaigns={4: CampaignLimits(at_most=3)}, campaigns_now=Counter({4: 2}))
    plan = assign([run(1, campaign=4), run(2, campaign=4), run(3)], phones(1, 2, 3), may, NOW)
    assert sorted(offered(plan)) == [1, 3]
    assert plan.waiting[2].code == "campaign_full"


def test_a_campaign_works_a_phone_only_so_often_a_day() -> None:
    may = limits(campaigns={4: CampaignLimits(per_device_day=2)}, today={(4, 1): 2, (4, 2): 1})
    plan = assign([run(1, campaign=4), run(2, campaign=4)], phones(1, 2), may, NOW)
    assert offered(plan) == [2]
    assert plan.waiting[1].code == "campaign_day_full"


def test_a_campaign_in_trouble_starts_nothing_and_says_so() -> None:
    may = limits(campaigns={4: CampaignLimits(because("campaign_paused", state="paused"))})
    plan = assign([run(1, campaign=4)], phones(1), may, NOW)
    assert str(plan.waiting[1]) == "Its campaign is paused: let it go on in Campaigns."


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"ago": -30}, "not_due"),
        ({"is_enabled": False}, "account_disabled"),
        ({"account": 9}, "account_busy"),
    ],
)
def test_what_keeps_a_run_back_on_any_phone(over: dict, code: str) -> None:
    plan = assign([run(1, **over)], phones(1), limits(busy_accounts={9}), NOW)
    assert (plan.offers, plan.waiting[1].code) == ([], code)


def test_one_account_is_offered_once() -> None:
    plan = assign([run(1, account=7), run(2, account=7)], phones(1, 2), limits(), NOW)
    assert (offered(plan), plan.waiting[2].code) == ([1], "account_busy")


def test_a_phone_in_trouble_takes_nothing_and_gives_its_reason() -> None:
    plan = assign(
        [run(1)], phones(1, trouble=because("too_hot", device="P1", temperature=48.0)), limits(), NOW
    )
    assert str(plan.waiting[1]) == "Device P1 has 48.0 °C: it cools down first."


def test_a_run_for_any_phone_goes_to_the_least_used_that_is_free() -> None:
    slots = [
        *phones(1, used=5),
        *phones(2, used=1),
        *phones(3, used=0, trouble=because("host_silent", host="pc1")),
    ]
    plan = assign([Waiting(1, NOW, anywhere=True), Waiting(2, NOW, anywhere=True)], slots, limits(), NOW)
    assert [(offer.run, offer.device) for offer in plan.offers] == [(1, 2), (2, 1)]
    none = assign([Waiting(3, NOW, anywhere=True)], [], limits(), NOW)
    assert str(none.waiting[3]) == "No phone is free: it goes to the first that is."


def test_a_run_staged_behind_a_short_one_takes_no_further_place_on_host_and_hub() -> None:
    full = limits(lanes=1, per_hub={1: 1}, hosts_now=Counter({1: 1}), hubs_now=Counter({(1, "1-1"): 1}))
    assert offered(assign([run(1)], phones(1, ending=77), full, NOW)) == [1]


def test_a_campaign_with_a_limit_is_not_staged_ahead() -> None:
    may = limits(campaigns={4: CampaignLimits(at_most=5)})
    plan = assign([run(1, campaign=4)], phones(1, ending=77), may, NOW)
    assert str(plan.waiting[1]) == "Device P1 has run 77 in hand: it waits for the end of that one."


@pytest.mark.parametrize(
    ("start", "end", "hour", "zone", "is_it"),
    [
        (time(9), time(17), 12, "UTC", True),
        (time(9), time(12), 12, "UTC", False),
        (time(22), time(13), 12, "UTC", True),
        (time(22), time(6), 12, "UTC", False),
        (time(17), time(18), 12, "Asia/Kolkata", True),
        (None, None, 3, "UTC", True),
    ],
)
def test_hours_are_those_of_the_time_zone_and_may_pass_midnight(
    start, end, hour: int, zone: str, is_it: bool
) -> None:
    assert is_open(start, end, zone, NOW.replace(hour=hour)) is is_it


def test_every_reason_has_a_sentence() -> None:
    facts = dict.fromkeys(("time", "state", "start", "end", "count", "device", "host", "hub", "run"), "x")
    facts |= {"battery": "5", "temperature": "50"}
    assert all(str(because(code, **facts)) for code in SENTENCES)


WAITING = st.builds(
    Waiting,
    run=st.integers(1, 60),
    since=st.integers(-50, 50).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    device=st.integers(1, 8),
    anywhere=st.booleans(),
    account=st.none() | st.integers(1, 6),
    campaign=st.none() | st.integers(1, 3),
    priority=st.integers(0, 2),
    is_enabled=st.booleans(),
)
SLOTS = st.builds(
    Slot,
    device=st.integers(1, 8),
    host=st.integers(1, 2),
    hub=st.sampled_from(["1-1", "1-2"]),
    used=st.integers(0, 9),
    ending=st.integers(0, 1),
    trouble=st.none() | st.just(because("host_silent", host="pc1")),
)


@given(
    st.lists(WAITING, max_size=30, unique_by=lambda one: one.run),
    st.lists(SLOTS, max_size=8, unique_by=lambda slot: slot.device),
    st.integers(0, 4),
    st.integers(0, 3),
)
def test_no_limit_is_ever_passed_and_every_run_is_accounted_for(runs, slots, lanes: int, most: int) -> None:
    campaigns = {1: CampaignLimits(at_most=most)}
    plan = assign(
        runs, slots, Limits(per_host={1: lanes, 2: lanes}, per_hub={1: most}, campaigns=campaigns), NOW
    )
    by_run, by_device = {one.run: one for one in runs}, {slot.device: slot for slot in slots}
    chosen = [(by_run[offer.run], by_device[offer.device]) for offer in plan.offers]
    assert {offer.run for offer in plan.offers} ^ set(plan.waiting) == set(by_run)
    assert len({slot.device for _one, slot in chosen}) == len(chosen)
    assert all(slot.trouble is None and one.is_enabled and one.since <= NOW for one, slot in chosen)
    assert all(one.anywhere or one.device == slot.device for one, slot in chosen)
    accounts = [one.account for one, _slot in chosen if one.account]
    assert len(set(accounts)) == len(accounts)
    begun = [slot for _one, slot in chosen if not slot.ending]
    assert max(Counter(slot.host for slot in begun).values(), default=0) <= lanes
    assert max(Counter(slot.hub for slot in begun if slot.host == 1).values(), default=0) <= most
    assert len([one for one, _slot in chosen if one.campaign == 1]) <= most
