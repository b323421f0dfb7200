"""Django's makemessages, which also collects the sentences of reasons and the labels of scripts.

They stand in code that runs beside the phones and knows no Django, so they are not marked with gettext there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.commands import makemessages

from automation.scripts.base import SCRIPTS
from automation.scripts.reasons import REASONS
from config.env import BASE

COLLECTED = BASE / "config" / "collected_words.py"  #: only there while the command runs


class Command(makemessages.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        COLLECTED.write_text("".join(f"_({text!r})\n" for text in sorted(set(words()))))
        try:
            super().handle(*args, **options)
        finally:
            COLLECTED.unlink()


def words() -> Iterator[str]:
    """The texts that are translated where they are shown."""
    for reason in REASONS.values():
        yield from filter(None, reason)
    yield from (one.label for one in SCRIPTS.values())
