"""What every script is made of: its registration, its result, and how it ends.

A script is a function of a Context. It returns a Result, or raises AccountError (the account or the app said no)
or NeedsPerson (somebody must look). `run_script` turns these, and what the phone raises, into a Result; anything
else is a defect of ours and goes on to the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from automation.protocol import Ticket
from automation.screens.sightings import Sightings
from automation.scripts import trouble
from automation.scripts.context import Context, Pace, StepReporter, no_report
from automation.scripts.outcomes import CANCELED, FAILED, AccountError, NeedsPerson, Result, ScriptEnd
from automation.scripts.reasons import UNKNOWN_SCRIPT, sentence
from devices.phones.errors import Canceled, PhoneError
from devices.phones.phone import Phone

__all__ = ["SCRIPTS", "AccountError", "Context", "NeedsPerson", "Result", "Script", "run_script", "script"]

Body = Callable[[Context], Result]


@dataclass(frozen=True)
class Script:
    """A registered script."""

    name: str
    label: str  #: as the operator reads it
    body: Body
    needs_account: bool = True


SCRIPTS: dict[str, Script] = {}


def script(name: str, label: str, needs_account: bool = True) -> Callable[[Body], Body]:
    """Registers the function below it as a script."""

    def register(body: Body) -> Body:
        if name in SCRIPTS:
            raise ValueError(f"there are two scripts named {name!r}")
        SCRIPTS[name] = Script(name, label, body, needs_account)
        return body

    return register


def run_script(
    name: str,
    phone: Phone,
    ticket: Ticket,
    report_step: StepReporter = no_report,
    pace: Pace | None = None,
    sightings: Sightings | None = None,
) -> Result:
    """The Result of the script on this phone; what it saw is in `sightings`. Raises only what is a defect of ours."""
    if name not in SCRIPTS:
        return Result(FAILED, UNKNOWN_SCRIPT, f"{sentence(UNKNOWN_SCRIPT)} ({name})")
    context = Context(phone, ticket, report_step, pace or Pace(), sightings)
    try:
        return SCRIPTS[name].body(context)
    except ScriptEnd as given:
        end = trouble.named(given, context)
        return Result(end.outcome, end.reason, str(end), end.data)
    except Canceled as end:
        return Result(CANCELED, end.reason, str(end))
    except PhoneError as error:
        return Result(FAILED, error.reason, str(error), transient=error.transient)
