"""Why a run ended, and what helps, in the operator's language."""

from __future__ import annotations

from django.utils.translation import gettext

from automation.choices import CONTROLLER_REASONS
from automation.scripts.reasons import REASONS


def sentence(code: str) -> str:
    """The sentence of a reason code; the code itself, made readable, where there is none."""
    if code in CONTROLLER_REASONS:
        return str(CONTROLLER_REASONS[code])
    return gettext(REASONS[code].sentence) if code in REASONS else code.replace("_", " ")


def advice(code: str) -> str:
    """What the operator can do about it; empty when nothing is needed."""
    action = REASONS[code].action if code in REASONS else ""
    return gettext(action) if action else ""
