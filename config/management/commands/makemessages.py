"""Django's makemessages, which also collects the sentences of reasons and the labels of scripts.

Those stand in code that runs beside the phones and knows no Django, so they are not marked with gettext there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.commands import makemessages

from automation.console.reasons import KNOWN
from automation.scripts import login, options
from automation.scripts.base import SCRIPTS
from config.env import BASE

#: Of the packages' own frame around our pages, where they have no Dutch.
FRAME = (
    "Add row", "After you've created a user, you’ll be able to edit more user options.", "All applications",
    "Apply Filters", "Change History", "Choose file to upload", "Click to cancel", "Collapse", "Dark", "Date",
    "Date from", "Date to", "Default", "Edit", "Expand row", "False", "Filters", "From", "General", "Go back",
    "Group", "Group permissions", "Light", "Loading more results...", "More actions", "Name", "Next", "No data",
    "No recent searches", "No results found", "No results matching your query", "Object permissions",
    "Previous", "Recent searches", "Record picture", "Reset filters", "Run", "Search apps and models...",
    "Select action", "Select action to run", "Select all rows", "Select format", "Select record",
    "Select value", "System", "This item will be deleted.", "This object doesn't have a change history.",
    "This page yielded into no results. Create a new item or reset your filters.", "To",
    "Toggle password visibility", "True", "Type to search", "User permissions", "Value", "Welcome back to",
    "You have been successfully logged out from the administration",
    "Raw passwords are not stored, so there is no way to see this user’s password, but you can "
    'change the password using <a href="{}" class="text-primary-600 dark:text-primary-500">this '
    "form</a>.",
)  # fmt: skip
COUNTED = "\n                Found %(counter)s {} in %(time)s seconds\n            "  #: under the search for everything
#: What scripts say that they do, beside the steps of a login.
STEPS = (
    "go on", "go to the account's profile", "leave what an earlier run left open", "leave what does not respond",
    "open the app", "read instagram", "read tiktok", "read the figures", "restart uiautomator",
)  # fmt: skip
COLLECTED = BASE / "config" / "collected_words.py"  #: only there while the command runs


class Command(makemessages.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        counted = f"ngettext({COUNTED.format('result')!r}, {COUNTED.format('results')!r}, 1)\n"
        COLLECTED.write_text("".join(f"_({text!r})\n" for text in sorted(set(words()))) + counted)
        try:
            super().handle(*args, **options)
        finally:
            COLLECTED.unlink()


def words() -> Iterator[str]:
    """The texts that are translated where they are shown."""
    for reason in KNOWN.values():
        yield from filter(None, reason)
    yield from FRAME
    yield from (*STEPS, *login.STEPS.values())
    yield from options.SENTENCES
    yield from (one.label for one in SCRIPTS.values() if one.is_shipped)
