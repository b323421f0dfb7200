"""Why a run ended, and what helps, in the operator's language."""

from __future__ import annotations

from django.utils.translation import gettext

from automation.scripts.reasons import CONTROLLER_REASONS, REASONS

KNOWN = {**REASONS, **CONTROLLER_REASONS}


def sentence(code: str) -> str:
    """The sentence of a reason code; the code itself, made readable, where there is none."""
    return gettext(KNOWN[code].sentence) if code in KNOWN else code.replace("_", " ")


def advice(code: str) -> str:
    """What the operator can do about it; empty when nothing is needed."""
    action = KNOWN[code].action if code in KNOWN else ""
    return gettext(action) if action else ""
