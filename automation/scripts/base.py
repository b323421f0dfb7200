"""What every script is made of: its registration, its options, and how it ends.

A script is a function of a Context. It returns a Result, or raises AccountError (the account or the app said no)
or NeedsPerson (somebody must look). `run_script` turns these, and what the phone raises, into a Result; anything
else is a defect of the script and goes on to the caller.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from automation.protocol import Ticket
from automation.screens.sightings import Sightings
from automation.scripts import options as option_types
from automation.scripts import trouble
from automation.scripts.context import Context, Pace, StepReporter, no_report
from automation.scripts.options import BadScript, Option, WrongOption
from automation.scripts.outcomes import (
    CANCELED,
    FAILED,
    NEEDS_PERSON,
    SKIPPED,
    SUCCEEDED,
    AccountError,
    NeedsPerson,
    Result,
    ScriptEnd,
)
from automation.scripts.reasons import BAD_RESULT, UNKNOWN_SCRIPT, WRONG_OPTION, sentence
from devices.phones.errors import Canceled, PhoneError
from devices.phones.phone import Phone

__all__ = ["SCRIPTS", "AccountError", "Context", "NeedsPerson", "Result", "Script", "run_script", "script"]

Body = Callable[[Context], Result]

NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
#: The scripts whose tickets carry the password and the 2FA codes: none but our own that types them.
WITH_SECRETS = frozenset({"login"})
OWN = "automation.scripts."  #: how the modules of our scripts begin
MOST_DATA = 100_000  #: characters of JSON that a result may carry


@dataclass(frozen=True)
class Script:
    """A registered script."""

    name: str
    label: str  #: as the operator reads it
    body: Body
    needs_account: bool = True
    options: tuple[Option, ...] = ()

    @property
    def module(self) -> str:
        """Where it is written."""
        return self.body.__module__

    @property
    def is_shipped(self) -> bool:
        """Whether it came with Phonerack."""
        return self.module.startswith(OWN)


SCRIPTS: dict[str, Script] = {}


def script(
    name: str, label: str, needs_account: bool = True, options: Sequence[Option] = ()
) -> Callable[[Body], Body]:
    """Registers the function below it as a script. Raises BadScript when it cannot be one."""

    def register(body: Body) -> Body:
        if name in SCRIPTS:
            raise BadScript(f"there are two scripts named {name!r}: the other is in {SCRIPTS[name].module}")
        SCRIPTS[name] = _checked(Script(name, label, body, needs_account), options)
        return body

    return register


def _checked(made: Script, options: Any) -> Script:
    if not isinstance(made.name, str) or not NAME.fullmatch(made.name):
        raise BadScript(f"the script name {made.name!r} is none: small letters, digits and -, at most 32")
    if not isinstance(made.label, str) or not made.label:
        raise BadScript(f"the script {made.name} needs a label")
    try:
        inspect.signature(made.body).bind(None)
        return replace(made, options=option_types.check(options))
    except TypeError:
        raise BadScript(f"the script {made.name} must be a function of one argument, the context") from None
    except BadScript as error:
        raise BadScript(f"the script {made.name}: {error}") from None


def run_script(
    name: str,
    phone: Phone,
    ticket: Ticket,
    report_step: StepReporter = no_report,
    pace: Pace | None = None,
    sightings: Sightings | None = None,
) -> Result:
    """The Result of the script on this phone; what it saw is in `sightings`. Raises what is a defect of the script."""
    if name not in SCRIPTS:
        return Result(FAILED, UNKNOWN_SCRIPT, f"{sentence(UNKNOWN_SCRIPT)} ({name})")
    context = Context(phone, _without_secrets(name, ticket), report_step, pace or Pace(), sightings)
    try:
        context.options = option_types.read(SCRIPTS[name].options, ticket.options)
        return _usable(SCRIPTS[name].body(context), name)
    except WrongOption as error:
        return Result(FAILED, WRONG_OPTION, f"{sentence(WRONG_OPTION)} ({error.option}: {error})")
    except ScriptEnd as given:
        end = trouble.named(given, context)
        return _usable(Result(end.outcome, end.reason, str(end), end.data), name)
    except Canceled as end:
        return Result(CANCELED, end.reason, str(end))
    except PhoneError as error:
        return Result(FAILED, error.reason, str(error), transient=error.transient)
    except SystemExit:
        raise RuntimeError(f"the script {name} wanted to end the whole process") from None


def _without_secrets(name: str, ticket: Ticket) -> Ticket:
    """The ticket as this script may see it. The controller puts none in either; this is for one of another version."""
    if ticket.account is None or name in WITH_SECRETS:
        return ticket
    public = {field: ticket.account[field] for field in ("username", "email") if field in ticket.account}
    return replace(ticket, account=public)


def _usable(result: Result, name: str) -> Result:
    """The result, if it can be reported; else one that says what is wrong with it."""
    wrong = _problem(result)
    if not wrong:
        return replace(result, reason=result.reason[:32], message=_readable(result.message))
    return Result("errored", BAD_RESULT, f"The script {name} {wrong}.")


def _problem(result: Any) -> str:
    if not isinstance(result, Result):
        return f"returned {type(result).__name__} instead of a Result"
    if result.outcome not in (SUCCEEDED, FAILED, NEEDS_PERSON, SKIPPED, CANCELED):
        return f"ended with the outcome {result.outcome!r}, which does not exist"
    if not isinstance(result.reason, str) or not re.fullmatch(r"[a-z0-9_]*", result.reason):
        return f"ended with the reason {result.reason!r}: small letters, digits and _ are a reason"
    try:
        size = len(json.dumps(result.data, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        return f"returned data that is no JSON ({type(error).__name__}: {error})"
    if not isinstance(result.data, dict):
        return "returned data that is no dict"
    return f"returned {size} bytes of data: {MOST_DATA} at most" if size > MOST_DATA else ""


def _readable(message: object) -> str:
    return str(message).encode("utf-8", "replace").decode()
