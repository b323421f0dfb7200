"""Match: which accounts are signed in on this phone? It only reads, and never taps "Add account"."""

from __future__ import annotations

from typing import Any

from automation.scripts.base import script
from automation.scripts.context import Context
from automation.scripts.outcomes import NEEDS_PERSON, SUCCEEDED, Result, ScriptEnd
from automation.scripts.reasons import MATCHED, PARTLY_MATCHED, sentence
from automation.scripts.walk import open_switcher, own_profile
from devices.phones.errors import AppMissing


@script("match", label="Match accounts", needs_account=False)
def match(context: Context) -> Result:
    """Succeeded with what was found; needs_person when nothing could be read although an app is there.

    data = {"found": [{"app", "package", "usernames": [...], "active"}], "unreadable": [{"app", "package", "reason"}]}
    An app that is not installed is in neither list; a signed-out one is found with no usernames.
    """
    found: list[dict[str, Any]] = []
    unreadable: list[dict[str, str]] = []
    for app, packages in sorted(context.ticket.packages.items()):
        for package in packages:
            if installed(context, package):
                with context.step(f"read {app}", package):
                    read_app(context, app, package, found, unreadable)
    data = {"found": found, "unreadable": unreadable}
    if unreadable and not found:
        reason = unreadable[0]["reason"]
        return Result(NEEDS_PERSON, reason, sentence(reason), data)
    reason = PARTLY_MATCHED if unreadable else MATCHED
    return Result(SUCCEEDED, reason, sentence(reason), data)


def installed(context: Context, package: str) -> bool:
    """Whether the phone has the app."""
    try:
        context.phone.app_version(package)
    except AppMissing:
        return False
    return True


def read_app(
    context: Context, app: str, package: str, found: list[dict[str, Any]], unreadable: list[dict[str, str]]
) -> None:
    """Add what one app says to the lists; what was read before it became unreadable is kept."""
    here = {"app": app, "package": package}
    usernames: list[str] = []
    active = ""
    context.open(app, package, fresh=True)
    try:
        profile = own_profile(context)
        if profile is not None:
            active = profile.values["handle"]
            usernames = [active]
            sheet = open_switcher(context, profile)
            usernames = list(dict.fromkeys([*sheet.lists.get("handles", []), active]))
            context.back(sheet)
        found.append({**here, "usernames": usernames, "active": active})
    except ScriptEnd as end:
        if usernames:
            found.append({**here, "usernames": usernames, "active": active})
        unreadable.append({**here, "reason": end.reason})
    context.phone.press("home")
    context.phone.stop_app(package)
