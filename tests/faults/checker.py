"""The promises I1 to I9, held against the history by sorting and sweeping. docs/faults.md explains each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.faults import campaign_rules  # noqa: F401 - registers them
from tests.faults.history import Call, Event, History, RunKey, RunRow, Touch
from tests.faults.rules import Finding, rule

OFF = ("disable", "import", "delete")  #: the calls after which an account may not run
CANCEL_SECONDS = 1.0  #: from the reply to the last touch
DISABLE_SECONDS = 5.0
ENDED_SECONDS = 3.0  #: until an agent is told that a run it has in hand is over
UNSURE_SECONDS = 60.0  #: a reply that said "Redis is away" leaves tickets that live so long
SILENT_SECONDS = 30.0
SILENT_MARGIN = 12.0  #: the last heartbeat's age is not in it; a pass of a loaded controller is
BUSY_SECONDS = 45.0  #: from the last sign of a run until the database has its end
MAX_ATTEMPTS = 3
LOSING_FAULTS = ("agent_stop", "agent_kill", "net_cut", "net_reset", "net_silent", "net_deaf")
MANY_DUES = 3  #: due times of a campaign, of which one at least must have led to touches
DEFECTS = 0.01  #: of all runs; more would mean that the test itself is broken


# --- I1: ends exactly once ---


@rule("I1", "every run ends exactly once")
def ends_once(history: History, finding: Finding) -> Iterator[str]:
    for run in history.runs.values():
        finding.checked += 1
        ends = sum(event.new == "finished" for event in history.transitions(run.id))
        if run.state != "finished":
            yield f"run {run.id} is still {run.state} after the quiet period"
        if ends != (run.state == "finished"):
            yield f"run {run.id} has {ends} ends"


@rule("I1", "no end ever changes")
def end_stays(history: History, finding: Finding) -> Iterator[str]:
    for run in history.runs.values():
        seen = history.sights[run.id].outcome if run.id in history.sights else ""
        finding.checked += bool(seen)
        if seen and seen != run.outcome:
            yield f"run {run.id} had ended as {seen} and is {run.outcome} now"


@rule("I1", "every state follows from the one before")
def states_follow(history: History, finding: Finding) -> Iterator[str]:
    for run in history.runs.values():
        before = ""
        for event in history.transitions(run.id):
            finding.checked += 1
            if event.old != before:
                yield f"run {run.id} went from {event.old or 'nothing'} to {event.new} when it was {before or 'new'}"
            before = event.new


# --- I2: one run touches a phone at a time ---


@rule("I2", "one run touches a phone at a time")
def one_at_a_time(history: History, finding: Finding) -> Iterator[str]:
    spans = [
        (touches[0].serial, touches[0].at, touches[-1].at, key)
        for key, touches in history.touched_at_will.items()
        if touches
    ]
    last: dict[str, tuple[float, RunKey]] = {}
    for serial, first, end, key in sorted(spans):
        finding.checked += 1
        until, other = last.get(serial, (-1.0, key))
        if first < until:
            yield f"phone {serial}: {_name(key)} began {until - first:.3f} s before {_name(other)} was over"
        last[serial] = max((end, key), (until, other))


@rule("I2", "a run keeps to one phone")
def one_phone(history: History, finding: Finding) -> Iterator[str]:
    for key, touches in history.touched.items():
        finding.checked += 1
        if len({touch.serial for touch in touches}) > 1:
            yield f"{_name(key)} touched several phones"


@rule("I2", "a run is started under one fence at most")
def one_start(history: History, finding: Finding) -> Iterator[str]:
    """A withdrawn offer was never started: what it was to touch is touched under a later fence, if at all."""
    for key in history.touched:
        finding.checked += 1
        run = history.runs.get(key[0])
        if run is None:
            yield f"{_name(key)} touched a phone and is not in the database"
        elif key[1] != _standing_fence(history.transitions(run.id)):
            yield f"{_name(key)} touched a phone though its offer was withdrawn"


def _standing_fence(transitions: list[Event]) -> int:
    """The number of the last offer, if it was not withdrawn."""
    offers, stands = 0, False
    for event in transitions:
        offers += event.new == "offered"
        stands = event.new != "pending" and (stands or event.new == "offered")
    return offers if stands else 0


# --- I3: a disabled account does not run ---


@rule("I3", "no run of a disabled or deleted account starts after the reply")
def disabled_never_starts(history: History, finding: Finding) -> Iterator[str]:
    taken: dict[RunKey, float] = {}
    for one in (
        history.diary
    ):  # an old message on another host's queue is taken there too, for a ticket that is gone
        if one.kind == "take":
            taken[one.run, one.fence] = min(one.at, taken.get((one.run, one.fence), one.at))
    for off, until, touches in _while_disabled(history):
        finding.checked += 1
        finding.relaxed += not off.is_sure
        since = off.replied + (0 if off.is_sure else UNSURE_SECONDS)
        for touch in touches:
            if since < taken.get((touch.run, touch.fence), touch.at) and touch.at < until:
                late = touch.at - off.replied
                yield f"run {touch.run} began {late:.2f} s after the reply to {off.kind} of account {off.account}"
                break


@rule("I3", "a running one stops within 5 s of the reply")
def disabled_stops(history: History, finding: Finding) -> Iterator[str]:
    yield from _stops(history, finding, OFF, DISABLE_SECONDS)


def _while_disabled(history: History) -> Iterator[tuple[Call, float, list[Touch]]]:
    """(the call that disabled, until when it held, the touches after it of runs of that account)."""
    ons = [one for one in history.calls if one.kind == "enable"]
    for off in (one for one in history.calls if one.kind in OFF):
        until = min(
            (on.sent for on in ons if on.account == off.account and on.replied > off.sent),
            default=float("inf"),
        )
        yield off, until, [touch for touch in _of_account(history, off.account) if touch.at > off.replied]


def _of_account(history: History, account: int) -> list[Touch]:
    return history.touches_of_account.get(account, [])


# --- I4: no report lost, none applied twice ---


@rule("I4", "every report of a host is applied, in order and without a gap")
def reports_complete(history: History, finding: Finding) -> Iterator[str]:
    for host in history.hosts:
        finding.checked += 1
        if not host.is_told:
            yield f"host {host.name}: {host.given} reports given, {host.applied} applied, {host.kept} kept"


@rule("I4", "no report is lost")
def steps_arrive(history: History, finding: Finding) -> Iterator[str]:
    """Every step that an agent wrote down is an event of its run: as a step, or as one that came late."""
    written = Counter(one.run for one in history.diary if one.kind == "step")
    for run, count in written.items():
        finding.checked += count
        events = history.events_of[run]
        there = sum(
            one.kind == "step" or (one.kind == "late" and one.detail.startswith("step ")) for one in events
        )
        if there < count:
            yield f"run {run}: {count} steps were reported, {there} arrived"


@rule("I4", "no report is applied twice")
def no_step_twice(history: History, finding: Finding) -> Iterator[str]:
    for run, events in history.events_of.items():
        steps = Counter(one.name for one in events if one.kind == "step" and one.name.startswith("touch "))
        finding.checked += len(steps)
        for name, count in steps.items():
            if count > 1:
                yield f"run {run}: the step {name} was applied {count} times"


# --- I5: a stale agent changes nothing ---


@rule("I5", "a run ends by what was done under its last fence")
def ends_under_its_fence(history: History, finding: Finding) -> Iterator[str]:
    for run in history.runs.values():
        if run.result_fence:
            finding.checked += 1
            if run.result_fence != run.fence:
                yield f"run {run.id} has fence {run.fence} and the result of fence {run.result_fence}"


@rule("I5", "the phone saw exactly what a run that succeeded says")
def phone_agrees(history: History, finding: Finding) -> Iterator[str]:
    for run in history.runs.values():
        if run.script != "touch":
            continue
        seen = len(history.touched.get((run.id, run.fence), []))
        finding.checked += 1
        if seen > run.touches or (run.outcome == "succeeded" and seen != run.touches):
            yield f"run {run.id} {run.outcome}: {run.touches} touches were asked for, the phone saw {seen}"


@rule("I5", "a run that has ended touches its phone no more")
def ended_stops(history: History, finding: Finding) -> Iterator[str]:
    for (run, _fence), touches in history.touched_at_will.items():
        seen = history.sights.get(run)
        if seen and seen.finished and touches:
            host, last = history.runs[run].host, touches[-1].at
            if finding.is_late(last, history.faults, host, seen.finished, ENDED_SECONDS):
                yield f"run {run} touched its phone {last - seen.finished:.1f} s after its end"


# --- I6: attempts are bounded ---


@rule("I6", "at most three attempts")
def attempts_bounded(history: History, finding: Finding) -> Iterator[str]:
    retried = Counter(run.retry_of for run in history.runs.values() if run.retry_of)
    for run in history.runs.values():
        finding.checked += bool(run.retry_of)
        if _chain(history, run) > MAX_ATTEMPTS or retried[run.id] > 1:
            yield f"run {run.id}: attempt {_chain(history, run)}, retried {retried[run.id]} times"


def _chain(history: History, run: RunRow) -> int:
    length = 1
    while run.retry_of and length <= MAX_ATTEMPTS:
        run, length = history.runs[run.retry_of], length + 1
    return length


# --- I8: a silent host loses its runs, a phone is never busy for nothing ---


@rule("I8", "runs of a host silent for 30 s are ended")
def silent_loses(history: History, finding: Finding) -> Iterator[str]:
    for fault in history.faults:
        if fault.kind not in LOSING_FAULTS or fault.ended - fault.begun < SILENT_SECONDS + SILENT_MARGIN:
            continue
        others = [one for one in history.faults if one is not fault]
        for run, seen in history.sights.items():
            begun, over = seen.active or float("inf"), seen.finished or float("inf")
            if history.runs[run].host != fault.target or not begun < fault.begun < over:
                continue
            if finding.is_late(over, others, fault.target, fault.begun, SILENT_SECONDS + SILENT_MARGIN):
                yield f"run {run} ended {over - fault.begun:.1f} s after host {fault.target} fell silent"


@rule("I8", "no phone is busy without a run")
def not_busy_for_nothing(history: History, finding: Finding) -> Iterator[str]:
    for run, seen in history.sights.items():
        if seen.active is None:
            continue
        touched = [touch.at for touches in history.fences_of(run) for touch in touches]
        sign = max([seen.active, *touched])
        over = seen.finished or float("inf")
        if finding.is_late(over, history.faults, history.runs[run].host, sign, BUSY_SECONDS):
            yield f"run {run} was held for {over - sign:.0f} s without a sign of it"


# --- I9: a cancel arrives ---


@rule("I9", "a cancel ends a waiting run at once")
def waiting_cancel(history: History, finding: Finding) -> Iterator[str]:
    for call in history.calls:
        if call.kind != "cancel" or call.state != "pending":
            continue
        finding.checked += 1
        touched = any(touch.at > call.replied for touches in history.fences_of(call.run) for touch in touches)
        if call.state_after == "pending" or (touched and call.state_after == "finished"):
            yield f"run {call.run} was waiting, was canceled, and was {call.state_after} afterwards"


@rule("I9", "a cancel ends a running run within 1 s")
def running_cancel(history: History, finding: Finding) -> Iterator[str]:
    yield from _stops(history, finding, ("cancel",), CANCEL_SECONDS)


def _stops(history: History, finding: Finding, kinds: tuple[str, ...], seconds: float) -> Iterator[str]:
    """Runs that were touching when somebody ended them touch no more after so many seconds."""
    for call in (one for one in history.calls if one.kind in kinds):
        for touches in _at_work(history, call):
            run = touches[0].run
            host = history.runs[run].host if run in history.runs else ""
            if finding.is_late(touches[-1].at, history.faults, host, call.replied, seconds):
                late = touches[-1].at - call.replied
                yield f"run {run} touched its phone {late:.2f} s after the reply to {call.kind}"


def _at_work(history: History, call: Call) -> list[list[Touch]]:
    """The touches of the runs that the call was to end and that had begun before its reply."""
    if call.run:
        spans = history.fences_of(call.run)
    else:
        ends: dict[RunKey, list[Touch]] = {}
        for touch in _of_account(history, call.account):
            ends.setdefault((touch.run, touch.fence), []).append(touch)
        spans = list(ends.values())
    return [touches for touches in spans if touches[0].at < call.replied < touches[-1].at + DISABLE_SECONDS]


def _name(key: RunKey) -> str:
    return f"run {key[0]} under fence {key[1]}"


def proves_nothing(history: History) -> str:
    """What is wrong with the test itself: every promise is kept where no phone is touched. Else empty."""
    ends = Counter(f"{run.outcome} {run.reason}" for run in history.runs.values())
    if history.touches and ends["errored defect"] <= len(history.runs) * DEFECTS:
        return _no_campaign_proves_anything(history)
    return f"Phones were hardly touched, so nothing is proven; the runs ended as: {ends.most_common(5)}."


def _no_campaign_proves_anything(history: History) -> str:
    dues = min((len(campaign.dues) for campaign in history.campaigns), default=0)
    touched = {history.runs[run].start for run, _fence in history.touched if run in history.runs}
    if dues < MANY_DUES or any(touched):
        return ""
    return (
        f"Campaigns were due {dues} times and no phone was touched for one, so nothing is proven about them."
    )
