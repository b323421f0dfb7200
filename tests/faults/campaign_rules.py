"""What campaigns promise (docs/campaigns.md), whatever becomes of beats, ticks and the worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.faults.history import CampaignRow, History, Start
from tests.faults.paths import CENTER
from tests.faults.rules import Finding, rule

START_SECONDS = 30.0  #: from when a campaign is due until it is noted: a tick comes every 15 s
CLOSED = ("over", "skipped", "stopped")  #: states of a start that has nothing before it


@rule("C", "a campaign is started once for each time it is due")
def started_once(history: History, finding: Finding) -> Iterator[str]:
    for campaign, due, rows in _dues(history):
        finding.checked += bool(rows)
        if len(rows) > 1:
            yield f"campaign {campaign.id} has {len(rows)} starts for {due:.0f} s: {[one.id for one in rows]}"


@rule("C", "what was due and not started is noted")
def none_missed(history: History, finding: Finding) -> Iterator[str]:
    """But what nobody had looked at before a pause: at its end that is nobody's."""
    for campaign, due, rows in _dues(history):
        finding.checked += 1
        finding.relaxed += not rows
        if not rows and not _is_nobodys(campaign, due):
            yield f"campaign {campaign.id} was due at {due:.0f} s, and nothing came of it"


@rule("C", "what is due is started or left out within 30 s")
def started_in_time(history: History, finding: Finding) -> Iterator[str]:
    for campaign, due, rows in _dues(history):
        for row in rows:
            seen = float("inf") if row.seen is None else row.seen
            if finding.is_late(seen, history.faults, CENTER, due, START_SECONDS):
                yield f"campaign {campaign.id} was due at {due:.0f} s and started {seen - due:.1f} s later"


@rule("C", "a start makes one run for each of its accounts at most")
def one_run_each(history: History, finding: Finding) -> Iterator[str]:
    targets = {campaign.id: campaign.targets for campaign in history.campaigns}
    for start in history.starts:
        runs = [run for run in history.runs_of_start[start.id] if not run.retry_of]
        accounts = Counter(run.account for run in runs if run.account)
        finding.checked += len(runs)
        if len(runs) > targets[start.campaign] or any(count > 1 for count in accounts.values()):
            yield f"start {start.id} made {len(runs)} runs, for one account {max(accounts.values(), default=0)}"


@rule("C", "a start is over when each of its runs has ended once")
def starts_end(history: History, finding: Finding) -> Iterator[str]:
    for start in history.starts:
        finding.checked += 1
        runs = history.runs_of_start[start.id]
        if start.state not in CLOSED or (start.state == "skipped" and runs):
            yield f"start {start.id} is {start.state} after the quiet period, with {len(runs)} runs"
        for run in runs:
            if sum(event.new == "finished" for event in history.transitions(run.id)) != 1:
                yield f"start {start.id} is {start.state}, and its run {run.id} has not ended once"


def _dues(history: History) -> Iterator[tuple[CampaignRow, float, list[Start]]]:
    for campaign in history.campaigns:
        for due in campaign.dues:
            yield campaign, due, history.starts_for(campaign, due)


def _is_nobodys(campaign: CampaignRow, due: float) -> bool:
    return any(
        due <= end and not any(due <= look < begun for look in campaign.looks)
        for begun, end in campaign.pauses
    )
