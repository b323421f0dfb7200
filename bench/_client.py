"""What the measurements ask of Phonerack's own code, each in a process of its own as the web's is.

python -m bench._client MEASURE OPTIONS     prints one line of JSON
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.core.management import call_command
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

import bench._scripts  # noqa: F401 - registers the script
from accounts.models import Account
from automation import campaigns, services
from automation.models import Campaign, Run
from bench._cost import Meter
from bench._plan import Plan
from devices.models import Device, Host

WAIT_SECONDS = 100.0


class Slow(Exception):
    """It did not come to that in time."""


def until(is_true: Callable[[], bool], every: float = 0.1, seconds: float = WAIT_SECONDS) -> None:
    """Raises Slow."""
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            raise Slow(f"{Run.objects.unfinished().count()} runs unfinished, {Device.objects.usable().count()} phones")
        time.sleep(every)


def prepare() -> None:
    """An empty database."""
    call_command("migrate", verbosity=0)


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
    begun = time.monotonic()
    with transaction.atomic():
        runs = services.enqueue("wait", targets, requested_by="bench")
        left = {serial: iter(seconds) for serial, seconds in durations.items()}
        for run in runs:
            run.options = {"seconds": next(left[run.device.serial])}
        Run.objects.bulk_update(runs, ["options"], batch_size=500)
    since, meter = time.monotonic(), Meter(pids)
    until(lambda: not Run.objects.unfinished().exists(), every=0.25)
    outcomes = Run.objects.filter(pk__in=[run.pk for run in runs[:1]]).values_list("outcome", flat=True)
    return {"since": since, "enqueue": since - begun, "outcome": list(outcomes)[0], **meter.stop()}


def campaign(count: int) -> dict[str, Any]:
    """Seconds for the runs of a campaign with `count` accounts; they stay pending."""
    devices = Device.objects.order_by("serial")
    accounts_for(devices, -(-count // devices.count()))
    Account.objects.exclude(pk__in=Account.objects.order_by("pk")[:count]).delete()
    made = Campaign.objects.create(name="bench", script="wait")
    begun = time.monotonic()
    runs = campaigns.start(made, requested_by="bench")
    return {"runs": len(runs), "seconds": round(time.monotonic() - begun, 3)}


def backlog(count: int) -> dict[str, Any]:
    """`count` more pending runs, of several campaigns and priorities, spread over all phones; by no verb, to be quick."""
    devices = list(Device.objects.values_list("pk", flat=True))
    lines = [Campaign.objects.get_or_create(name=f"line {n}", script="wait")[0] for n in range(5)]
    now = timezone.now()
    Run.objects.bulk_create(
        (Run(script="wait", device_id=devices[n % len(devices)], campaign=lines[n % 5], priority=n % 2,
             requested_by="bench", options={"seconds": 0}, not_before=now, start_by=now + timedelta(hours=24))
         for n in range(count)), batch_size=1000,
    )  # fmt: skip
    return {"pending": Run.objects.pending().count()}


def throughput(pids: dict[str, int], seconds: float) -> dict[str, Any]:
    """Runs that one controller takes from pending to finished in a second, and the CPU of that."""
    return _rate(lambda: Run.objects.finished().count(), pids, seconds)


def lines(pids: dict[str, int], seconds: float) -> dict[str, Any]:
    """Reports applied in a second."""
    return _rate(lambda: Host.objects.aggregate(sum=Sum("applied_seq"))["sum"] or 0, pids, seconds)


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
        "count": last - first, "per_second": round((last - first) / (ended - begun), 1),
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


def main() -> None:
    from bench import _latency

    measures: dict[str, Callable[..., Any]] = {**MEASURES, **_latency.MEASURES}
    measure, given = measures[sys.argv[1]], json.loads(sys.argv[2])
    wanted = measure.__code__.co_varnames[: measure.__code__.co_argcount]
    answer = measure(**{name: given[name] for name in wanted})
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
