"""What may be done with runs: the verbs. How a state changes, guarded and with its event: transitions.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from accounts.models import Account
from automation.choices import ACTIVE, Outcome, RunState
from automation.controller.wire import wake
from automation.models import Campaign, Evidence, Run, RunEvent
from automation.transitions import InvalidTransition, changing
from devices.models import Device

__all__ = [
    "InvalidTransition",
    "enqueue",
    "finish_run",
    "offer_runs",
    "request_cancel",
    "start_run",
    "withdraw_offer",
]

TOGETHER = 500  #: runs changed in one transaction at most
MANUAL_PRIORITY = 10  #: a person who clicked goes before a campaign


def enqueue(
    script: str,
    targets: Iterable[tuple[Account | None, Device | None]],
    *,
    requested_by: str,
    campaign: Campaign | None = None,
    priority: int = MANUAL_PRIORITY,
    start_within: timedelta | None = None,
    options: dict[str, Any] | None = None,
    any_device: bool = False,
) -> list[Run]:
    """Make one pending run per (account, device); a target with the same script still unfinished gets none.

    Disabled accounts are left out. An account without a device gets a run that ends at once, so that it is told why.
    """
    now = timezone.now()
    start_by = now + (start_within or timedelta(hours=settings.PHONERACK_START_WITHIN_HOURS))
    wanted = [pair for pair in targets if pair[0] is None or pair[0].is_enabled]
    with transaction.atomic():
        _lock_targets(wanted)  # of two requests at once the second sees the runs of the first
        waiting = set(Run.objects.unfinished().filter(script=script).values_list("account_id", "device_id"))
        runs = [
            Run(
                script=script, account=account, device=device, campaign=campaign, priority=priority,
                requested_by=requested_by, options=options or {}, not_before=now, start_by=start_by,
                any_device=any_device and device is None,
            )
            for account, device in wanted
            if (account and account.pk, device and device.pk) not in waiting
        ]  # fmt: skip
        made = Run.objects.bulk_create(runs, batch_size=500)
        events = [RunEvent(run=run, new=RunState.PENDING, actor=requested_by) for run in made]
        RunEvent.objects.bulk_create(events, batch_size=500)
        for run in made:
            if run.device_id is None and not run.any_device:
                finish_run(run, Outcome.SKIPPED, reason="no_device")
        transaction.on_commit(wake)
    return made


def _lock_targets(targets: Iterable[tuple[Account | None, Device | None]]) -> None:
    """Until the end of the transaction; in the order of their numbers, so that two requests cannot block each other."""
    pairs = list(targets)
    accounts = sorted({account.pk for account, _device in pairs if account})
    devices = sorted({device.pk for account, device in pairs if device and not account})
    for model, keys in ((Account, accounts), (Device, devices)):
        for start in range(0, len(keys), 500):
            rows = model._default_manager.filter(pk__in=keys[start : start + 500]).order_by("pk")
            list(rows.select_for_update().values_list("pk"))


@dataclass(frozen=True)
class Claim:
    """A pending run as it was read, and the device and host that it is to go to."""

    run: int
    fence: int
    device: int
    host: int


def offer_runs(claims: Iterable[Claim]) -> list[Run]:
    """pending -> offered, each under a new fence; left out is what somebody else was quicker with or may not start.

    The runs come with account, device and host.
    """
    wanted = list(claims)
    try:
        offered = _offer(wanted)
    except IntegrityError:  # a device or an account has another run in hand: find out which, one by one
        offered = [run for claim in wanted for run in _offer_alone(claim)]
    prefetch_related_objects(offered, "account", "device", "host")
    return offered


def _offer_alone(claim: Claim) -> list[Run]:
    try:
        return _offer([claim])
    except IntegrityError:
        return []


def _offer(claims: list[Claim]) -> list[Run]:
    with changing(claim.run for claim in claims) as changes:
        startable = set(
            Run.objects.startable(changes.now).filter(pk__in=changes.runs).values_list("pk", flat=True)
        )
        free = [
            claim
            for claim in claims
            if claim.run in startable and changes.runs[claim.run].fence == claim.fence
        ]
        return [changes.offer(one.run, one.fence, one.device, one.host) for one in free]


def offer_run(run: Run, host_id: int) -> Run | None:
    """The same for one run on the device it has. None when it was not possible."""
    return next(iter(offer_runs([Claim(run.pk, run.fence, run.device_id or 0, host_id)])), None)


def withdraw_offer(run: Run, reason: str) -> bool:
    """offered -> pending, for an offer that was surely not taken and whose ticket is gone. False if it moved on.

    Where somebody wants it canceled meanwhile, it ends instead.
    """
    try:
        with changing([run.pk]) as changes:
            changes.withdraw(run.pk, run.fence, reason)
    except InvalidTransition:
        return False
    return True


def start_run(run_id: int, fence: int, seq: int = 0) -> Run:
    """offered -> running, on report `seq` of the agent that took the ticket."""
    with changing([run_id]) as changes:
        return changes.start(run_id, fence, seq)


def finish_run(
    run: Run,
    outcome: str,
    *,
    reason: str = "",
    message: str = "",
    result: dict[str, Any] | None = None,
    actor: str = "",
) -> Run:
    """Any unfinished state -> finished, with all that follows: the account, and the retry where one is due."""
    with changing([run.pk]) as changes:
        return changes.finish(
            run.pk, run.fence, outcome, reason=reason, message=message, result=result, actor=actor
        )


def keep_evidence(run: Run, screenshot: bytes, dump: str, screens_hash: str) -> None:
    """Keep what the phone showed at the end of a run; the first evidence of a run stays."""
    values = {"screenshot": screenshot, "dump": dump, "screens_hash": screens_hash}
    Evidence.objects.get_or_create(run=run, defaults=values)


def note_late(run_id: int, detail: str) -> None:
    """Keep a report of a run that has ended as an event: it changes nothing."""
    with changing([run_id]) as changes:
        changes.note_late(run_id, detail)


def request_cancel(
    runs: Iterable[Run], actor: str, outcome: str = Outcome.CANCELED, reason: str = "canceled"
) -> list[Run]:
    """Ask for the end of runs: a waiting one ends at once, an active one as soon as its ticket or agent allows.

    Returns the runs that are active: their tickets are to be withdrawn (controller/cancels.py).
    """
    ids = [run.pk for run in runs]
    parts = [ids[start : start + TOGETHER] for start in range(0, len(ids), TOGETHER)]
    active = [pk for part in parts for pk in _request_cancel(part, actor, outcome, reason)]
    return list(Run.objects.filter(pk__in=active).select_related("host"))


def _request_cancel(ids: list[int], actor: str, outcome: str, reason: str) -> list[int]:
    with changing(ids) as changes:
        for run in changes.runs.values():
            if run.state == RunState.PENDING:
                changes.finish(run.pk, run.fence, outcome, reason=reason, actor=actor)
            elif run.state in ACTIVE:
                changes.ask_cancel(run, reason, actor)
        return [run.pk for run in changes.runs.values() if run.state in ACTIVE]
