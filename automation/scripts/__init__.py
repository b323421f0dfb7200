"""What is done on a phone. Importing this package registers the scripts, those of the user's too.

What a script of the user's needs is imported from here: docs/writing-a-script.md.
"""

from __future__ import annotations

from automation.scripts import login, match, plugins, sync
from automation.scripts.base import AccountError, Context, NeedsPerson, Result, script
from automation.scripts.options import Bool, Choice, Int, Text

__all__ = [
    "AccountError", "Bool", "Choice", "Context", "Int", "NeedsPerson", "Result", "Text", "login", "match",
    "script", "sync",
]  # fmt: skip

plugins.load()
