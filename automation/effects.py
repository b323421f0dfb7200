"""What the end of a run means for its account and for the list of accounts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts import matching
from accounts import services as accounts
from accounts.choices import App
from automation import attention, matches
from automation.choices import LOGIN, Outcome
from automation.locks import lock
from automation.models import Run
from automation.scripts.base import SCRIPTS
from devices import services as devices
from devices.models import Device

WRONG_PASSWORD = "wrong_password"  # noqa: S105

#: Outcomes that may be the phone's fault. Lost, canceled and skipped runs say nothing about it.
UNHAPPY = (Outcome.FAILED, Outcome.NEEDS_PERSON, Outcome.ERRORED)
SAYS_NOTHING = (Outcome.LOST, Outcome.CANCELED, Outcome.SKIPPED)  #: of the account or the phone
#: Reasons that speak of the script.
NOT_THE_PHONE = frozenset({"unknown_script", "wrong_option", "bad_result"})
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
    if len(runs) > 1:
        _lock(runs)
    for run in runs:
        apply(run)
    attention.pass_over(runs)


def _lock(runs: Sequence[Run]) -> None:
    """All that these ends may change: their own order is not the one in which others lock it (automation/locks.py)."""
    told = [run for run in runs if run.outcome not in SAYS_NOTHING]
    found = matches.concerned([run for run in told if run.script == "match"])
    devices_of = (run.device_id for run in told if run.outcome in UNHAPPY)
    lock(
        {*found, *(run.account_id for run in told if run.account_id)},
        {device for device in devices_of if device},
    )


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
        "account_id", "outcome", "reason", "script"
    )
    said = [row for row in last[: most * LOOK_BACK] if _is_about_the_phone(*row[1:])]
    tail = itertools.takewhile(lambda row: row[1] in UNHAPPY, said)
    return {account: reason for account, _outcome, reason, _script in tail}


def _is_about_the_phone(outcome: str, reason: str, script: str) -> bool:
    """Not so of a script that the host lacks or has in another version, and of a defect of the user's own."""
    is_shipped = script in SCRIPTS and SCRIPTS[script].is_shipped
    return reason not in NOT_THE_PHONE and (is_shipped or outcome != Outcome.ERRORED)


def _login(run: Run) -> None:
    if run.outcome == Outcome.SUCCEEDED and run.account:
        accounts.set_logged_in([run.account], True)
        accounts.clear_attention(run.account)
    elif run.reason in SIGNED_OUT and run.account:
        accounts.set_logged_in([run.account], False)


def _match(run: Run) -> None:
    """Write down who is signed in on the phone, and on the run what that says of each account."""
    if "found" not in run.result or run.device is None:
        return  # it looked at nothing: canceled before its turn, such as thousands at once
    seen, unreadable = matches.seen(run.result), matches.unreadable(run.result)
    if run.outcome != Outcome.SUCCEEDED and not run.result["found"] and not unreadable:
        return  # it came to no app
    unread = {one["app"] for one in unreadable}
    said = matching.record_match(run.device, seen, _looked_at(run) - unread)
    if settings.PHONERACK_MATCH_ADDS:
        matching.add(run.device, seen, timezone.now())
    run.result = {**run.result, "unreadable": unreadable, "matched": [asdict(one) for one in said]}
    run.save(update_fields=["result"])


def _looked_at(run: Run) -> set[str]:
    """The apps at which a match looked; one that is not installed is read, and nobody is signed in there."""
    return set(App.values) if run.outcome == Outcome.SUCCEEDED else set()


def _sync(run: Run) -> None:
    """Write down the figures, and what the profile proves of the login."""
    if run.account is None:
        return
    if isinstance(run.result.get("logined"), bool):
        accounts.set_logged_in([run.account], run.result["logined"])
    if run.outcome == Outcome.SUCCEEDED:
        accounts.record_figures(run.account, run.result, timezone.now())


EFFECTS = {LOGIN: _login, "match": _match, "sync": _sync}
