"""The only place where a run changes its state.

Each verb locks the row, or claims it by a conditional UPDATE, checks the state it starts from, and writes the
change and its RunEvent in one transaction. A wrong start raises InvalidTransition.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Account
from automation import effects
from automation.choices import MAX_ATTEMPTS, RETRIED, RETRY_SECONDS, EventKind, Outcome, RunState
from automation.controller.wire import wake
from automation.models import Campaign, Evidence, Run, RunEvent
from devices.models import Device

MANUAL_PRIORITY = 10  #: a person who clicked goes before a campaign


class InvalidTransition(Exception):
    """The run is not in a state from which this may happen."""


def enqueue(
    script: str,
    targets: Iterable[tuple[Account | None, Device | None]],
    *,
    requested_by: str,
    campaign: Campaign | None = None,
    priority: int = MANUAL_PRIORITY,
    start_within: timedelta | None = None,
    options: dict[str, Any] | None = None,
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
            )
            for account, device in wanted
            if (account and account.pk, device and device.pk) not in waiting
        ]  # fmt: skip
        made = Run.objects.bulk_create(runs, batch_size=500)
        events = [RunEvent(run=run, new=RunState.PENDING, actor=requested_by) for run in made]
        RunEvent.objects.bulk_create(events, batch_size=500)
        for run in made:
            if run.device_id is None:
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


def offer_run(run: Run, host_id: int) -> Run | None:
    """pending -> offered, under a new fence. None when somebody else was quicker or it may no longer start."""
    try:
        with transaction.atomic():
            fence, run = run.fence, _locked(run.pk)
            if run.fence != fence or not Run.objects.startable(timezone.now()).filter(pk=run.pk).exists():
                return None
            run.state, run.fence, run.host_id = RunState.OFFERED, fence + 1, host_id
            run.offered_at = timezone.now()
            run.save(update_fields=["state", "fence", "host", "offered_at"])
            _note(run, RunState.PENDING, RunState.OFFERED)
    except IntegrityError:  # the device or the account has another run in hand
        return None
    return run


def withdraw_offer(run: Run, reason: str) -> bool:
    """offered -> pending, for an offer that was surely not taken and whose ticket is gone. False if it moved on.

    Where somebody wants it canceled meanwhile, it ends instead.
    """
    with transaction.atomic():
        fence, run = run.fence, _locked(run.pk)
        if run.state != RunState.OFFERED or run.fence != fence:
            return False
        if run.cancel_requested:
            finish_run(run, Outcome.CANCELED, reason="canceled")
            return True
        run.state, run.host, run.offered_at = RunState.PENDING, None, None
        run.save(update_fields=["state", "host", "offered_at"])
        _note(run, RunState.OFFERED, RunState.PENDING, detail=reason)
    return True


def start_run(run_id: int, fence: int, seq: int = 0) -> Run:
    """offered -> running, on report `seq` of the agent that took the ticket."""
    with transaction.atomic():
        run = _locked(run_id)
        if run.state != RunState.OFFERED or run.fence != fence:
            raise InvalidTransition(
                f"run {run_id} is {run.state}, fence {run.fence}: cannot start under {fence}"
            )
        run.state, run.started_at, run.started_seq = RunState.RUNNING, timezone.now(), seq
        run.save(update_fields=["state", "started_at", "started_seq"])
        _note(run, RunState.OFFERED, RunState.RUNNING)
    return run


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
    with transaction.atomic():
        fence, run = run.fence, _locked(run.pk)
        if run.state == RunState.FINISHED or run.fence != fence:
            raise InvalidTransition(
                f"run {run.pk} is {run.state}, fence {run.fence}: cannot end under {fence}"
            )
        old, run.state = run.state, RunState.FINISHED
        run.outcome, run.reason, run.message, run.result = outcome, reason, message, result or {}
        run.finished_at = timezone.now()
        run.save(update_fields=["state", "outcome", "reason", "message", "result", "finished_at"])
        _note(run, old, RunState.FINISHED, detail=f"{outcome} {reason}".strip(), actor=actor)
        effects.apply(run)
        _retry(run)
    return run


def keep_evidence(run: Run, screenshot: bytes, dump: str, screens_hash: str) -> None:
    """Keep what the phone showed at the end of a run; the first evidence of a run stays."""
    values = {"screenshot": screenshot, "dump": dump, "screens_hash": screens_hash}
    Evidence.objects.get_or_create(run=run, defaults=values)


def note_late(run_id: int, detail: str) -> None:
    """Keep a report of a run that has ended as an event: it changes nothing."""
    if Run.objects.filter(pk=run_id).exists():
        RunEvent.objects.create(run_id=run_id, kind=EventKind.LATE, detail=detail[:300])


def request_cancel(
    runs: Iterable[Run], actor: str, outcome: str = Outcome.CANCELED, reason: str = "canceled"
) -> list[Run]:
    """Ask for the end of runs: a waiting one ends at once, an active one as soon as its ticket or agent allows.

    Returns the runs that are active: their tickets are to be withdrawn (controller/cancels.py).
    """
    active = []
    for run in runs:
        with transaction.atomic():
            run = _locked(run.pk)
            if run.state == RunState.PENDING:
                finish_run(run, outcome, reason=reason, actor=actor)
            elif run.state in (RunState.OFFERED, RunState.RUNNING) and not run.cancel_requested:
                run.cancel_requested = True
                run.save(update_fields=["cancel_requested"])
                RunEvent.objects.create(run=run, detail=f"cancel requested: {reason}", actor=actor)
            if run.state in (RunState.OFFERED, RunState.RUNNING):
                active.append(run)
    return active


def _retry(run: Run) -> Run | None:
    """The next attempt of a run that ended for a passing reason; it waits a little and looks at the screen first."""
    retriable = run.outcome in (Outcome.FAILED, Outcome.LOST, Outcome.CANCELED) and run.reason in RETRIED
    enabled = run.account is None or run.account.is_enabled
    if not retriable or not enabled or run.cancel_requested or run.attempt >= MAX_ATTEMPTS:
        return None
    wait = timedelta(seconds=RETRY_SECONDS[run.attempt - 1])
    again = Run.objects.create(
        script=run.script, account=run.account, device=run.device, campaign=run.campaign, priority=run.priority,
        options=run.options, requested_by=run.requested_by, attempt=run.attempt + 1, retry_of=run,
        not_before=timezone.now() + wait, start_by=run.start_by,
    )  # fmt: skip
    RunEvent.objects.create(run=again, new=RunState.PENDING, detail=f"retry of run {run.pk}: {run.reason}")
    return again


def _locked(run_id: int) -> Run:
    run: Run = Run.objects.select_for_update(of=("self",)).get(pk=run_id)
    return run


def _note(run: Run, old: str, new: str, detail: str = "", actor: str = "") -> None:
    RunEvent.objects.create(run=run, old=old, new=new, detail=detail[:300], actor=actor)
