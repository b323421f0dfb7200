"""Named questions about campaigns and runs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from automation.choices import (
    LOGIN,
    OPEN,
    STANDING,
    AttentionState,
    CampaignState,
    OccurrenceState,
    Outcome,
    RunState,
)
from devices.choices import Hold
from devices.models import Device

if TYPE_CHECKING:
    from automation.models import Attention, Campaign, Occurrence, Run  # noqa: F401 - named in the base classes below


#: What is wrong with a run in hand, for those who ask for one of these and for the sweep, which asks for all.
ON_HELD_PHONE = Q(device__hold=Hold.PERSON)
OF_DISABLED = Q(account__is_enabled=False)
WITHOUT_HOST = Q(host=None)


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def scheduled(self) -> Self:
        """Those with a schedule; the tick notes in a paused or held one what it left out."""
        on_schedule = ~Q(cron="") | Q(every_minutes__isnull=False)
        return self.filter(on_schedule).exclude(state=CampaignState.STOPPED)

    def with_work(self) -> Self:
        """Those that a tick has to look at: with a schedule, or with an occurrence that has something before it."""
        opened = self.filter(occurrences__state__in=OPEN).exclude(state=CampaignState.STOPPED)
        return self.filter(Q(pk__in=self.scheduled().values("pk")) | Q(pk__in=opened.values("pk")))


class OccurrenceQuerySet(models.QuerySet["Occurrence"]):
    def open(self) -> Self:
        """With something before it."""
        return self.filter(state__in=OPEN)

    def started(self) -> Self:
        return self.filter(state=OccurrenceState.STARTED)

    def at_work(self) -> Self:
        """Started or held: what keeps a queued one waiting."""
        return self.filter(state__in=(OccurrenceState.STARTED, OccurrenceState.HELD))

    def queued(self) -> Self:
        """The oldest first."""
        return self.filter(state=OccurrenceState.QUEUED).order_by("due_at")

    def held(self) -> Self:
        return self.filter(state=OccurrenceState.HELD)


class AttentionQuerySet(models.QuerySet["Attention"]):
    def open(self) -> Self:
        return self.filter(state=AttentionState.OPEN)

    def waiting(self, now: datetime) -> Self:
        """Open and not put off."""
        return self.open().filter(Q(snoozed_until=None) | Q(snoozed_until__lte=now))

    def put_off(self, now: datetime) -> Self:
        return self.open().filter(snoozed_until__gt=now)

    def of_run(self, run: Run) -> Self:
        """The same matter: the account's, or where there is none the script's on that phone."""
        if run.account_id is not None:
            return self.filter(account=run.account_id)
        return self.filter(account=None, device=run.device_id, run__script=run.script)


class RunQuerySet(models.QuerySet["Run"]):
    def pending(self) -> Self:
        return self.filter(state=RunState.PENDING)

    def in_line_of(self, campaign: int | models.OuterRef | None) -> Self:
        """Pending ones of the campaign; of None, those asked by hand. In the words of the index `run_lines`."""
        return self.pending().filter(campaign=campaign, fence__gte=0)

    def offered(self) -> Self:
        return self.filter(state=RunState.OFFERED)

    def running(self) -> Self:
        return self.filter(state=RunState.RUNNING)

    def active(self) -> Self:
        """Offered or running: a phone has it in hand, or may any moment."""
        return self.filter(in_hand=True)

    def on_held_phones(self) -> Self:
        """Those whose phone is kept for a person."""
        return self.filter(ON_HELD_PHONE)

    def unfinished(self) -> Self:
        return self.filter(outcome="")  # the same, and there is an index on it

    def finished(self) -> Self:
        return self.filter(state=RunState.FINISHED)

    def of_accounts_on(self, device: Device, since: datetime | None) -> Self:
        """What became of accounts on this device, the last first; runs that say nothing about it left out."""
        ended = self.finished().filter(device=device, started_at__isnull=False).exclude(account=None)
        if since is not None:
            ended = ended.filter(started_at__gt=since)
        return ended.exclude(outcome__in=(Outcome.LOST, Outcome.CANCELED, Outcome.SKIPPED)).order_by(
            "-started_at"
        )

    def startable(self, now: datetime) -> Self:
        """Pending, due, wanted, its account (where it has one) enabled, and no login with a refused password."""
        due = self.pending().filter(not_before__lte=now, start_by__gt=now, cancel_requested=False)
        return due.exclude(account__is_enabled=False).exclude(script=LOGIN, account__password_refused=True)

    def expired(self, now: datetime) -> Self:
        """What may no longer start. While a campaign stands, the time of its runs does (steering.change)."""
        late = self.pending().filter(start_by__lte=now).order_by("start_by")
        return late.exclude(campaign__state__in=STANDING)

    def of_disabled(self) -> Self:
        return self.filter(OF_DISABLED).order_by()

    def without_host(self) -> Self:
        """Active runs whose host was deleted: nobody will report them."""
        return self.active().filter(WITHOUT_HOST)
