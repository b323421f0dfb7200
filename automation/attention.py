"""Runs that need a person: how they come into the list, and how a later run makes them void.

open -> solved (the same script again), given up, or passed; put off and back
What a person does with them: solving.py.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from accounts.choices import Attention as Reason
from automation.choices import LOGIN, AttentionState, Outcome
from automation.models import Attention, Evidence, Run
from automation.screens.structure import structure

#: Reasons of runs that stopped at a screen which somebody may describe.
OF_THE_SCREEN = frozenset({Reason.UNKNOWN_SCREEN, Reason.NO_PROGRESS, Reason.UNREADABLE_SCREEN})


def open_for(run: Run) -> None:
    """Put a run that has ended into the list; what the same matter had there before is void."""
    now = timezone.now()
    Attention.objects.open().of_run(run).update(state=AttentionState.PASSED, ended_at=now)
    screen = _screen_of(run) if run.reason in OF_THE_SCREEN else {}
    values = {"account_id": run.account_id, "device_id": run.device_id, "reason": run.reason, **screen}
    Attention.objects.get_or_create(run=run, defaults=values)


def _screen_of(run: Run) -> dict[str, str]:
    """The columns that say at which screen it stopped; none where it left no dump."""
    found = Evidence.objects.filter(run=run).values_list("dump", "app_version").first()
    seen = structure(found[0]) if found else None
    if seen is None or found is None:
        return {}
    return {"fingerprint": seen.fingerprint, "package": seen.package[:200], "app_version": found[1]}


def pass_over(runs: Iterable[Run]) -> None:
    """End what these runs made void by succeeding: a login all of its account's, others their own script's."""
    well = [run for run in runs if run.outcome == Outcome.SUCCEEDED]
    if not well:
        return
    of_accounts = {(run.account_id, run.script) for run in well if run.account_id}
    of_phones = {(run.device_id, run.script) for run in well if not run.account_id}
    near = Q(account__in=[pk for pk, _script in of_accounts])
    near |= Q(account=None, device__in=[pk for pk, _script in of_phones])
    rows = (
        Attention.objects.open().order_by().filter(near).values_list("pk", "account", "device", "run__script")
    )
    over = [
        pk
        for pk, account, device, script in rows
        if {(account, script), (account, LOGIN)} & of_accounts
        or (not account and (device, script) in of_phones)
    ]
    if over:
        void = Attention.objects.open().filter(pk__in=over)
        void.update(state=AttentionState.PASSED, ended_at=timezone.now())
