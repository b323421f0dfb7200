"""Match: which accounts are signed in on this phone? It only reads, and never taps "Add account"."""

from __future__ import annotations

from typing import Any

from automation.scripts.base import script
from automation.scripts.context import Context
from automation.scripts.outcomes import FAILED, NEEDS_PERSON, SUCCEEDED, Result, ScriptEnd
from automation.scripts.reasons import MATCHED, PARTLY_MATCHED, sentence
from automation.scripts.trouble import named
from automation.scripts.walk import open_switcher, own_profile, pages
from devices.phones.errors import AppMissing, Canceled, PhoneError


@script("match", label="Match accounts", needs_account=False)
def match(context: Context) -> Result:
    """Succeeded with what was found; needs_person when nothing could be read although an app is there.

    data = {"found": [{"app", "package", "usernames": [...], "active"}], "unreadable": [{"app", "package", "reason"}]}
    An app that is not installed is in neither list; a signed-out one is found with no usernames. Where the phone
    itself fails on the way, the end is failed with its reason, and what was read before is in the data all the same.
    """
    found: list[dict[str, Any]] = []
    unreadable: list[dict[str, str]] = []
    data = {"found": found, "unreadable": unreadable}
    try:
        for app, packages in sorted(context.ticket.packages.items()):
            for package in packages:
                if installed(context, package):
                    with context.step(f"read {app}", package):
                        read_app(context, app, package, found, unreadable)
    except Canceled:
        raise
    except PhoneError as error:  # what was read before is kept
        return Result(FAILED, error.reason, str(error), data, transient=error.transient)
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
            listed: list[str] = []
            for page in pages(context, sheet):
                sheet, listed = page, [*listed, *page.lists.get("handles", [])]
                usernames = list(dict.fromkeys([*listed, active]))
            context.back(sheet)
        found.append({**here, "usernames": usernames, "active": active})
    except (ScriptEnd, PhoneError) as end:
        if usernames:
            found.append({**here, "usernames": usernames, "active": active})
        if isinstance(end, PhoneError):
            unreadable.append({**here, "reason": end.reason})
            raise
        unreadable.append({**here, "reason": named(end, context).reason})
    context.phone.press("home")
    context.phone.stop_app(package)
