"""What is done and counted through the product's own code and database; called by bench/_client.py."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

import bench._scripts  # noqa: F401 - registers the script
from accounts.models import Account
from automation import campaigns, services
from automation.choices import EventKind, RunState
from automation.models import Campaign, Run, RunEvent
from bench._cost import Meter
from bench._plan import Plan
from devices.models import Device

WAIT_SECONDS = 100.0


class Slow(Exception):
    """It did not come to that in time."""


def until(is_true: Callable[[], bool], every: float = 0.1, seconds: float = WAIT_SECONDS) -> None:
    """Raises Slow."""
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            raise Slow(
                f"{Run.objects.unfinished().count()} runs unfinished, {Device.objects.usable().count()} phones"
            )
        time.sleep(every)


def prepare() -> None:
    """An empty database, whole in its one file where it is SQLite."""
    call_command("migrate", verbosity=0)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def ready(phones: int) -> None:
    """Wait until so many phones are online."""
    until(lambda: Device.objects.usable().count() >= phones)


def accounts_for(devices: Iterable[Device], each: int) -> list[Account]:
    """`each` accounts on every device, made where they are missing; in the order of the devices."""
    devices = list(devices)
    known = {account.username for account in Account.objects.all()}
    wanted = [(f"{device.serial}.{number}".lower(), device) for device in devices for number in range(each)]
    Account.objects.bulk_create(
        [Account(app="tiktok", username=name, password="bench-password", device=device)  # noqa: S106 - a stand-in
         for name, device in wanted if name not in known], batch_size=500,
    )  # fmt: skip
    found = {one.username: one for one in Account.objects.filter(device__in=devices).select_related("device")}
    return [found[name] for name, _device in wanted]


def farm(plan: dict[str, Any], pids: dict[str, int]) -> dict[str, Any]:
    """All runs of the plan in one transaction; `since` is the moment of its commit."""
    work = Plan(**plan)
    durations = work.durations()
    devices = Device.objects.filter(serial__in=durations).order_by("serial")
    targets = [(account, account.device) for account in accounts_for(devices, work.runs)]
    serials = dict(devices.values_list("pk", "serial"))
    begun = time.monotonic()
    with transaction.atomic():
        runs = services.enqueue("wait", targets, requested_by="bench")
        left = {serial: iter(seconds) for serial, seconds in durations.items()}
        for run in runs:
            run.options = {"seconds": next(left[serials[run.device_id]])}
        Run.objects.bulk_update(runs, ["options"], batch_size=500)
    since, meter = time.monotonic(), Meter(pids)
    until(lambda: not Run.objects.unfinished().exists(), every=0.25)
    return {"since": since, "enqueue": since - begun, **meter.stop()}


def campaign(count: int) -> dict[str, Any]:
    """Seconds for the runs of a campaign with `count` accounts; they stay pending."""
    devices = Device.objects.order_by("serial")
    accounts_for(devices, -(-count // devices.count()))
    Account.objects.exclude(pk__in=Account.objects.order_by("pk")[:count]).delete()
    made = Campaign.objects.create(name="bench", script="wait")
    begun = time.monotonic()
    runs = campaigns.start(made, requested_by="bench")
    return {"runs": runs, "seconds": round(time.monotonic() - begun, 3)}


def backlog(count: int) -> dict[str, Any]:
    """`count` more pending runs of several campaigns and priorities, of the accounts on all phones in turn; by no verb,
    to be quick.
    """
    devices = list(Device.objects.values_list("pk", flat=True))
    accounts: dict[int, list[int]] = {device: [] for device in devices}
    for account, device in Account.objects.order_by("pk").values_list("pk", "device_id"):
        accounts[device].append(account)

    def account_of(n: int) -> int | None:
        mine = accounts[devices[n % len(devices)]]
        return mine[n // len(devices) % len(mine)] if mine else None

    lines = [Campaign.objects.get_or_create(name=f"line {n}", script="wait")[0] for n in range(5)]
    now = timezone.now()
    Run.objects.bulk_create(
        (Run(script="wait", account_id=account_of(n), device_id=devices[n % len(devices)], campaign=lines[n % 5],
             priority=n % 2,
             requested_by="bench", options={"seconds": 0}, not_before=now, start_by=now + timedelta(hours=24))
         for n in range(count)), batch_size=1000,
    )  # fmt: skip
    return {"pending": Run.objects.pending().count()}


def throughput(pids: dict[str, int], seconds: float) -> dict[str, Any]:
    """Runs that one controller takes from pending to finished in a second, and the CPU of that."""
    return _rate_of(RunEvent.objects.filter(new=RunState.FINISHED), pids, seconds)


def lines(pids: dict[str, int], seconds: float) -> dict[str, Any]:
    """Log lines of runs written in a second."""
    return _rate_of(RunEvent.objects.filter(kind=EventKind.STEP), pids, seconds)


def _rate_of(events: QuerySet[RunEvent], pids: dict[str, int], seconds: float) -> dict[str, Any]:
    """The rate of these among all events: the newest number of all costs next to nothing to ask for."""
    found = _rate(lambda: RunEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0, pids, seconds)
    wanted = events.filter(pk__gt=found["first"], pk__lte=found["last"]).count()
    share = wanted / found["count"]
    cpu = {name: round(one / share, 3) for name, one in found["cpu_ms"].items()}
    return {**found, "count": wanted, "per_second": round(found["per_second"] * share, 1), "cpu_ms": cpu}


def _rate(count: Callable[[], int], pids: dict[str, int], seconds: float) -> dict[str, Any]:
    """Growth per second of a count that grows in jumps, from the first jump to the last one within `seconds`."""
    jumps = [_next_jump(count, count(), WAIT_SECONDS)]
    meter, end = Meter(pids), time.monotonic() + seconds
    while jumps[-1] and (left := end - time.monotonic()) > 0:
        jumps.append(_next_jump(count, jumps[-1][1], left))
    seen = [jump for jump in jumps if jump]
    if len(seen) < 2:
        raise Slow(f"nothing moved within {seconds} s")
    (begun, first), (ended, last) = seen[0], seen[-1]
    used = meter.stop()
    return {
        "first": first, "last": last, "count": last - first, "per_second": round((last - first) / (ended - begun), 1),
        "cpu_ms": {name: round(one * 1000 / (last - first), 3) for name, one in used["cpu"].items()},
        "others": used["others"],
    }  # fmt: skip


def _next_jump(count: Callable[[], int], before: int, seconds: float) -> tuple[float, int] | None:
    """When the count is seen to grow, and to what; None when it does not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        now = count()
        if now > before:
            return time.monotonic(), now
        time.sleep(0.05)
    return None


def idle(pids: dict[str, int], seconds: float) -> dict[str, Any]:
    """Share of a core that each process takes while nothing is to be done."""
    meter = Meter(pids)
    time.sleep(seconds)
    used = meter.stop()
    shares = {name: round(one / used["seconds"], 4) for name, one in used["cpu"].items()}
    return {"shares": shares, "total": round(sum(shares.values()), 4), "others": used["others"]}


MEASURES = {one.__name__: one for one in (prepare, ready, farm, campaign, backlog, throughput, lines, idle)}
