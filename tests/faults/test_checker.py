"""Each planted violation is found by its own rule, and a healthy history has none: else green would mean nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.checker import proves_nothing
from tests.faults.history import (
    Call,
    CampaignRow,
    Entry,
    Event,
    Fault,
    History,
    HostRow,
    RunRow,
    Sight,
    Start,
    Touch,
)
from tests.faults.paths import RECOVERY, limit
from tests.faults.rules import RULES, Finding, check


def run_of(history: History, run: int, account: int, at: float, host: str = "a", **over: object) -> None:
    """A run of three touches, 0.2 s apart from `at` on, with all that belongs to it."""
    history.runs[run] = RunRow(run, account, host=host, touches=3, result_fence=1, **over)  # type: ignore[arg-type]
    history.diary.append(Entry(host, at - 0.1, "take", run, 1))
    for number in range(3):
        history.touches.append(Touch(f"S{host}", at + 0.2 * number, run, 1))
        history.diary.append(Entry(host, at + 0.2 * number, "step", run, 1, f"touch {number + 1}"))
    history.events += [Event(run, old=old, new=new) for old, new in LIFE]
    history.events += [Event(run, "step", name=f"touch {number}") for number in (1, 2, 3)]
    history.sights[run] = Sight(at - 0.2, at + 0.7, "succeeded")


LIFE = [("", "pending"), ("pending", "offered"), ("offered", "running"), ("running", "finished")]


def healthy() -> History:
    """Six runs, a cancel of each kind, a disabled account, a host that was silent, a campaign that was paused."""
    history = History()
    for number in range(1, 5):
        run_of(history, number, account=number, at=10.0 * number)
    run_of(history, 5, account=5, at=60.0, attempt=2, retry_of=4)
    run_of(history, 6, account=6, at=99.0, host="b")
    history.sights[6] = Sight(98.0, 131.0, "succeeded")
    history.faults = [Fault("agent_stop", "b", 100.0, 145.0)]
    history.hosts = [HostRow("a", 25, 0, 25), HostRow("b", 5, 0, 5)]
    history.calls = [
        Call("cancel", 20.1, 20.2, run=2, account=2, state="running", state_after="running"),
        Call("cancel", 5.0, 5.1, run=7, account=7, state="pending", state_after="finished"),
        Call("disable", 30.1, 30.2, account=3, state="running"),
        Call("enable", 50.0, 50.1, account=3),
    ]
    history.runs[7] = RunRow(7, 7, outcome="canceled", fence=0)
    history.events += [Event(7, new="pending"), Event(7, old="pending", new="finished")]
    history.campaigns = [
        CampaignRow(1, [0.0, 60.0, 120.0, 180.0, 240.0], 2, [-1.0, 14.0, 194.0, 250.0], [(230.0, 245.0)])
    ]
    history.starts = [
        Start(1, 1, 0.0, seen=14.2),
        Start(2, 1, 120.0, "skipped", "missed", starts=2, seen=194.2),
        Start(3, 1, 180.0, seen=194.2),
    ]
    history.faults.append(Fault("worker_stop_long", "", 50.0, 170.0))
    for run, start in ((1, 1), (2, 1), (3, 3), (4, 3), (5, 3)):
        history.runs[run] = replace(history.runs[run], start=start)
    return history


def test_a_healthy_history_has_no_violation() -> None:
    assert [one for one in check(healthy()) if one.violations] == []


def test_every_rule_checks_something_in_a_healthy_history() -> None:
    assert [f"{one.rule} {one.name}" for one in check(healthy()) if not one.checked] == []


def test_campaigns_for_which_no_phone_was_touched_prove_nothing() -> None:
    history = healthy()
    history.runs = {run: replace(row, start=0) for run, row in history.runs.items()}
    assert "no phone was touched for one" in proves_nothing(history)


def test_a_history_in_which_no_phone_was_touched_or_every_run_met_a_defect_proves_nothing() -> None:
    healthy_one, untouched, broken = healthy(), healthy(), healthy()
    untouched.touches = []
    broken.runs = {run: replace(row, outcome="errored", reason="defect") for run, row in broken.runs.items()}
    assert [bool(proves_nothing(one)) for one in (healthy_one, untouched, broken)] == [False, True, True]


def never_ends(history: History) -> None:
    history.runs[1] = replace(history.runs[1], state="running", outcome="")
    history.events = [one for one in history.events if (one.run, one.new) != (1, "finished")]
    history.sights[1].outcome = ""


def ends_twice(history: History) -> None:
    history.events.append(Event(1, old="running", new="finished"))


def changes_its_end(history: History) -> None:
    history.sights[1].outcome = "lost"


def skips_a_state(history: History) -> None:
    history.events = [one for one in history.events if (one.run, one.new) != (1, "running")]


def overlaps(history: History) -> None:
    history.touches.append(Touch("Sa", 20.3, 1, 1))


def is_inside_another(history: History) -> None:
    """The shorter one lies within the longer one."""
    history.touches += [Touch("Sa", 15.0, 1, 1), Touch("Sa", 25.0, 1, 1)]


def touches_two_phones(history: History) -> None:
    history.touches.append(Touch("Sx", 10.5, 1, 1))


def starts_again_under_an_old_fence(history: History) -> None:
    history.events[1:1] = [Event(1, old="pending", new="offered"), Event(1, old="offered", new="pending")]
    history.runs[1] = replace(history.runs[1], fence=2, result_fence=2)
    history.touches += [Touch("Sa", 12.0 + number, 1, 2) for number in range(3)]


def starts_though_withdrawn(history: History) -> None:
    history.events = [one for one in history.events if one.run != 1]
    history.events += [Event(1, old=old, new=new) for old, new in LIFE[:2]]
    history.events += [Event(1, old="offered", new="pending"), Event(1, old="pending", new="finished")]
    history.events += [Event(1, "step", name=f"touch {number}") for number in (1, 2, 3)]


def touches_without_being_known(history: History) -> None:
    history.touches.append(Touch("Sz", 1.0, 999, 1))


def starts_though_disabled(history: History) -> None:
    history.calls.append(Call("disable", 8.0, 8.1, account=1))


def starts_though_deleted(history: History) -> None:
    history.calls.append(Call("delete", 39.0, 39.1, account=4))


def starts_long_after_an_unsure_reply(history: History) -> None:
    history.calls.append(Call("disable", -55.0, -54.0, account=1, is_sure=False))


def goes_on_though_disabled(history: History) -> None:
    history.touches.append(Touch("Sa", 35.5, 3, 1))


def loses_a_report_of_a_host(history: History) -> None:
    history.hosts[0] = HostRow("a", 25, 0, 24)


def keeps_a_report_back(history: History) -> None:
    history.hosts[0] = HostRow("a", 25, 1, 25)


def loses_a_step(history: History) -> None:
    history.events.remove(Event(1, "step", name="touch 2"))


def applies_a_step_twice(history: History) -> None:
    history.events.append(Event(1, "step", name="touch 2"))


def ends_under_an_old_fence(history: History) -> None:
    history.runs[1] = replace(history.runs[1], result_fence=0 + 2)


def says_more_than_the_phone_saw(history: History) -> None:
    history.touches.remove(Touch("Sa", 10.0, 1, 1))


def touches_once_too_often(history: History) -> None:
    history.runs[1] = replace(history.runs[1], outcome="lost")
    history.sights[1].outcome = "lost"
    history.touches.append(Touch("Sa", 10.5, 1, 1))


def touches_after_its_end(history: History) -> None:
    history.runs[1] = replace(history.runs[1], touches=4)
    history.touches.append(Touch("Sa", 15.0, 1, 1))


def is_tried_a_fourth_time(history: History) -> None:
    history.runs[4] = replace(history.runs[4], retry_of=3)
    history.runs[3] = replace(history.runs[3], retry_of=2)


def is_retried_twice(history: History) -> None:
    history.runs[3] = replace(history.runs[3], retry_of=4)


def outlives_its_silent_host(history: History) -> None:
    history.sights[6].finished = 143.0


def holds_a_phone_for_nothing(history: History) -> None:
    history.sights[1].finished = 60.0


def waits_on_though_canceled(history: History) -> None:
    history.calls[1] = replace(history.calls[1], state_after="pending")


def goes_on_though_canceled(history: History) -> None:
    history.touches.append(Touch("Sa", 21.4, 2, 1))


def starts_a_campaign_twice(history: History) -> None:
    """Once by itself, and once among those that were left out."""
    history.starts.append(Start(4, 1, 60.0, seen=194.2))


def misses_a_start(history: History) -> None:
    history.starts[1] = replace(history.starts[1], starts=1)


def misses_a_start_that_somebody_looked_at_before_the_pause(history: History) -> None:
    history.campaigns[0].dues.append(220.0)
    history.campaigns[0].looks.append(225.0)


def starts_late(history: History) -> None:
    history.faults.pop()


def never_shows_a_start(history: History) -> None:
    history.starts[0] = replace(history.starts[0], seen=None)


def makes_two_runs_for_an_account(history: History) -> None:
    history.runs[2] = replace(history.runs[2], account=1)


def makes_too_many_runs(history: History) -> None:
    history.runs[6] = replace(history.runs[6], start=1)


def leaves_a_start_open(history: History) -> None:
    history.starts[0] = replace(history.starts[0], state="started")


def leaves_out_a_start_that_has_runs(history: History) -> None:
    history.runs[6] = replace(history.runs[6], start=2)


PLANTED: dict[Callable[[History], None], str] = {
    never_ends: "every run ends exactly once",
    ends_twice: "every run ends exactly once",
    changes_its_end: "no end ever changes",
    skips_a_state: "every state follows from the one before",
    overlaps: "one run touches a phone at a time",
    is_inside_another: "one run touches a phone at a time",
    touches_two_phones: "a run keeps to one phone",
    starts_again_under_an_old_fence: "a run is started under one fence at most",
    starts_though_withdrawn: "a run is started under one fence at most",
    touches_without_being_known: "a run is started under one fence at most",
    starts_though_disabled: "no run of a disabled or deleted account starts after the reply",
    starts_though_deleted: "no run of a disabled or deleted account starts after the reply",
    starts_long_after_an_unsure_reply: "no run of a disabled or deleted account starts after the reply",
    goes_on_though_disabled: "a running one stops within 5 s of the reply",
    loses_a_report_of_a_host: "every report of a host is applied, in order and without a gap",
    keeps_a_report_back: "every report of a host is applied, in order and without a gap",
    loses_a_step: "no report is lost",
    applies_a_step_twice: "no report is applied twice",
    ends_under_an_old_fence: "a run ends by what was done under its last fence",
    says_more_than_the_phone_saw: "the phone saw exactly what a run that succeeded says",
    touches_once_too_often: "the phone saw exactly what a run that succeeded says",
    touches_after_its_end: "a run that has ended touches its phone no more",
    is_tried_a_fourth_time: "at most three attempts",
    is_retried_twice: "at most three attempts",
    outlives_its_silent_host: "runs of a host silent for 30 s are ended",
    holds_a_phone_for_nothing: "no phone is busy without a run",
    waits_on_though_canceled: "a cancel ends a waiting run at once",
    goes_on_though_canceled: "a cancel ends a running run within 1 s",
    starts_a_campaign_twice: "a campaign is started once for each time it is due",
    misses_a_start: "what was due and not started is noted",
    misses_a_start_that_somebody_looked_at_before_the_pause: "what was due and not started is noted",
    starts_late: "what is due is started or left out within 30 s",
    never_shows_a_start: "what is due is started or left out within 30 s",
    makes_two_runs_for_an_account: "a start makes one run for each of its accounts at most",
    makes_too_many_runs: "a start makes one run for each of its accounts at most",
    leaves_a_start_open: "a start is over when each of its runs has ended once",
    leaves_out_a_start_that_has_runs: "a start is over when each of its runs has ended once",
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda one: one.__name__)
def test_a_run_that_misbehaves_is_found_out(plant: Callable[[History], None]) -> None:
    history = healthy()
    plant(history)
    assert PLANTED[plant] in {one.name for one in check(history) if one.violations}


def test_every_rule_has_a_planted_violation() -> None:
    assert {name for _number, name, _rule in RULES} == set(PLANTED.values())


def finding(history: History, name: str) -> Finding:
    return next(one for one in check(history) if one.name == name)


def test_a_touch_that_was_on_its_way_when_its_agent_was_paused_is_no_overlap() -> None:
    history = healthy()
    overlaps(history)
    history.faults.append(Fault("agent_stop", "a", 11.0, 20.2))
    history.diary.append(Entry("a", 11.01, "send", 1, 1))
    assert finding(history, "one run touches a phone at a time").violations == []


def test_a_touch_that_was_begun_after_the_pause_is_an_overlap() -> None:
    history = healthy()
    overlaps(history)
    history.faults.append(Fault("agent_stop", "a", 11.0, 20.2))
    history.diary.append(Entry("a", 20.25, "send", 1, 1))
    assert finding(history, "one run touches a phone at a time").violations


def test_a_network_that_was_cut_gives_a_cancel_more_time() -> None:
    history = healthy()
    goes_on_though_canceled(history)
    history.faults.append(Fault("net_cut", "a", 15.0, 20.5))
    found = finding(history, "a cancel ends a running run within 1 s")
    assert (found.violations, found.relaxed) == ([], 1)


def test_a_fault_of_another_host_gives_no_more_time() -> None:
    history = healthy()
    goes_on_though_canceled(history)
    history.faults.append(Fault("net_cut", "b", 15.0, 20.5))
    assert finding(history, "a cancel ends a running run within 1 s").violations


def test_what_was_due_just_before_a_pause_and_not_looked_at_is_nobodys() -> None:
    found = finding(healthy(), "what was due and not started is noted")
    assert (found.checked, found.relaxed, found.violations) == (5, 1, [])


def test_a_controller_that_was_killed_gives_a_campaign_no_more_time() -> None:
    history = healthy()
    history.faults[-1] = Fault("controller_kill", "1", 50.0, 170.0)
    assert finding(history, "what is due is started or left out within 30 s").violations


def test_more_time_begins_anew_with_each_fault_on_the_way() -> None:
    faults = [Fault("redis_kill", "", 0.0, 1.0), Fault("agent_kill", "a", 10.0, 12.0)]
    assert limit(faults, "a", 0.0, 5.0) == 12.0 + RECOVERY + 5.0
    assert limit(faults, "b", 0.0, 5.0) == 1.0 + RECOVERY + 5.0
    assert limit(faults, "a", 90.0, 5.0) == limit([], "a", 90.0, 5.0)


def test_an_old_message_that_finds_no_ticket_on_another_host_is_no_start() -> None:
    history = healthy()
    history.diary.append(
        Entry("b", 55.0, "take", 3, 1)
    )  # long after run 3 began and its account was disabled
    assert finding(history, "no run of a disabled or deleted account starts after the reply").violations == []
