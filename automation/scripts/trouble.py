"""Why a screen led nowhere: before a person is asked, the phone is asked what is wrong with it."""

from __future__ import annotations

from automation.screens.dump import Unreadable, parse
from automation.screens.schema import library
from automation.scripts.context import Context
from automation.scripts.outcomes import AccountError, NeedsPerson, ScriptEnd
from automation.scripts.reasons import (
    APP_CRASHES,
    APP_HANGS,
    CODE_REFUSED,
    NO_INTERNET,
    NO_PROGRESS,
    STORAGE_FULL,
    UNKNOWN_SCREEN,
    UNREADABLE_SCREEN,
    WRONG_CLOCK,
    WRONG_LANGUAGE,
)
from devices.phones.condition import ROOM_MB
from devices.phones.errors import PhoneError
from devices.phones.phone import Condition

CODE_SECONDS = 30.0  #: clocks that differ by more give codes that nobody accepts
TLS_SECONDS = 3600.0  #: with a clock that is off by more the services may not be reached at all

ENOUGH = 0.5  #: of the texts must be known in a language, else that is said of an unknown screen

#: Ends behind which something else may be: the screen only shows what came of it.
DOUBTFUL = frozenset(
    {UNKNOWN_SCREEN, UNREADABLE_SCREEN, NO_PROGRESS, APP_CRASHES, APP_HANGS, NO_INTERNET, CODE_REFUSED}
)


def named(end: ScriptEnd, context: Context) -> ScriptEnd:
    """The same end, by its true cause where the phone tells one."""
    if end.reason not in DOUBTFUL:
        return end
    try:
        found = context.phone.condition(context.package)
    except PhoneError:
        return end
    cause, detail = _cause(end.reason, found, context)
    if cause in ("", end.reason):
        return _with_language(end, found.language, context)
    kind = AccountError if cause == NO_INTERNET else NeedsPerson
    return kind(cause, detail, end.data)


def _with_language(end: ScriptEnd, language: str, context: Context) -> ScriptEnd:
    """An unknown screen stays one, so that it can be labelled; that the language is half known is said beside it."""
    app = library().apps.get(context.app)
    if app is None or end.reason != UNKNOWN_SCREEN or language not in app.words:
        return end
    known, all_of_them = len(app.words[language]), len(app.words["en"])
    if known >= all_of_them * ENOUGH:
        return end
    remark = f"the app is set to {language}, in which {known} of {all_of_them} texts are known"
    return NeedsPerson(end.reason, f"{end.detail}; {remark}" if end.detail else remark, end.data)


def _cause(reason: str, found: Condition, context: Context) -> tuple[str, str]:
    """The true reason and a remark to it; empty where the phone is in order."""
    if found.free_mb is not None and found.free_mb < ROOM_MB:
        return STORAGE_FULL, f"{found.free_mb} MB free"
    allowed = CODE_SECONDS if reason == CODE_REFUSED else TLS_SECONDS
    if reason in (CODE_REFUSED, NO_INTERNET, NO_PROGRESS) and abs(found.clock_ahead or 0) > allowed:
        return WRONG_CLOCK, clocks(found)
    if reason == UNKNOWN_SCREEN and _is_foreign(found.language, context):
        return WRONG_LANGUAGE, f"the app is set to {found.language}"
    if found.connected is False and reason in (UNKNOWN_SCREEN, UNREADABLE_SCREEN, NO_PROGRESS):
        return NO_INTERNET, ""
    return "", ""


def clocks(found: Condition) -> str:
    """How the clocks of phone and host differ, in words; empty when they agree or nobody knows."""
    ahead = round(found.clock_ahead or 0)
    if abs(ahead) <= CODE_SECONDS:
        return ""
    return f"the phone's clock is {abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} the host's"


def _is_foreign(language: str, context: Context) -> bool:
    """Whether the app is in a language of which no word is known, and none is on the screen."""
    app = library().apps.get(context.app)
    if app is None or not language or language in app.words:
        return False
    try:
        here = parse(context.xml).of({context.package}).by_word
    except Unreadable:
        return False
    known = {phrase for table in app.words.values() for phrases in table.values() for phrase in phrases}
    return bool(here) and known.isdisjoint(here)
