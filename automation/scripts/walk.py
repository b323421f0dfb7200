"""The way to the own profile and to the list of accounts, for scripts that only read."""

from __future__ import annotations

from automation.screens.recognise import Verdict
from automation.scripts.context import Context
from automation.scripts.outcomes import NeedsPerson
from automation.scripts.reasons import UNKNOWN_SCREEN


def own_profile(context: Context) -> Verdict | None:
    """The own profile with a handle on it, or None when the app is signed out."""
    while True:
        verdict = context.read()
        if verdict.kind != "session_on":
            return None
        if verdict.offers("pick"):
            context.back(verdict)
        elif verdict.values.get("handle"):
            return verdict
        elif verdict.offers("switcher"):
            if not context.wait_for_value(verdict, "handle"):
                raise NeedsPerson(UNKNOWN_SCREEN, "the profile shows no handle")
        elif not context.tap(verdict, "profile"):
            raise NeedsPerson(UNKNOWN_SCREEN, f"{verdict.screen} lacks the profile tab")


def open_switcher(context: Context, profile: Verdict) -> Verdict:
    """The list of accounts, opened from the own profile. Raises NeedsPerson when it does not open."""
    if not context.tap(profile, "switcher"):
        raise NeedsPerson(UNKNOWN_SCREEN, "the profile lacks the list of accounts")
    verdict = context.read()
    if not verdict.offers("pick"):
        raise NeedsPerson(UNKNOWN_SCREEN, "the list of accounts did not open")
    return verdict
