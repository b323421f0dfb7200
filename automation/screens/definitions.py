"""What the screen files define: apps, their screens and what may be read and tapped on each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from automation.screens.pattern import Pattern

VERSION = 1  #: of the format

#: Kinds of screen, with the place at which each is looked for when a screen gives no priority of its own.
KINDS = {
    "human": 100,
    "overlay": 200,
    "two_factor": 300,
    "error": 400,
    "form": 500,
    "popup": 600,
    "transient": 700,
    "session_on": 900,
}
WITHOUT_ACTIONS = frozenset({"human", "error"})  #: a person's turn: nothing may be tapped there
RESULTS = frozenset({"failed", "needs_person"})

#: What a script may ask a screen for. `dismiss` closes a prompt by its harmless button, `mine` tells whether the
#: screen names the account, `keep_no_login` is the ticked box that would save the login.
ACTIONS = frozenset({
    "dismiss", "log_in", "mine", "continue", "other", "user", "password", "keep_no_login", "submit", "code",
    "try_another_way", "pick_totp", "next", "profile", "switcher", "pick", "add_account",
})  # fmt: skip
NORMALISERS = frozenset({"handle", "text"})

#: Where the value is: on the node itself, or `above` it (the text before it in the same box).
SOURCES = frozenset({"text", "desc", "above"})


class SchemaError(Exception):
    """A screen file is wrong; the message is one `file:line: what` a line."""


@dataclass(frozen=True)
class Extract:
    """A value to read off a screen."""

    pattern: Pattern
    source: str = "text"  #: one of SOURCES
    normalise: str = "text"
    many: bool = False


@dataclass(frozen=True)
class Screen:
    """One recognisable state of an app: what shows it, and what may be tapped on it."""

    id: str
    kind: str
    priority: int
    all: tuple[Pattern, ...]
    any: tuple[tuple[Pattern, ...], ...]  #: alternatives, each a list of conditions that hold together
    none: tuple[Pattern, ...]
    packages: tuple[str, ...] = ()  #: globs; only for screens of Android itself
    alone: bool = False  #: only while the app itself shows nothing
    extract: dict[str, tuple[Extract, ...]] = field(
        default_factory=dict
    )  #: alternatives, the first that reads
    actions: dict[str, tuple[Pattern, ...]] = field(default_factory=dict)
    reason: str = ""  #: of kinds human and error: the machine's reason
    result: str = ""  #: of kinds human and error: failed or needs_person
    prefix: str = ""  #: of its alternatives' names: the file and the place in it, for what an operator added


@dataclass(frozen=True)
class App:
    """The screens of one app, with its words in every language."""

    name: str
    packages: tuple[str, ...]
    handle: re.Pattern[str]
    words: dict[str, dict[str, frozenset[str]]]  #: language -> key -> normalised phrases
    screens: tuple[Screen, ...]  #: by priority

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language the app has words in."""
        return tuple(self.words)
