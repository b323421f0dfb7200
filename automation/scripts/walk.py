"""The way to the own profile and to the list of accounts, for scripts that only read."""

from __future__ import annotations

from collections.abc import Iterator

from automation.screens.recognise import Verdict
from automation.scripts.context import Context
from automation.scripts.outcomes import NeedsPerson
from automation.scripts.reasons import UNKNOWN_SCREEN

FULL = 5  #: a list of so many accounts may go on below the screen


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


def pages(context: Context, sheet: Verdict) -> Iterator[Verdict]:
    """The list of accounts page by page: scrolled on for as long as that shows accounts that are new."""
    seen: set[str] = set()
    while sheet.offers("pick"):
        yield sheet
        fresh = set(sheet.lists.get("handles", [])) - seen
        seen |= fresh
        if not fresh or len(seen) < FULL:
            return
        context.scroll(sheet)
        sheet = context.read()


def page_with(context: Context, sheet: Verdict, handle: str) -> Verdict:
    """The page of the list on which the account is, else the last one."""
    for page in pages(context, sheet):
        sheet = page
        if handle in page.lists.get("handles", []):
            break
    return sheet
