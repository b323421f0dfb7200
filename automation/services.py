"""What may be done with runs: the verbs. How a state changes, guarded and with its event: transitions.py."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account
from automation import bulk
from automation.choices import ACTIVE, LOGIN, CampaignState, Outcome, RunState
from automation.controller.wire import wake
from automation.locks import lock
from automation.models import Campaign, Evidence, Occurrence, Run, RunEvent
from automation.transitions import InvalidTransition, changing
from devices.models import Device, Host

__all__ = [
    "InvalidTransition",
    "enqueue",
    "enqueue_again",
    "finish_run",
    "offer_runs",
    "request_cancel",
    "withdraw_offer",
]

TOGETHER = 500  #: runs changed in one transaction at most
MANUAL_PRIORITY = 10  #: a person who clicked goes before a campaign
FEW = 200  #: targets whose unfinished runs are looked up by their own numbers

Target = tuple[Account | None, Device | None]


def enqueue(
    script: str,
    targets: Iterable[Target],
    *,
    requested_by: str,
    campaign: Campaign | None = None,
    priority: int = MANUAL_PRIORITY,
    start_within: timedelta | None = None,
    options: dict[str, Any] | None = None,
    occurrence: Occurrence | None = None,
    spread: timedelta = timedelta(),
    any_device: bool = False,
    repeat: bool = False,
    limit: int | None = None,
) -> Sequence[Run]:
    """Make one pending run per (account, device), at most `limit`, their starts spread evenly in the order given. The
    runs come without these: each `run.account` is a query.

    A target with the same script still unfinished gets none, unless `repeat`. Left out are accounts that are disabled
    or deleted and devices without an account that are deleted, also since the targets were read. An account without
    a device gets a run that ends at once, so that it is told why; with `any_device` it waits for the phone that is
    used the least. A login whose password the app has refused ends at once too, until that changes.
    """
    now = timezone.now()
    within = start_within or timedelta(hours=settings.PHONERACK_START_WITHIN_HOURS)
    enabled = [pair for pair in targets if pair[0] is None or pair[0].is_enabled]
    with transaction.atomic():
        there = lock(*_locked_keys(enabled))  # of two requests at once the second sees the runs of the first
        wanted = [pair for pair in enabled if _is_there(pair, *there)]
        waiting = set() if repeat else _unfinished(script, wanted)
        chosen = [pair for pair in wanted if keys(pair) not in waiting][:limit]
        shared = {
            "script": script, "campaign": campaign, "occurrence": occurrence, "priority": priority,
            "requested_by": requested_by, "options": options or {},
        }  # fmt: skip
        columns = _columns(script, chosen, now, spread, within, any_device)
        runs = bulk.insert(Run, shared, columns) if chosen else bulk.Inserted[Run]()
        _note_made(runs.numbers, columns["reason"], requested_by)
        transaction.on_commit(wake)
    return runs


def enqueue_again(wanted: Iterable[tuple[Run, Target]], *, requested_by: str) -> list[Run]:
    """These runs once more, each for its target; by itself where its campaign is not active: it would wait for that."""
    groups: dict[tuple[str, Campaign | None, str], dict[Target, None]] = {}
    for run, target in wanted:
        campaign = run.campaign if run.campaign and run.campaign.state == CampaignState.ACTIVE else None
        options = json.dumps(run.options, sort_keys=True)
        groups.setdefault((run.script, campaign, options), {})[target] = None
    everybody, made = [target for same in groups.values() for target in same], list[Run]()
    with transaction.atomic():
        lock(*_locked_keys(everybody))  # group by group they would be locked in any order
        for (script, campaign, text), same in groups.items():
            options = json.loads(text)
            made += enqueue(script, same, requested_by=requested_by, campaign=campaign, options=options)
    return made


def _ended_at_once(script: str, account: Account | None, device: Device | None, any_device: bool) -> str:
    """Why a run is over as soon as it is made; empty for one that waits for its turn."""
    if script == LOGIN and account is not None and account.password_refused:
        return "password_refused"
    return "no_device" if device is None and not any_device else ""


def _columns(
    script: str, targets: list[Target], now: datetime, spread: timedelta, within: timedelta, any_device: bool
) -> dict[str, list[Any]]:
    """What differs from run to run. Some have ended already."""
    homeless = [device is None for _account, device in targets]
    reasons = [_ended_at_once(script, *target, any_device) for target in targets]
    ended = [bool(reason) for reason in reasons]
    starts = [now + spread * number / len(targets) for number in range(len(targets))]
    return {
        "account_id": [keys(target)[0] for target in targets],
        "device_id": [keys(target)[1] for target in targets],
        "any_device": [one and any_device for one in homeless],
        "not_before": starts,
        "start_by": [start + within for start in starts],
        "state": [RunState.FINISHED if one else RunState.PENDING for one in ended],
        "outcome": [Outcome.SKIPPED if one else "" for one in ended],
        "reason": reasons,
        "finished_at": [now if one else None for one in ended],
    }


def _note_made(runs: Sequence[int], reasons: Sequence[str], actor: str) -> None:
    """The first event of each; a second where there is a reason why it is over already."""
    ended = [(run, f"skipped {reason}") for run, reason in zip(runs, reasons, strict=True) if reason]
    if runs:
        bulk.insert(RunEvent, {"new": RunState.PENDING, "actor": actor}, {"run_id": runs})
    if ended:
        shared = {"old": RunState.PENDING, "new": RunState.FINISHED}
        numbers, details = zip(*ended, strict=True)
        bulk.insert(RunEvent, shared, {"run_id": numbers, "detail": details})


def keys(target: Target) -> tuple[int | None, int | None]:
    """(account, device) by their numbers."""
    account, device = target
    return account.pk if account else None, device.pk if device else None


def _unfinished(script: str, targets: list[Target]) -> set[tuple[int | None, int | None]]:
    """(account, device) of the script's unfinished runs; for few targets only of theirs, however many others wait."""
    found = Run.objects.unfinished().filter(script=script)
    if len(targets) <= FEW:
        accounts, devices = _locked_keys(targets)
        found = found.filter(Q(account__in=accounts) | Q(account=None, device__in=devices))
    return set(found.values_list("account_id", "device_id"))


def _is_there(target: Target, accounts: set[int], devices: set[int]) -> bool:
    """Whether it is still among those; an account is not asked for its device, which may be any."""
    account, device = keys(target)
    return account in accounts if account else device is None or device in devices


def _locked_keys(targets: list[Target]) -> tuple[list[int], list[int]]:
    """The accounts, and the devices that are targets by themselves."""
    accounts = sorted({account.pk for account, _device in targets if account})
    devices = sorted({device.pk for account, device in targets if device and not account})
    return accounts, devices


@dataclass(frozen=True)
class Claim:
    """A pending run as it was read, and the device and host that it is to go to."""

    run: int
    fence: int
    device: int
    host: int


def offer_runs(claims: Iterable[Claim]) -> list[Run]:
    """pending -> offered, each under a new fence; left out is what somebody else was quicker with or may not start.

    The runs come with their account, and with what an offer says of device and host.
    """
    wanted = list(claims)
    try:
        offered = _offer(wanted)
    except IntegrityError:  # a device or an account has another run in hand: find out which, one by one
        offered = [run for claim in wanted for run in _offer_alone(claim)]
    _add_places(offered)
    return offered


def _add_places(runs: list[Run]) -> None:
    """Device and host, as far as a ticket and a message say it: whole rows of 64 phones take 2 ms."""
    devices = Device.objects.order_by().only("serial").in_bulk({run.device_id for run in runs})
    hosts = Host.objects.order_by().only("name", "public_key").in_bulk({run.host_id for run in runs})
    for run in runs:
        run.device, run.host = devices.get(run.device_id), hosts.get(run.host_id)


def _offer_alone(claim: Claim) -> list[Run]:
    try:
        return _offer([claim])
    except IntegrityError:
        return []


def _offer(claims: list[Claim]) -> list[Run]:
    with changing((claim.run for claim in claims), to_offer=True) as changes:
        startable = {run.pk: run.fence for run in changes.runs.values() if run.is_startable(changes.now)}
        free = [claim for claim in claims if startable.get(claim.run) == claim.fence]
        return [changes.offer(one.run, one.fence, one.device, one.host) for one in free]


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


def keep_evidence(
    run: Run, screenshot: bytes, dump: str, screens_hash: str = "", app_version: str = ""
) -> None:
    """Keep what the phone showed at the end of a run; the first evidence of a run stays."""
    values = {
        "screenshot": screenshot, "dump": dump, "screens_hash": screens_hash[:64],
        "app_version": app_version[:64], "size": len(screenshot) + len(dump.encode()),
    }  # fmt: skip
    Evidence.objects.get_or_create(run=run, defaults=values)


def request_cancel(
    runs: Iterable[Run], actor: str, outcome: str = Outcome.CANCELED, reason: str = "canceled"
) -> list[Run]:
    """Ask for the end of runs: a waiting one ends at once, an active one as soon as its ticket or agent allows.

    Returns the runs that are active: their tickets are to be withdrawn (controller/cancels.py).
    """
    ids = [run.pk for run in runs]
    parts = [ids[start : start + TOGETHER] for start in range(0, len(ids), TOGETHER)]
    active = [pk for part in parts for pk in _request_cancel(part, actor, outcome, reason)]
    return list(Run.objects.filter(pk__in=active).select_related("host")) if active else []


def _request_cancel(ids: list[int], actor: str, outcome: str, reason: str) -> list[int]:
    with changing(ids) as changes:
        for run in changes.runs.values():
            if run.state == RunState.PENDING:
                changes.finish(run.pk, run.fence, outcome, reason=reason, actor=actor)
            elif run.state in ACTIVE:
                changes.ask_cancel(run, reason, actor)
        return [run.pk for run in changes.runs.values() if run.state in ACTIVE]
