"""A question on the terminal."""

from __future__ import annotations

from django.utils.translation import gettext as _


def agreed(question: str) -> bool:
    """Whether the answer is yes; none at all is a no."""
    try:
        answer = input(question)
    except (EOFError, KeyboardInterrupt):
        return False
    return answer.strip().casefold() in ("y", "yes", _("yes"))
