"""What the end of a run means for its account and for the list of accounts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts import services as accounts
from automation import attention
from automation.choices import Outcome
from automation.models import Run
from devices import services as devices
from devices.models import Device

WRONG_PASSWORD = "wrong_password"  # noqa: S105

#: Outcomes that may be the phone's fault. Lost, canceled and skipped runs say nothing about it.
UNHAPPY = (Outcome.FAILED, Outcome.NEEDS_PERSON, Outcome.ERRORED)
LOOK_BACK = 3  #: runs looked at, for each failure that is needed: one account may have failed several times

#: A login that ended for one of these reasons proves that the account is not signed in.
SIGNED_OUT = frozenset({WRONG_PASSWORD, "no_such_account", "banned", "logged_out_elsewhere"})


def apply(run: Run) -> None:
    """Bring accounts and phone in step with what the run found; called in the transaction that ends it."""
    if run.outcome == Outcome.NEEDS_PERSON or (run.reason in SIGNED_OUT and not _is_of_an_old_password(run)):
        _mark_attention(run)
    effect = EFFECTS.get(run.script)
    if effect is not None:
        effect(run)
    if run.outcome in UNHAPPY and run.device_id is not None:
        _spare_phone(run)


def apply_all(runs: Sequence[Run]) -> None:
    """The same for many, in their order."""
    for run in runs:
        apply(run)
    attention.pass_over(runs)


def _is_of_an_old_password(run: Run) -> bool:
    """Note a refused password; whether it was changed while the run was under way."""
    if run.reason != WRONG_PASSWORD or run.account is None:
        return False
    return not accounts.refuse_password(run.account, run.offered_at or run.created_at)


def _mark_attention(run: Run) -> None:
    if run.account is not None:
        accounts.mark_attention(run.account, run.reason)
    attention.open_for(run)


def _spare_phone(run: Run) -> None:
    """Keep the phone for the person who is needed; quarantine one on which account after account fails."""
    if run.device is None:
        return
    if run.outcome == Outcome.NEEDS_PERSON and settings.PHONERACK_HOLD_MINUTES > 0:
        devices.hold([run.device], timezone.now() + timedelta(minutes=settings.PHONERACK_HOLD_MINUTES))
    most = settings.PHONERACK_QUARANTINE_AFTER
    reasons = _failures_in_a_row(run.device, most) if most and run.account_id else {}
    if most and len(reasons) >= most:
        why = ", ".join(sorted(set(reasons.values())))
        devices.quarantine(run.device, f"{len(reasons)} accounts in a row failed: {why}")


def _failures_in_a_row(device: Device, most: int) -> dict[int, str]:
    """account -> reason, of the runs on the device since one went well, or since a person said that it is good."""
    last = Run.objects.of_accounts_on(device, since=device.health_since).values_list(
        "account_id", "outcome", "reason"
    )
    tail = itertools.takewhile(lambda row: row[1] in UNHAPPY, last[: most * LOOK_BACK])
    return {account: reason for account, _outcome, reason in tail}


def _login(run: Run) -> None:
    if run.outcome == Outcome.SUCCEEDED and run.account:
        accounts.set_logged_in([run.account], True)
        accounts.clear_attention(run.account)
    elif run.reason in SIGNED_OUT and run.account:
        accounts.set_logged_in([run.account], False)


def _match(run: Run) -> None:
    """Write down who is signed in on the phone, and on the run what that changed."""
    if not run.result and run.outcome != Outcome.SUCCEEDED:
        return  # it looked at nothing: canceled before its turn, such as thousands at once
    if run.device is None:
        return
    changes: dict[str, list[str]] = {"new": [], "known": [], "moved": [], "missing": []}
    partly = {(one["app"], one["package"]) for one in run.result.get("unreadable", [])}
    for found in run.result.get("found", []):
        where = (found["app"], found["package"])
        named = accounts.record_match(run.device, *where, found["usernames"], is_whole=where not in partly)
        for kind, names in named.items():
            changes[kind].extend(names)
    run.result = {**run.result, **changes}
    run.save(update_fields=["result"])


def _sync(run: Run) -> None:
    if run.account and run.result.get("logined") is False:
        accounts.set_logged_in([run.account], False)
    if run.outcome == Outcome.SUCCEEDED and run.account:
        figures = {name: value for name, value in run.result.items() if name in accounts.FIGURES}
        accounts.record_figures(run.account, figures, timezone.now())


EFFECTS = {"login": _login, "match": _match, "sync": _sync}
