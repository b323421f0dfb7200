"""How a script ends: by a Result, or by one of two exceptions that say who must act."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from automation.scripts.reasons import sentence

SUCCEEDED, FAILED, NEEDS_PERSON, SKIPPED = "succeeded", "failed", "needs_person", "skipped"
CANCELED = "canceled"


@dataclass(frozen=True)
class Result:
    """How a run ended. What `data` holds is said by the script that makes it."""

    outcome: str  #: succeeded, failed, needs_person, skipped or canceled
    reason: str
    message: str = ""  #: for the operator; never with a secret
    data: dict[str, Any] = field(default_factory=dict)
    transient: bool = False  #: whether a later attempt may succeed by itself


class ScriptEnd(Exception):
    """Ends a script with a reason out of reasons.py."""

    outcome = FAILED

    def __init__(self, reason: str, detail: str = "", data: dict[str, Any] | None = None) -> None:
        super().__init__(f"{sentence(reason)} ({detail})" if detail else sentence(reason))
        self.reason, self.detail, self.data = reason, detail, data or {}


class AccountError(ScriptEnd):
    """The account or the app said no: a retry would say the same."""


class NeedsPerson(ScriptEnd):
    """Somebody must look at the phone."""

    outcome = NEEDS_PERSON
