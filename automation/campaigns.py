"""Campaigns: from "login for all accounts with this tag, every night" to pending runs.

A start of a campaign is an Occurrence. The tick inserts it under a unique constraint, with the campaign's row locked,
so that two beats, a double tick or a late one start nothing twice. Its runs are made in one stage, or, where the
campaign tries itself on a few first, in three; each stage by a tick that found the one before ended well.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from automation import steering
from automation.choices import CampaignState, MissedPolicy, OccurrenceState, Outcome, OverlapPolicy
from automation.models import Campaign, Occurrence, Run
from automation.schedule import Schedule
from automation.services import InvalidTransition, Target, enqueue
from automation.targets import (
    UnknownScript,
    accounts_of,
    devices_of,
    for_accounts,
    for_devices,
    needs_account,
    targets_of,
)
from devices.models import Device

__all__ = [
    "accounts_of",
    "devices_of",
    "for_accounts",
    "for_devices",
    "go_on",
    "next_due",
    "next_starts",
    "start",
    "tick",
]

log = logging.getLogger(__name__)

MISSED_AFTER = timedelta(hours=1)  #: a start that is seen later than that was missed
MOST_STARTS = 100  #: missed starts that are made up for, and starts that may be queued
TRIAL = (1, 3)  #: runs of the first stages of a campaign that is tried on a few first
LAST_STAGE = len(TRIAL) + 1  #: all the rest
#: By so much earlier than others the runs of a campaign give up: the next day's start finds them over.
SPARE = timedelta(minutes=1)
WELL, NEUTRAL = (
    Outcome.SUCCEEDED,
    (Outcome.SKIPPED, Outcome.CANCELED),
)  #: of a run of a trial; all others are bad


# By hand


def start(campaign: Campaign, requested_by: str) -> int:
    """Start the campaign now; returns how many runs were made. Its occurrence says what else came of it, such as
    queued.
    """
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        if campaign.state != CampaignState.ACTIVE:
            raise InvalidTransition(f"campaign {campaign} is {campaign.state}: it cannot start")
        return _follow(campaign) + _begin(campaign, timezone.now(), requested_by)


def go_on(campaign: Campaign, actor: str) -> int:
    """Held -> active: a person has looked and wants the next stage; returns how many runs it has."""
    with transaction.atomic():
        steering.change(campaign, (CampaignState.HELD,), CampaignState.ACTIVE, actor)
        Campaign.objects.filter(pk=campaign.pk).update(checked_at=timezone.now())
        held = list(campaign.occurrences.held())
        return sum(_make_stage(one, one.stage + 1) for one in held)


# By schedule


def tick(now: datetime | None = None) -> int:
    """Start what became due since the last tick and carry on what was started; returns how many runs were made."""
    now = now or timezone.now()
    return sum(_tick_or_say(campaign, now) for campaign in Campaign.objects.with_work())


def _tick_or_say(campaign: Campaign, now: datetime) -> int:
    try:
        return _tick_one(campaign.pk, now)
    except UnknownScript as error:
        log.warning("%s: see ./run doctor", error)
        return 0
    except Exception:  # such as a time zone that is gone: the other campaigns must start
        log.exception("campaign %s could not be started", campaign)
        return 0


def _tick_one(pk: int, now: datetime) -> int:
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(no_key=True).filter(pk=pk).first()
        if campaign is None or campaign.state == CampaignState.STOPPED:
            return 0
        made = _follow(campaign) + _start_due(campaign, now)
        checked = max(now, campaign.checked_at or now)
        Campaign.objects.filter(pk=pk).update(checked_at=checked)
    return made


def _start_due(campaign: Campaign, now: datetime) -> int:
    due = schedule_of(campaign).between(campaign.checked_at or now, now)
    if campaign.state != CampaignState.ACTIVE:
        _leave_out(campaign, due, campaign.state)
        return 0
    missed, wanted = sort_out(due, campaign.missed, now)
    _leave_out(campaign, missed, "missed")
    by = f"schedule of {campaign.name}"
    return sum(_begin(campaign, at, by) for at in wanted)


def sort_out(due: list[datetime], missed: str, now: datetime) -> tuple[list[datetime], list[datetime]]:
    """(those to leave out, those to start) of the starts that became due since the last tick, oldest first."""
    most = MOST_STARTS if missed == MissedPolicy.ALL else 1
    left_out, wanted = due[:-most], due[-most:]
    if missed == MissedPolicy.SKIP and wanted and wanted[-1] < now - MISSED_AFTER:
        return due, []
    return left_out, wanted


def _leave_out(campaign: Campaign, due: list[datetime], reason: str) -> None:
    """Keep as one row that these were not started, so that a long standstill leaves one line."""
    if not due:
        return
    log.log(
        logging.WARNING if reason == "missed" else logging.INFO,
        "campaign %s: %d starts from %s to %s left out: %s",
        campaign,
        len(due),
        due[0],
        due[-1],
        reason,
    )
    Occurrence.objects.get_or_create(
        campaign=campaign,
        due_at=due[-1],
        defaults={
            "state": OccurrenceState.SKIPPED, "reason": reason, "starts": len(due), "ended_at": timezone.now(),
        },
    )  # fmt: skip


def schedule_of(campaign: Campaign) -> Schedule:
    return Schedule(campaign.cron, campaign.every_minutes, campaign.time_zone)


def next_due(campaign: Campaign, now: datetime | None = None) -> datetime | None:
    """When the schedule starts it next."""
    return next(iter(next_starts(campaign, 1, now)), None)


def next_starts(campaign: Campaign, count: int = 1, now: datetime | None = None) -> list[datetime]:
    """When its schedule starts it next; nothing for one that is not active or started by hand."""
    if campaign.state != CampaignState.ACTIVE:
        return []
    coming = schedule_of(campaign).after(now or timezone.now())
    return [at for at, _number in zip(coming, range(count), strict=False)]


# One occurrence


def _begin(campaign: Campaign, due_at: datetime, requested_by: str) -> int:
    """Make the occurrence and, if nothing is in its way, its first runs; none if it exists: another tick made it."""
    state, reason = _entry(campaign)
    occurrence, is_new = Occurrence.objects.get_or_create(
        campaign=campaign,
        due_at=due_at,
        defaults={"state": state, "reason": reason, "requested_by": requested_by[:80]},
    )
    return _make_first(occurrence) if is_new and state == OccurrenceState.STARTED else 0


def _entry(campaign: Campaign) -> tuple[str, str]:
    """(state, reason) of a new occurrence, as far as the ones before it leave room."""
    before = campaign.occurrences.open()
    if campaign.overlap == OverlapPolicy.ALLOW or not before.exists():
        return OccurrenceState.STARTED, ""
    if campaign.overlap == OverlapPolicy.SKIP:
        return OccurrenceState.SKIPPED, "not_over"
    if before.queued().count() >= MOST_STARTS:
        return OccurrenceState.SKIPPED, "queue_full"
    return OccurrenceState.QUEUED, "not_over"


def _follow(campaign: Campaign) -> int:
    """Carry on its occurrences: the next stage, the end, or the one that was queued."""
    if campaign.state != CampaignState.ACTIVE:
        return 0
    made = sum(_follow_one(one) for one in campaign.occurrences.started())
    first = None if campaign.occurrences.at_work().exists() else campaign.occurrences.queued().first()
    return made + _make_first(first) if first else made


def _follow_one(occurrence: Occurrence) -> int:
    if occurrence.campaign.state != CampaignState.ACTIVE or occurrence.runs.unfinished().exists():
        return 0
    if occurrence.stage >= LAST_STAGE:
        _close(occurrence)
        return 0
    verdict = judge(occurrence)
    if verdict is False:
        log.warning("campaign %s is held: a run of its trial did not succeed", occurrence.campaign)
        steering.hold(occurrence, "trial_went_wrong")
        return 0
    return _make_stage(occurrence, occurrence.stage + 1 if verdict else occurrence.stage)


def judge(occurrence: Occurrence) -> bool | None:
    """Whether the stage that is over went well: all last attempts that say something succeeded. None: none did."""
    last = last_attempts(occurrence).filter(pk__gt=occurrence.judged_run)
    outcomes = set(last.values_list("outcome", flat=True)) - set(NEUTRAL)
    return outcomes == {WELL} if outcomes else None


def last_attempts(occurrence: Occurrence) -> QuerySet[Run]:
    """Its runs, of those that were tried again the last attempt only."""
    found: QuerySet[Run] = occurrence.runs.filter(retry=None)
    return found


def _make_first(occurrence: Occurrence) -> int:
    return _make_stage(occurrence, 1 if occurrence.campaign.canary else LAST_STAGE)


def _make_stage(occurrence: Occurrence, stage: int) -> int:
    """Make the runs of a stage; where there is nobody left to try it on, those of the last stage. How many it made."""
    campaign, targets = occurrence.campaign, _left(occurrence)
    if stage < LAST_STAGE:
        tried = _fit_first([target for target in targets if target[1]])
        stage, targets = (stage, tried) if tried else (LAST_STAGE, targets)
    is_last = stage == LAST_STAGE
    occurrence.state, occurrence.reason, occurrence.stage = OccurrenceState.STARTED, "", stage
    occurrence.judged_run = occurrence.runs.aggregate(last=Max("pk"))["last"] or 0
    occurrence.save(update_fields=["state", "reason", "stage", "judged_run"])
    made = enqueue(
        campaign.script,
        targets,
        requested_by=occurrence.requested_by,
        start_within=timedelta(hours=settings.PHONERACK_START_WITHIN_HOURS) - SPARE,
        campaign=campaign,
        occurrence=occurrence,
        priority=campaign.priority,
        options=campaign.options,
        limit=None if is_last else TRIAL[stage - 1],
        spread=timedelta(minutes=campaign.spread_minutes or 0 if is_last else 0),
        repeat=campaign.overlap == OverlapPolicy.ALLOW,
    )
    return len(made)


def _left(occurrence: Occurrence) -> list[Target]:
    """The campaign's targets that have no run in this occurrence yet."""
    targets = targets_of(occurrence.campaign)
    if needs_account(occurrence.campaign):
        accounts = set(occurrence.runs.values_list("account_id", flat=True))
        return [target for target in targets if target[0] and target[0].pk not in accounts]
    devices = set(occurrence.runs.values_list("device_id", flat=True))
    return [target for target in targets if target[1] and target[1].pk not in devices]


def _fit_first(targets: list[Target]) -> list[Target]:
    """Those whose phone can work now first: a trial on a phone that is away would say nothing for long."""
    fit = set(Device.objects.free().values_list("pk", flat=True))
    return sorted(targets, key=lambda target: target[1] is None or target[1].pk not in fit)


def _close(occurrence: Occurrence) -> None:
    occurrence.state, occurrence.ended_at = OccurrenceState.OVER, timezone.now()
    occurrence.save(update_fields=["state", "ended_at"])
