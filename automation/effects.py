"""What the end of a run means for its account and for the list of accounts."""

from __future__ import annotations

from django.utils import timezone

from accounts import services as accounts
from accounts.models import Account
from automation.choices import Outcome
from automation.models import Run

#: A login that ended for one of these reasons proves that the account is not signed in.
SIGNED_OUT = frozenset({"wrong_password", "no_such_account", "banned"})


def apply(run: Run) -> None:
    """Bring accounts in step with what the run found; called in the transaction that ends it."""
    if run.account is not None:
        _attention(run, run.account)
    effect = EFFECTS.get(run.script)
    if effect is not None:
        effect(run)


def _attention(run: Run, account: Account) -> None:
    if run.outcome == Outcome.NEEDS_PERSON or run.reason in SIGNED_OUT:
        accounts.mark_attention(account, run.reason)
    elif run.outcome == Outcome.SUCCEEDED and run.script == "login":
        accounts.clear_attention(account)


def _login(run: Run) -> None:
    if run.account is None:
        return
    if run.outcome == Outcome.SUCCEEDED:
        accounts.set_logged_in([run.account], True)
    elif run.reason in SIGNED_OUT:
        accounts.set_logged_in([run.account], False)


def _match(run: Run) -> None:
    """Write down who is signed in on the phone, and on the run what that changed."""
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
    if run.account is not None and run.outcome == Outcome.SUCCEEDED:
        figures = {name: value for name, value in run.result.items() if name in accounts.FIGURES}
        accounts.record_figures(run.account, figures, timezone.now())


EFFECTS = {"login": _login, "match": _match, "sync": _sync}
