"""Sync: read the figures that TikTok shows on the own profile of the account."""

from __future__ import annotations

from typing import Any

from automation.screens.recognise import Verdict
from automation.scripts.base import script
from automation.scripts.context import Context
from automation.scripts.counts import parse_count
from automation.scripts.login import plain
from automation.scripts.outcomes import SKIPPED, SUCCEEDED, AccountError, NeedsPerson, Result
from automation.scripts.packages import package_of
from automation.scripts.reasons import (
    LOGGED_OUT_ELSEWHERE,
    NO_PROGRESS,
    NO_STATISTICS,
    NOT_SIGNED_IN,
    SYNCED,
    UNKNOWN_SCREEN,
    sentence,
)
from automation.scripts.walk import open_switcher, own_profile, page_with

COUNTS = ("followers", "following", "hearts", "videos", "friends")
TEXTS = ("nickname", "country")


@script("sync", label="Sync TikTok data")
def sync(context: Context) -> Result:
    """Succeeded with the figures; skipped for an app that shows none; raises when the account is not signed in.

    data = {"logined": true} and, of nickname, country, followers, following, hearts, videos and friends, those
    that the profile shows.
    """
    if context.app != "tiktok":
        return Result(SKIPPED, NO_STATISTICS, sentence(NO_STATISTICS))
    with context.step("open the app"):
        context.open(context.app, context.package or package_of(context.app))
    with context.step("go to the account's profile"):
        profile = profile_of(context, plain(context.credentials.username))
    with context.step("read the figures"):
        data = figures(profile)
        if "followers" not in data and (again := context.wait_for_value(profile, "followers")):
            data = figures(again)
    if not any(name in data for name in COUNTS):
        raise NeedsPerson(UNKNOWN_SCREEN, "the profile shows no figures")
    return Result(SUCCEEDED, SYNCED, sentence(SYNCED), {"logined": True, **data})


def profile_of(context: Context, username: str) -> Verdict:
    """The own profile of this account, switched to where needed. Raises AccountError when it is not signed in."""
    switched = False
    while True:
        profile = own_profile(context)
        if profile is None:
            reason = LOGGED_OUT_ELSEWHERE if context.logged_out else NOT_SIGNED_IN
            raise AccountError(reason, data={"logined": False})
        if profile.values["handle"] == username:
            return profile
        if switched:
            raise NeedsPerson(NO_PROGRESS, "the app does not switch to the account")
        sheet = page_with(context, open_switcher(context, profile), username)
        if not context.tap(sheet, "pick", username):
            context.back(sheet)
            raise AccountError(NOT_SIGNED_IN, data={"logined": False})
        switched = context.asked = True


def figures(profile: Verdict) -> dict[str, Any]:
    """What the profile shows; what it does not show, or shows unreadably, is absent."""
    counts = {name: parse_count(profile.values.get(name, ""), profile.language) for name in COUNTS}
    texts = {name: profile.values[name] for name in TEXTS if profile.values.get(name)}
    return texts | {name: value for name, value in counts.items() if value is not None}
