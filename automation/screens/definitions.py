"""What the screen files define: apps, their screens and what may be read and tapped on each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from automation.screens.dump import normalise
from automation.screens.pattern import Pattern, Phrases
from automation.screens.ranges import Range

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
OWN_ACTION = "own_"  #: how the actions begin that only scripts of the user's own ask for
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
    likely: tuple[Pattern, ...] = ()  #: need not hold; each that does adds its weight
    threshold: float = 0.0  #: the weights of what holds must come to as much
    versions: Range | None = None  #: of the app, where its version is known
    activity: tuple[str, ...] = ()  #: globs; one of them in front adds its weight
    packages: tuple[str, ...] = ()  #: globs; only for screens of Android itself
    alone: bool = False  #: only while the app itself shows nothing
    extract: dict[str, tuple[Extract, ...]] = field(
        default_factory=dict
    )  #: alternatives, the first that reads
    actions: dict[str, tuple[Pattern, ...]] = field(default_factory=dict)
    reason: str = ""  #: of kinds human and error: the machine's reason
    result: str = ""  #: of kinds human and error: failed or needs_person
    prefix: str = ""  #: of its alternatives' names: the file and the place in it, for what an operator added


Words = dict[str, Phrases]  #: language -> text key -> normalised phrases


@dataclass(frozen=True)
class App:
    """The screens of one app, with its words in every language."""

    name: str
    packages: tuple[str, ...]
    handle: re.Pattern[str]
    words: Words  #: all of them
    screens: tuple[Screen, ...]  #: by priority
    unconfirmed: Words = field(default_factory=dict)  #: those that nobody has seen in the app yet
    _merged: dict[tuple[str, ...], Phrases] = field(default_factory=dict, repr=False, compare=False)

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language the app has words in."""
        return tuple(self.words)

    def phrases(self, languages: tuple[str, ...]) -> Phrases:
        """The phrases of all these languages together, by text key."""
        if languages not in self._merged:
            found: dict[str, frozenset[str]] = {}
            for language in dict.fromkeys(languages):
                for key, phrases in self.words.get(language, {}).items():
                    found[key] = found.get(key, frozenset()) | phrases
            self._merged[languages] = found
        return self._merged[languages]

    def doubtful(self, key: str, phrases: frozenset[str]) -> str:
        """`nl log_in: inloggen` when all of these phrases of the key are unconfirmed in every language, else empty."""
        for phrase in sorted(phrases):
            unseen = [one for one, table in self.unconfirmed.items() if phrase in table.get(key, ())]
            said = [one for one, table in self.words.items() if phrase in table.get(key, ())]
            if len(unseen) < len(said) or not unseen:
                return ""
        return f"{unseen[0]} {key}: {phrase}" if phrases else ""

    @cached_property
    def languages_of(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """phrase -> each language and text key that it belongs to."""
        found: dict[str, tuple[tuple[str, str], ...]] = {}
        for language, table in self.words.items():
            for key, phrases in table.items():
                for phrase in phrases:
                    found[phrase] = (*found.get(phrase, ()), (language, key))
        return found

    def as_handle(self, text: str) -> str:
        """The text as a handle of the app, or empty when it is none.

        What follows a comma is a remark of the app ("handle, New notifications"); a private profile adds a lock.
        """
        plain = normalise(text.split(",")[0]).lstrip("@").strip(" 🔒")
        return plain if self.handle.fullmatch(plain) else ""
