"""From pending runs to offers: `assign` decides, this asks it and carries out what it says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from itertools import takewhile

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account
from automation import services
from automation.choices import LOGIN
from automation.controller import gather, tickets
from automation.controller.gather import Line, Pace, device_trouble
from automation.controller.planning import Limits, Offer, Plan, Reason, Slot, Waiting, assign
from automation.controller.wire import WIRE_ERRORS
from automation.models import Campaign, Run
from automation.services import Claim
from devices.choices import Hold
from devices.models import Device

__all__ = ["Limits", "Offer", "Plan", "Reason", "Slot", "Waiting", "assign", "device_trouble", "offer_all"]

log = logging.getLogger(__name__)

TOGETHER = 100  #: offers that go out in one transaction; the first phones need not wait for the last


def plan(
    now: datetime,
    pace: Pace | None = None,
    among: Collection[int] | None = None,
    lines: Collection[Line] | None = None,
) -> Plan:
    """What would be offered now, on these devices or on all, of these lines or of all."""
    slots = gather.ready_slots(pace or Pace(), now, among)
    waiting, limits = gather.next_runs(slots, now, lines), gather.limits
    if any(one.anywhere for one in waiting):
        slots, limits = gather.with_use(slots, now), gather.limits_of_all
    return assign(waiting, slots, limits(waiting, slots, now), now) if waiting else Plan()


def offer_all(
    pace: Pace | None = None,
    among: Collection[int] | None = None,
    lines: Collection[Line] | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> int:
    """One pass: offer what can start now, until `is_over`; returns how many offers went out."""
    offers = plan(timezone.now(), pace, among, lines).offers
    parts = (offers[start : start + TOGETHER] for start in range(0, len(offers), TOGETHER))
    return sum(_offer(part) for part in takewhile(lambda _part: not is_over(), parts))


def _offer(offers: list[Offer]) -> int:
    """Claim the runs, issue their tickets, look again, publish. Returns how many went out."""
    runs = services.offer_runs(Claim(one.run, one.fence, one.device, one.host) for one in offers)
    try:
        ready = _looked_at_again(tickets.issue(runs))
        tickets.announce(ready)
    except WIRE_ERRORS as error:
        log.warning("%s offers are uncertain (%s); the sweep settles them", len(runs), type(error).__name__)
        return 0
    return len(ready)


def _looked_at_again(runs: list[Run]) -> list[Run]:
    """Between claim and ticket somebody may have disabled the account, canceled, or taken the phone: the ticket must
    not outlive that.
    """
    fresh = Run.objects.offered().filter(pk__in=[run.pk for run in runs], cancel_requested=False)
    rows = fresh.order_by().values_list("pk", "fence", "account__is_enabled", "device__hold")
    wanted = {(pk, fence) for pk, fence, on, hold in rows if on is not False and hold != Hold.PERSON}
    for run in runs:
        if (run.pk, run.fence) not in wanted and tickets.withdraw(run):
            services.withdraw_offer(run, "disabled, canceled or its phone taken meanwhile")
    return [run for run in runs if (run.pk, run.fence) in wanted]


# Why it waits, and what a campaign would do


def explain(runs: Iterable[Run]) -> dict[int, Reason | None]:
    """Why each of these pending runs does not start; None for one that is next in line. A dozen queries in all."""
    wanted, now = gather.waiting(run.pk for run in runs), timezone.now()
    slots = gather.all_slots({one.device for one in wanted if one.device is not None})
    if any(one.anywhere for one in wanted):
        slots += [slot for slot in gather.ready_slots(Pace(), now) if slot not in slots]
    free = [slot for slot in slots if slot.trouble is None]
    others = {one.run: one for one in gather.next_runs(free, now)}
    everything = [*({**others, **{one.run: one for one in wanted}}).values()]
    found = assign(everything, slots, gather.limits_of_all(everything, slots, now), now)
    return {one.run: found.waiting.get(one.run) for one in wanted}


def why_waiting(run: Run) -> str:
    """One sentence for the operator: why this pending run does not start."""
    return str(explain([run])[run.pk] or _("It is next in line."))


def preview(campaign: Campaign, targets: Iterable[tuple[Account | None, Device | None]]) -> Plan:
    """What would start at once if the campaign were started now, and why the others would wait.

    Nothing is written. The runs are numbered from 1 in the order of the targets; `Plan.waiting` has those numbers.
    """
    now = timezone.now()
    runs = [
        Waiting(
            number, now, device.pk if device else None, account=account.pk if account else None,
            campaign=campaign.pk, priority=campaign.priority, is_enabled=account is None or account.is_enabled,
            is_refused=campaign.script == LOGIN and account is not None and account.password_refused,
        )
        for number, (account, device) in enumerate(targets, start=1)
    ]  # fmt: skip
    slots = gather.all_slots({one.device for one in runs if one.device is not None})
    limits = gather.limits_of_all(runs, slots, now)
    limits.campaigns[campaign.pk] = gather.campaign_limits(campaign, now)
    return assign(runs, slots, limits, now)
