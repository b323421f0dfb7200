"""Which run goes to which phone now, and why the others do not: a pure function, without database or clock.

Dispatch, "why does it wait" and the preview of a campaign all ask `assign`, so that they cannot disagree.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: Why a run waits: code -> sentence.
SENTENCES: dict[str, Promise | str] = {
    "account_disabled": _("The account is disabled: enable it first."),
    "password_refused": _(
        "The app refused the account's password, which has not changed since: correct it first."
    ),
    "not_due": _("It waits until %(time)s."),
    "account_busy": _("Its account has another run in hand: it waits for the end of that one."),
    "campaign_paused": _("Its campaign is %(state)s: let it go on in Campaigns."),
    "outside_hours": _("Its campaign works from %(start)s to %(end)s only."),
    "campaign_full": _("Its campaign has %(count)s runs in hand, as many as it may."),
    "campaign_day_full": _("Its campaign had %(count)s runs on this phone today, as many as it may."),
    "no_device": _("It has no device: choose one on the account's page."),
    "never_seen": _("No agent has seen device %(device)s yet: connect it to a host."),
    "host_silent": _("Host %(host)s is not heard: start its agent there (./run agent --name %(host)s)."),
    "host_untrusted": _("Host %(host)s waits to be trusted: do so in Hosts."),
    "device_offline": _("Device %(device)s is offline: check its cable, its hub and that it is on."),
    "device_unauthorized": _(
        "Device %(device)s is unauthorized: accept “Allow USB debugging” on its screen."
    ),
    "device_quarantined": _("Device %(device)s is quarantined: look at it, then say “Good” in Devices."),
    "device_maintenance": _(
        "Device %(device)s is in maintenance: say “Good” in Devices when it may work again."
    ),
    "device_retired": _("Device %(device)s is retired: choose another one, or say “Good” in Devices."),
    "device_kept": _("Device %(device)s is kept for a person: finish there, then release it in Devices."),
    "battery_low": _("Device %(device)s has %(battery)s %% of battery left: it is charged first."),
    "too_hot": _("Device %(device)s has %(temperature)s °C: it cools down first."),
    "device_busy": _("Device %(device)s has run %(run)s in hand: it waits for the end of that one."),
    "host_full": _(
        "Host %(host)s works on %(count)s phones already, as many as its lanes and its page allow."
    ),
    "hub_full": _("%(count)s phones work on hub %(hub)s already, as many as the page of its host allows."),
    "no_free_device": _("No phone is free: it goes to the first that is."),
    "behind": _("Another run goes first on device %(device)s."),
}


@dataclass(frozen=True)
class Reason:
    """Why a run waits, or why a device takes none."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(SENTENCES[self.code]) % {name: _shown(value) for name, value in self.facts.items()}


def _shown(value: object) -> object:
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value


def because(code: str, **facts: object) -> Reason:
    return Reason(code, facts)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pending run, as far as its place in the queue goes. Runs of one campaign and priority form a line."""

    run: int
    since: datetime  #: not before; the oldest goes first
    device: int | None = None
    anywhere: bool = False  #: whichever phone is used the least
    account: int | None = None
    campaign: int | None = None  #: None: somebody asked by hand
    priority: int = 0
    fence: int = 0
    is_enabled: bool = True  #: its account
    is_refused: bool = False  #: it would type a password that the app has refused already


@dataclass(frozen=True, slots=True)
class Slot:
    """A device, as far as taking a run goes."""

    device: int
    host: int | None = None
    hub: str = ""
    used: int = 0  #: runs in the last 24 hours
    ending: int = 0  #: the run in hand that is nearly over: the next one may be staged behind it
    trouble: Reason | None = None  #: why it takes nothing now
    name: str = ""
    host_name: str = ""


@dataclass(frozen=True)
class CampaignLimits:
    """What a campaign may do at most."""

    trouble: Reason | None = None  #: paused, held, outside its hours
    at_most: int | None = None
    per_device_day: int | None = None


@dataclass
class Limits:
    """What may be in hand at once, and what is. Counters are per host, (host, hub) and campaign."""

    per_host: dict[int, int] = field(default_factory=dict)
    per_hub: dict[int, int] = field(default_factory=dict)  #: host -> phones at work on each of its hubs
    campaigns: dict[int, CampaignLimits] = field(default_factory=dict)
    hosts_now: Counter[int] = field(default_factory=Counter)
    hubs_now: Counter[tuple[int, str]] = field(default_factory=Counter)
    campaigns_now: Counter[int] = field(default_factory=Counter)
    today: dict[tuple[int, int], int] = field(default_factory=dict)  #: (campaign, device) -> runs
    busy_accounts: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Offer:
    """A run and the device that it goes to."""

    run: int
    device: int
    host: int
    fence: int = 0


@dataclass
class Plan:
    """Who goes now, and why the others do not."""

    offers: list[Offer] = field(default_factory=list)
    waiting: dict[int, Reason] = field(default_factory=dict)  #: run -> why not


def assign(waiting: Iterable[Waiting], slots: Iterable[Slot], limits: Limits, now: datetime) -> Plan:
    """Give each device its next run, within the limits.

    Higher priority first; of equal ones the campaign that has the fewest runs in hand, so that a large one
    starves no small one; in a campaign the oldest. Every run that gets no device gets a reason.
    """
    return _Assignment(slots, limits, now).of(waiting)


class _Assignment:
    """One call of `assign`: what is still free, and what has been given."""

    def __init__(self, slots: Iterable[Slot], limits: Limits, now: datetime) -> None:
        self.slots = {slot.device: slot for slot in slots}
        self.limits, self.now, self.plan = limits, now, Plan()
        self.hosts, self.hubs = Counter(limits.hosts_now), Counter(limits.hubs_now)
        self.campaigns: Counter[int | None] = Counter(limits.campaigns_now)
        self.accounts, self.given = set(limits.busy_accounts), set[int]()
        self._least_used: list[Slot] | None = None

    def of(self, waiting: Iterable[Waiting]) -> Plan:
        turns = [self._turn(line) for line in _lines(waiting)]
        heapq.heapify(turns)
        while turns:
            *_order, line = heapq.heappop(turns)
            self._place(line.popleft())
            if line:
                heapq.heappush(turns, self._turn(line))
        return self.plan

    def _turn(self, line: deque[Waiting]) -> tuple[int, int, datetime, int, deque[Waiting]]:
        first = line[0]
        return -first.priority, self.campaigns[first.campaign], first.since, first.run, line

    def _place(self, one: Waiting) -> None:
        reason = self._kept_back(one)
        slot = None if reason else self._slot_for(one)
        reason = reason or self._taken(one, slot)
        if reason is None and slot is not None:
            reason = self._full(one, slot)
        if reason is not None:
            self.plan.waiting[one.run] = reason
        elif slot is not None and slot.host is not None:
            self._give(one, slot, slot.host)

    def _kept_back(self, one: Waiting) -> Reason | None:
        """Why the run would not start on any phone."""
        if not one.is_enabled:
            return because("account_disabled")
        if one.is_refused:
            return because("password_refused")
        if one.since > self.now:
            return because("not_due", time=one.since)
        campaign = self.limits.campaigns.get(one.campaign or 0)
        if campaign is not None and campaign.trouble:
            return campaign.trouble
        if campaign is not None and campaign.at_most is not None:
            count = self.campaigns[one.campaign]
            if count >= campaign.at_most:
                return because("campaign_full", count=count)
        return because("account_busy") if one.account in self.accounts else None

    def _slot_for(self, one: Waiting) -> Slot | None:
        return self._any_slot(one) if one.anywhere else self.slots.get(one.device or 0)

    def _any_slot(self, one: Waiting) -> Slot | None:
        """The least used phone that takes the run."""
        if self._least_used is None:
            self._least_used = sorted(self.slots.values(), key=lambda slot: (slot.used, slot.device))
        free = (slot for slot in self._least_used if not slot.ending)
        return next((slot for slot in free if not (self._taken(one, slot) or self._full(one, slot))), None)

    def _taken(self, one: Waiting, slot: Slot | None) -> Reason | None:
        """Why the phone takes no run now."""
        if slot is None:
            return because("no_free_device" if one.anywhere else "no_device")
        if slot.trouble or slot.host is None:
            return slot.trouble or because("never_seen", device=slot.name)
        return because("behind", device=slot.name) if slot.device in self.given else None

    def _full(self, one: Waiting, slot: Slot) -> Reason | None:
        """Why the host, the hub or the campaign takes no more on this phone."""
        campaign = self.limits.campaigns.get(one.campaign or 0)
        today = self.limits.today.get((one.campaign or 0, slot.device), 0)
        if campaign is not None and campaign.per_device_day is not None and today >= campaign.per_device_day:
            return because("campaign_day_full", count=today)
        if slot.ending:  # it takes the place of the run that is nearly over there
            limited = campaign is not None and campaign.at_most is not None
            return because("device_busy", device=slot.name, run=slot.ending) if limited else None
        if self.hosts[slot.host or 0] >= self.limits.per_host.get(slot.host or 0, 0):
            return because("host_full", host=slot.host_name, count=self.hosts[slot.host or 0])
        hub, most = (slot.host or 0, slot.hub), self.limits.per_hub.get(slot.host or 0)
        if most is not None and slot.hub and self.hubs[hub] >= most:
            return because("hub_full", hub=slot.hub, count=self.hubs[hub])
        return None

    def _give(self, one: Waiting, slot: Slot, host: int) -> None:
        self.plan.offers.append(Offer(one.run, slot.device, host, one.fence))
        self.given.add(slot.device)
        self.campaigns[one.campaign] += 1
        if one.account is not None:
            self.accounts.add(one.account)
        if not slot.ending:
            self.hosts[host] += 1
            self.hubs[host, slot.hub] += 1


def _lines(waiting: Iterable[Waiting]) -> Iterable[deque[Waiting]]:
    lines: dict[tuple[int | None, int], deque[Waiting]] = {}
    for one in sorted(waiting, key=lambda one: (one.since, one.run)):
        lines.setdefault((one.campaign, one.priority), deque()).append(one)
    return lines.values()


def is_open(start: time | None, end: time | None, zone: str, now: datetime) -> bool:
    """Whether `now` lies in the hours from `start` to `end` of that time zone; past midnight if `end` is earlier."""
    if start is None or end is None or start == end:
        return True
    local = now.astimezone(ZoneInfo(zone)).time()
    return start <= local < end if start < end else local >= start or local < end
