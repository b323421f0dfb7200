"""The one place where a run changes its state: many runs at once, each by a guarded step.

    with changing(ids) as changes:          # one transaction; the rows are locked, in the order of their numbers
        changes.start(run_id, fence, seq)   # raises InvalidTransition, and then nothing of that run is changed

Every step writes its RunEvent. At the end of the block the rows go out in one conditional UPDATE each (its WHERE
names the state and fence that were read), the events in one INSERT, then what follows from an end: the account,
the quarantine of the phone, the next attempt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from automation import bulk, effects
from automation.choices import MAX_ATTEMPTS, RETRIED, RETRY_SECONDS, EventKind, Outcome, RunState
from automation.drift import Seen
from automation.models import Run, RunEvent

#: What the steps need of a run; the rest is read where a retry needs it.
NEEDED = (
    "state", "fence", "script", "account", "device", "host", "any_device", "attempt", "reason", "outcome",
    "cancel_requested", "options", "started_at", "started_seq", "requested_by", "campaign",
)  # fmt: skip
#: What an offer and its ticket need of the account.
OF_ACCOUNT = (
    "vault_id", "app", "username", "email", "password", "totp_secret", "password_refused", "is_enabled", "nickname",
    "package_name",
)  # fmt: skip
TO_OFFER = (*NEEDED, "not_before", "start_by", *(f"account__{name}" for name in OF_ACCOUNT))

#: The columns of an event, but its time.
EVENT: dict[str, Any] = {
    "run_id": 0, "kind": EventKind.STATE.value, "old": "", "new": "", "name": "", "seconds": None, "ok": True,
    "detail": "", "actor": "",
}  # fmt: skip


class InvalidTransition(Exception):
    """The run is not in a state from which this may happen."""


@contextmanager
def changing(run_ids: Iterable[int], *, to_offer: bool = False) -> Iterator[Changes]:
    """Lock these runs, let the caller change them, write the changes. All or nothing.

    `to_offer`: each comes with its account, and with the times that `Run.is_startable` looks at.
    """
    with transaction.atomic():
        changes = Changes(run_ids, to_offer)
        yield changes
        changes.write()


class Changes:
    """Runs that are locked, and what is to be written about them. Made by `changing`."""

    def __init__(self, run_ids: Iterable[int], to_offer: bool = False) -> None:
        self.now: datetime = timezone.now()  # before the reading: a password that is newer was not read
        rows = Run.objects.select_for_update(of=("self",)).filter(pk__in=list(run_ids)).order_by("pk")
        rows = rows.select_related("account").only(*TO_OFFER) if to_offer else rows.only(*NEEDED)
        self.runs: dict[int, Run] = {run.pk: run for run in rows}
        self._read = {run.pk: (run.state, run.fence) for run in self.runs.values()}
        self._changed: dict[int, dict[str, Any]] = {}  #: run -> column -> its new value
        self._events: list[dict[str, Any]] = []
        self._ended: list[Run] = []
        self._seen = Seen(self.now)

    # --- the steps ---

    def offer(self, run_id: int, fence: int, device_id: int, host_id: int) -> Run:
        """pending -> offered, under a new fence."""
        run = self._in(run_id, fence, "be offered", RunState.PENDING)
        new = {"device_id": device_id, "host_id": host_id, "offered_at": self.now, "fence": fence + 1}
        return self._move(run, RunState.OFFERED, new)

    def withdraw(self, run_id: int, fence: int, why: str) -> Run:
        """offered -> pending, for an offer that was surely not taken and whose ticket is gone.

        Where somebody wants it canceled meanwhile, it ends instead.
        """
        run = self._in(run_id, fence, "be withdrawn", RunState.OFFERED)
        if run.cancel_requested:
            return self.finish(run_id, fence, Outcome.CANCELED, reason="canceled")
        device = None if run.any_device else run.device_id
        new = {"device_id": device, "host_id": None, "offered_at": None}
        return self._move(run, RunState.PENDING, new, why)

    def start(self, run_id: int, fence: int, seq: int = 0, host_id: int | None = None) -> Run:
        """offered -> running, on report `seq` of the agent that took the ticket."""
        run = self._in(run_id, fence, "start", RunState.OFFERED, host_id=host_id)
        return self._move(run, RunState.RUNNING, {"started_at": self.now, "started_seq": seq})

    def finish(
        self,
        run_id: int,
        fence: int,
        outcome: str,
        *,
        reason: str = "",
        message: str = "",
        result: dict[str, Any] | None = None,
        actor: str = "",
        host_id: int | None = None,
        screens_hash: str = "",
    ) -> Run:
        """Any unfinished state -> finished; with a host, only what runs on it."""
        allowed = (RunState.RUNNING,) if host_id else (RunState.PENDING, RunState.OFFERED, RunState.RUNNING)
        run = self._in(run_id, fence, "end", *allowed, host_id=host_id)
        new = {
            "outcome": outcome, "reason": reason, "message": message, "result": result or {},
            "screens_hash": screens_hash,
        }  # fmt: skip
        self._ended.append(run)
        return self._move(
            run, RunState.FINISHED, {**new, "finished_at": self.now}, f"{outcome} {reason}".strip(), actor
        )

    def saw(self, seen: object) -> None:
        """Count what a run saw, as its report has it (screens/sightings.py)."""
        self._seen.add(seen)

    def ask_cancel(self, run: Run, reason: str, actor: str) -> None:
        """Note that somebody wants an offered or running run ended; once."""
        if not run.cancel_requested:
            self._set(run, {"cancel_requested": True})
            self.note(run, detail=f"cancel requested: {reason}", actor=actor)

    def note(self, run: Run, **values: Any) -> None:
        """An event that changes no state."""
        self._events.append(
            {**EVENT, **values, "run_id": run.pk, "detail": str(values.get("detail", ""))[:300]}
        )

    def note_late(self, run_id: int, detail: str) -> None:
        """Keep a report of a run that moved on as an event: it changes nothing."""
        if run_id in self.runs:
            self.note(self.runs[run_id], kind=EventKind.LATE, detail=detail)

    def on_host(self, run_id: int, fence: int, host_id: int, *states: str) -> Run:
        """The run, if that host has it running (or in one of these states) under that fence."""
        return self._in(run_id, fence, "go on", *(states or (RunState.RUNNING,)), host_id=host_id)

    def _in(self, run_id: int, fence: int, verb: str, *states: str, host_id: int | None = None) -> Run:
        run = self.runs.get(run_id)
        if run is None:
            raise InvalidTransition(f"there is no run {run_id}")
        if run.state not in states or run.fence != fence:
            raise InvalidTransition(
                f"run {run_id} is {run.state}, fence {run.fence}: cannot {verb} under {fence}"
            )
        if host_id is not None and run.host_id != host_id:
            raise InvalidTransition(f"run {run_id} is not with that host")
        return run

    def _move(self, run: Run, state: str, new: dict[str, Any], detail: str = "", actor: str = "") -> Run:
        self.note(run, old=run.state, new=state, detail=detail, actor=actor)
        self._set(run, {**new, "state": state})
        return run

    def _set(self, run: Run, new: dict[str, Any]) -> None:
        for name, value in new.items():
            setattr(run, name, value)
        self._changed.setdefault(run.pk, {}).update(new)

    # --- writing ---

    def write(self) -> None:
        """Rows, events, and what follows from the ends. Raises IntegrityError where the database forbids it."""
        self._update()
        if self._events:
            bulk.insert(RunEvent, {}, {name: [event[name] for event in self._events] for name in EVENT})
        self._seen.write()
        effects.apply_all(self._ended)
        _retry([run for run in self._ended if _is_to_be_retried(run)], self.now)

    def _update(self) -> None:
        """Ends first: the place on a phone that one leaves is taken by another in the same batch."""
        groups: dict[tuple[bool, tuple[str, ...]], list[int]] = {}
        for run_id, new in self._changed.items():
            groups.setdefault((self.runs[run_id].state != RunState.FINISHED, tuple(new)), []).append(run_id)
        for (_still_open, names), run_ids in sorted(groups.items()):
            self._update_columns(names, run_ids)

    def _update_columns(self, names: tuple[str, ...], run_ids: list[int]) -> None:
        """Raises InvalidTransition where a run is no longer as it was read."""
        read = [self._read[pk] for pk in run_ids]
        known: dict[str, list[Any]] = {
            "id": run_ids,
            "state": [state for state, _fence in read],
            "fence": [fence for _state, fence in read],
        }
        new = {name: [self._changed[pk][name] for pk in run_ids] for name in names}
        if bulk.update(Run, known, new) != len(run_ids):
            raise InvalidTransition("somebody else changed a run that was locked")


def _is_to_be_retried(run: Run) -> bool:
    passing = run.outcome in (Outcome.FAILED, Outcome.LOST, Outcome.CANCELED) and run.reason in RETRIED
    return passing and not run.cancel_requested and run.attempt < MAX_ATTEMPTS


def _retry(runs: list[Run], now: datetime) -> None:
    """The next attempts of runs that ended for a passing reason; they wait a little and look at the screen first."""
    wanted = [run for run in runs if run.account is None or run.account.is_enabled]
    again = Run.objects.bulk_create(
        Run(
            script=run.script, account=run.account, device_id=None if run.any_device else run.device_id,
            any_device=run.any_device, campaign_id=run.campaign_id, priority=run.priority, options=run.options,
            requested_by=run.requested_by, attempt=run.attempt + 1, retry_of=run, start_by=run.start_by,
            occurrence_id=run.occurrence_id, not_before=now + timedelta(seconds=RETRY_SECONDS[run.attempt - 1]),
        )
        for run in wanted
    )  # fmt: skip
    RunEvent.objects.bulk_create(
        RunEvent(run=new, new=RunState.PENDING, detail=f"retry of run {run.pk}: {run.reason}")
        for run, new in zip(wanted, again, strict=True)
    )
