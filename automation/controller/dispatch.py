"""Which run goes to which phone now: `assign` decides (pure), `offer_all` carries it out."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from automation import services
from automation.choices import Outcome
from automation.controller import tickets
from automation.controller.wire import WIRE_ERRORS
from automation.models import Run
from devices.choices import Connection, Health, Hold
from devices.models import Device

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """The next run of a free phone."""

    run: int
    device: int
    host: int
    account: int | None = None
    priority: int = 0


@dataclass
class Plan:
    """Who goes now, and why the others do not."""

    offers: list[Candidate] = field(default_factory=list)
    waiting: dict[int, str] = field(default_factory=dict)  #: run -> sentence


def assign(
    candidates: Iterable[Candidate],
    lanes: Mapping[int, int],
    in_hand: Mapping[int, int],
    busy: Iterable[int] = (),
) -> Plan:
    """Offers by priority, then age, as far as each host's free lanes reach; one run per account.

    `lanes` and `in_hand` count, per host, what it can work on at once and what it has; `busy` are the accounts with
    a run in hand.
    """
    plan, used, taken = Plan(), Counter(in_hand), set(busy)
    for one in sorted(candidates, key=lambda one: (-one.priority, one.run)):
        if one.account is not None and one.account in taken:
            plan.waiting[one.run] = "its account has another run in hand"
        elif used[one.host] >= lanes.get(one.host, 0):
            plan.waiting[one.run] = f"its host works on {used[one.host]} phones already"
        else:
            plan.offers.append(one)
            used[one.host] += 1
            taken.add(one.account)  # type: ignore[arg-type]  # None is harmless: it is never looked up
    return plan


def free_devices() -> QuerySet[Device]:
    """Devices that could start a run now: usable, not kept for a person, no run in hand."""
    busy = Run.objects.active().exclude(device=None).values("device_id")
    free: QuerySet[Device] = Device.objects.free().exclude(pk__in=busy)
    return free


def candidates(now: datetime) -> list[Candidate]:
    """The next run of each free device; one index look-up per device, however many runs wait."""
    following = Run.objects.startable(now).filter(device=OuterRef("pk")).order_by("-priority", "id")
    active = Run.objects.active().exclude(account=None).values("account_id")
    first = following.exclude(account_id__in=active).values("pk")[:1]
    runs = (
        free_devices()
        .annotate(next_run=Subquery(first))
        .exclude(next_run=None)
        .values_list("next_run", flat=True)
    )
    found = Run.objects.filter(pk__in=list(runs)).values_list(
        "pk", "device_id", "device__host_id", "account_id", "priority"
    )
    return [Candidate(*row) for row in found]


def offer_all() -> int:
    """One pass: offer what can start now; returns how many offers went out."""
    waiting = candidates(timezone.now())
    if not waiting:
        return 0
    hosts = Device.objects.values_list("host_id", "host__lanes").exclude(host=None).distinct()
    in_hand = Counter(Run.objects.active().values_list("host_id", flat=True))
    return sum(offer(one) for one in assign(waiting, dict(hosts), in_hand).offers)


def offer(candidate: Candidate) -> bool:
    """Claim the run, issue its ticket, look again, publish. False when somebody or something was in the way."""
    run = services.offer_run(Run.objects.get(pk=candidate.run), candidate.host)
    if run is None:
        return False
    try:
        tickets.issue(run)
        if not _may_still_start(run):
            tickets.withdraw(run)
            return False
        tickets.announce(run)
    except (*WIRE_ERRORS, OperationalError) as error:
        log.warning("run %s: its offer is uncertain (%s); the sweep settles it", run.pk, type(error).__name__)
        return False
    except Exception as error:  # such as a password whose key is gone: this run cannot start, others can
        log.exception("run %s cannot be offered", run.pk)
        tickets.withdraw(run)
        services.finish_run(run, Outcome.ERRORED, reason="not_offered", message=type(error).__name__)
        return False
    return True


def _may_still_start(run: Run) -> bool:
    """Between claim and ticket somebody may have disabled the account or canceled: the ticket must not outlive that."""
    fresh = Run.objects.offered().filter(pk=run.pk, fence=run.fence, cancel_requested=False)
    return bool(fresh.exclude(account__is_enabled=False).exists())


def why_waiting(run: Run) -> str:
    """One sentence for the operator: why this pending run does not start."""
    now, device = timezone.now(), run.device
    if run.account is not None and not run.account.is_enabled:
        return _("The account is disabled.")
    if run.not_before > now:
        time = f"{timezone.localtime(run.not_before):%H:%M:%S}"
        return _("It waits until %(time)s before the next attempt.") % {"time": time}
    if device is None:
        return _("It has no device.")
    return device_trouble(device) or _("It is next in line.")


def device_trouble(device: Device) -> str:
    """Why the device cannot take a run now; empty when it can."""
    host = device.host
    if host is None:
        return _("No agent has seen device %(device)s yet.") % {"device": device}
    if host.is_silent:
        return _("Host %(host)s is not heard.") % {"host": host}
    if not host.is_trusted:
        return _("Host %(host)s waits to be trusted.") % {"host": host}
    for kept_from, state in _troubles(device):
        if kept_from:
            return _("Device %(device)s is %(state)s.") % {"device": device, "state": state}
    busy = Run.objects.active().filter(device=device).first()
    if busy is None:
        return ""
    return _("Device %(device)s has run %(run)s in hand.") % {"device": device, "run": busy.pk}


def _troubles(device: Device) -> list[tuple[bool, str]]:
    """(whether it keeps the device from runs, how the operator calls it), the nearest first."""
    return [
        (device.connection != Connection.ONLINE, device.get_connection_display()),
        (device.health != Health.GOOD, device.get_health_display()),
        (device.hold != Hold.NONE, device.get_hold_display()),
    ]
