"""What dispatch must know: which phones could take a run, which runs are next, and what the limits are.

Its cost grows with the phones that are asked about and with the lines, never with the runs that wait.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, OuterRef

from automation.choices import LOGIN, CampaignState
from automation.controller.planning import CampaignLimits, Limits, Reason, Slot, Waiting, because, is_open
from automation.models import Campaign, Run
from devices.choices import Connection, Health, Hold
from devices.models import Device, Host

TOGETHER = 500  #: devices asked about in one query
STAGE_SECONDS = 7.0  #: scripts that take less are staged one ahead; below the LANE_SECONDS of an agent
USED_WINDOW = timedelta(hours=24)  #: in which the use of a phone is counted


@dataclass
class Pace:
    """How long the runs of each script took of late, as this controller saw it. Unknown ones count as long."""

    seconds: dict[str, float] = field(default_factory=dict)

    def saw(self, script: str, seconds: float) -> None:
        self.seconds[script] = 0.8 * self.seconds.get(script, seconds) + 0.2 * seconds

    def short(self) -> list[str]:
        """The scripts whose next run is worth staging."""
        return [script for script, seconds in self.seconds.items() if seconds < STAGE_SECONDS]


# Phones


class InHand(NamedTuple):
    """A run that is offered or running."""

    run: int
    script: str
    started_at: datetime | None
    host: int | None


def ready_slots(pace: Pace, now: datetime, among: Collection[int] | None = None) -> list[Slot]:
    """The phones that could take a run: free ones, and those whose short run is nearly over."""
    free, in_hand, short = Device.objects.free().order_by(), _in_hand(among), set(pace.short())
    if among is not None:
        free = free.filter(pk__in=among)
    found = list[Slot]()
    for pk, host, hub, name, host_name in free.values_list("pk", "host_id", "hub", "serial", "host__name"):
        runs = in_hand.get(pk, [])
        if all(_is_ending(one, host, short, now) for one in runs):
            ending = runs[0].run if runs else 0
            found.append(Slot(pk, host, hub, ending=ending, name=name, host_name=host_name))
    return found


def _in_hand(among: Collection[int] | None) -> dict[int | None, list[InHand]]:
    """device -> its runs in hand; sorted out here, for Django takes longer to build the question to the database."""
    rows = Run.objects.active().order_by()
    if among is not None:
        rows = rows.filter(device__in=among)
    found: dict[int | None, list[InHand]] = {}
    for device, pk, script, at, host in rows.values_list(
        "device_id", "pk", "script", "started_at", "host_id"
    ):
        found.setdefault(device, []).append(InHand(pk, script, at, host))
    return found


def _is_ending(one: InHand, host: int | None, short: Collection[str], now: datetime) -> bool:
    """Whether the next may be staged behind it. Not where its phone went to another host: only on its own it waits."""
    is_late = one.started_at is None or one.started_at <= now - timedelta(seconds=STAGE_SECONDS)
    return one.script in short and not is_late and one.host == host


def all_slots(devices: Iterable[int]) -> list[Slot]:
    """These phones in any state, each with what keeps it from taking a run."""
    rows = list(Device.objects.filter(pk__in=devices).select_related("host"))
    in_hand = dict(
        Run.objects.active().filter(device__in=rows).order_by("-state").values_list("device_id", "pk")
    )
    return [_with_run(slot_of(device), in_hand.get(device.pk)) for device in rows]


def _with_run(slot: Slot, run: int | None) -> Slot:
    if run is None or slot.trouble is not None:
        return slot
    return replace(slot, trouble=because("device_busy", device=slot.name, run=run))


def slot_of(device: Device) -> Slot:
    """The device as dispatch sees it, by itself."""
    return Slot(
        device.pk, device.host_id, device.hub, trouble=device_trouble(device), name=str(device),
        host_name=str(device.host or ""),
    )  # fmt: skip


def device_trouble(device: Device) -> Reason | None:
    """What keeps the device from taking runs, the nearest first; None when nothing does."""
    host = device.host
    if host is None:
        return because("never_seen", device=device)
    return host_trouble(host) or _state_trouble(device) or _energy_trouble(device)


def host_trouble(host: Host) -> Reason | None:
    """What keeps all phones of the host from taking runs; None when nothing does."""
    if host.is_silent:
        return because("host_silent", host=host)
    return None if host.is_trusted else because("host_untrusted", host=host)


def _state_trouble(device: Device) -> Reason | None:
    if device.connection == Connection.UNKNOWN:
        return because("never_seen", device=device)
    if device.connection != Connection.ONLINE:
        return because(f"device_{device.connection}", device=device)
    if device.health != Health.GOOD:
        return because(f"device_{device.health}", device=device)
    return because("device_kept", device=device) if device.hold != Hold.NONE else None


def _energy_trouble(device: Device) -> Reason | None:
    if device.battery is not None and device.battery < settings.PHONERACK_MIN_BATTERY:
        return because("battery_low", device=device, battery=device.battery)
    if device.temperature is not None and device.temperature > settings.PHONERACK_MAX_TEMPERATURE:
        return because("too_hot", device=device, temperature=device.temperature)
    return None


# Runs


class Line(NamedTuple):
    """Runs of one campaign (None: asked by hand) and one priority that wait."""

    campaign: int | None
    priority: int
    has_anywhere: bool = False  #: whether any phone may do some of them


def lines() -> list[Line]:
    """The lines in which a run of an active campaign, or one asked by hand, waits."""
    waits = Exists(Run.objects.in_line_of(OuterRef("pk")))
    active = Campaign.objects.filter(waits, state=CampaignState.ACTIVE).order_by("pk")
    return [line for pk in [None, *active.values_list("pk", flat=True)] for line in _lines_of(pk)]


def _lines_of(campaign: int | None) -> Iterator[Line]:
    """One for each priority that waiting runs of the campaign have: two index look-ups each."""
    waiting = Run.objects.pending().filter(campaign=campaign)
    in_order = Run.objects.in_line_of(campaign).order_by("-campaign_id", "-priority")  # as the index
    highest = in_order.values_list("priority", flat=True)
    priority = highest.first()
    while priority is not None:
        anywhere = waiting.filter(device=None, priority=priority, any_device=True)
        yield Line(campaign, priority, anywhere.exists())
        priority = highest.filter(priority__lt=priority).first()


def next_runs(slots: Collection[Slot], now: datetime, among: Iterable[Line] | None = None) -> list[Waiting]:
    """The next run of every line (or of these) on each of these phones, and as many that any phone may do."""
    devices, found = [slot.device for slot in slots], list[int]()
    known = list(lines() if among is None else among) if devices else []
    for start in range(0, len(devices), TOGETHER):
        found += _heads(known, devices[start : start + TOGETHER], now)
    for line in known:
        if line.has_anywhere:
            found += _anywhere(line, now, len(devices))
    return waiting(found)


#: The next run of each of some lines on each of some devices. By hand, for building the same with Django's queries
#: takes 3 ms, and this is asked many times a second. The order names what the index has, which PostgreSQL wants to see.
HEADS = """
SELECT (
    SELECT run.id FROM automation_run run LEFT JOIN accounts_account account ON account.id = run.account_id
    WHERE run.state = 'pending' AND run.device_id = device.id AND {campaign} AND run.priority = line.column2
      AND run.not_before <= %s AND run.start_by > %s AND NOT run.cancel_requested
      AND (run.account_id IS NULL OR account.is_enabled
          AND NOT (account.password_refused AND run.script = 'login') AND NOT EXISTS (
          SELECT 1 FROM automation_run busy WHERE busy.in_hand AND busy.account_id = run.account_id))
    ORDER BY run.campaign_id, run.not_before, run.id LIMIT 1
) FROM devices_device device CROSS JOIN (VALUES {lines}) AS line WHERE device.id IN ({devices})
"""


def _heads(lines: Collection[Line], devices: list[int], now: datetime) -> list[int]:
    """One statement for the lines of campaigns, and one for what was asked by hand: no index finds both."""
    by_hand = [line for line in lines if line.campaign is None]
    of_campaigns = [line for line in lines if line.campaign is not None]
    found = _heads_where("run.campaign_id IS NULL", by_hand, devices, now) if by_hand else []
    if of_campaigns:
        found += _heads_where("run.campaign_id = line.column1", of_campaigns, devices, now)
    return found


def _heads_where(campaign: str, lines: list[Line], devices: list[int], now: datetime) -> list[int]:
    when = connection.ops.adapt_datetimefield_value(now)
    values = ", ".join(f"({int(line.campaign or 0)}, {int(line.priority)})" for line in lines)
    sql = HEADS.format(campaign=campaign, lines=values, devices=", ".join(["%s"] * len(devices)))
    with connection.cursor() as cursor:
        cursor.execute(sql, [when, when, *devices])
        return [head for (head,) in cursor.fetchall() if head is not None]


def _anywhere(line: Line, now: datetime, most: int) -> list[int]:
    wanted = Run.objects.startable(now).filter(
        device=None, any_device=True, campaign=line.campaign, priority=line.priority
    )
    return list(wanted.order_by("not_before", "id").values_list("pk", flat=True)[:most])


def waiting(runs: Iterable[int]) -> list[Waiting]:
    """These runs as dispatch sees them."""
    rows = Run.objects.filter(pk__in=list(runs)).order_by().values_list(
        "pk", "not_before", "device_id", "any_device", "account_id", "campaign_id", "priority", "fence",
        "account__is_enabled", "account__password_refused", "script",
    )  # fmt: skip
    return [
        Waiting(*row[:-3], is_enabled=row[-3] is not False, is_refused=bool(row[-2]) and row[-1] == LOGIN)
        for row in rows
    ]


# Limits


def limits(waiting: Collection[Waiting], slots: Collection[Slot], now: datetime) -> Limits:
    """What these runs and phones may have in hand at once, and what they have."""
    found = Limits()
    _add_hosts(found, {slot.host for slot in slots if slot.host is not None})
    _add_campaigns(found, {one.campaign for one in waiting if one.campaign is not None}, slots, now)
    return found


def limits_of_all(waiting: Collection[Waiting], slots: Collection[Slot], now: datetime) -> Limits:
    """The same for runs that `next_runs` did not choose for a phone: their accounts may have another in hand."""
    found = limits(waiting, slots, now)
    accounts = [one.account for one in waiting if one.account is not None]
    busy = Run.objects.active().filter(account__in=accounts).order_by()
    found.busy_accounts.update(busy.values_list("account_id", flat=True))
    return found


def _add_campaigns(found: Limits, campaigns: set[int], slots: Collection[Slot], now: datetime) -> None:
    if not campaigns:
        return
    for campaign in Campaign.objects.filter(pk__in=campaigns):
        found.campaigns[campaign.pk] = campaign_limits(campaign, now)
        found.today.update(_today(campaign, [slot.device for slot in slots], now))
    in_hand = Run.objects.active().filter(campaign__in=campaigns).values_list("campaign").order_by()
    found.campaigns_now.update(dict(in_hand.annotate(n=Count("pk"))))


def _add_hosts(found: Limits, hosts: set[int]) -> None:
    rows = Host.objects.filter(pk__in=hosts).order_by()
    for host, lanes, max_runs, max_per_hub in rows.values_list("pk", "lanes", "max_runs", "max_per_hub"):
        found.per_host[host] = lanes if max_runs is None else min(lanes, max_runs)
        if max_per_hub is not None:
            found.per_hub[host] = max_per_hub
    at_work = Run.objects.active().filter(host__in=hosts).order_by().values_list("host_id", "device__hub")
    for host_id, hub, count in at_work.annotate(n=Count("device", distinct=True)):
        found.hosts_now[host_id or 0] += count
        found.hubs_now[host_id or 0, hub or ""] += count


def campaign_limits(campaign: Campaign, now: datetime) -> CampaignLimits:
    """What the campaign may do now."""
    return CampaignLimits(_campaign_trouble(campaign, now), campaign.at_most, campaign.per_device_day)


def _campaign_trouble(campaign: Campaign, now: datetime) -> Reason | None:
    if campaign.state != CampaignState.ACTIVE:
        return because("campaign_paused", state=campaign.get_state_display())
    if is_open(campaign.active_from, campaign.active_until, campaign.time_zone, now):
        return None
    hours = {"start": campaign.active_from, "end": campaign.active_until}
    return because("outside_hours", **{name: f"{time:%H:%M}" for name, time in hours.items()})


def _today(campaign: Campaign, devices: list[int], now: datetime) -> dict[tuple[int, int], int]:
    """(campaign, device) -> runs that began in this day of the campaign's time zone."""
    if campaign.per_device_day is None:
        return {}
    midnight = now.astimezone(ZoneInfo(campaign.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    begun = Run.objects.filter(campaign=campaign, device__in=devices, started_at__gte=midnight)
    counts = begun.order_by().values_list("device").annotate(n=Count("pk"))
    return {(campaign.pk, device): count for device, count in counts}


def with_use(slots: Iterable[Slot], now: datetime) -> list[Slot]:
    """The same, each with the number of runs that it had of late."""
    known = list(slots)
    of_late = Run.objects.filter(device__in=[slot.device for slot in known], started_at__gt=now - USED_WINDOW)
    used = dict(of_late.order_by().values_list("device").annotate(n=Count("pk")))
    return [replace(slot, used=used.get(slot.device, 0)) for slot in known]
