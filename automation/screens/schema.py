"""The screen files: YAML in, checked definitions out. An error names the file and the line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from automation.screens.dump import normalise
from automation.screens.pattern import KEYS, Pattern

FOLDER = Path(__file__).parent
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
_SCREEN_KEYS = frozenset(
    "id kind priority packages alone all any none extract actions outcome evidence".split()  # noqa: SIM905
)
_FILE_KEYS = frozenset({"schema", "app", "packages", "handle", "languages", "screens"})


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


@cache
def load(folder: Path = FOLDER) -> dict[str, App]:
    """Every app by name, read once. Raises SchemaError with every fault of every file."""
    apps, faults = {}, []
    for path in sorted(folder.glob("*.yaml")):
        try:
            app = load_app(path.read_text("utf-8"), path.name)
            apps[app.name] = app
        except SchemaError as error:
            faults.append(str(error))
    if faults:
        raise SchemaError("\n".join(faults))
    return apps


@cache
def screens_hash(folder: Path = FOLDER) -> str:
    """A short hash of all screen files: what a run was decided by."""
    seen = hashlib.sha256()
    for path in sorted(folder.glob("*.yaml")):
        seen.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return seen.hexdigest()[:12]


def load_app(text: str, name: str) -> App:
    """The app that a screen file describes. Raises SchemaError."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise SchemaError(f"{name}:{mark.line + 1 if mark else 1}: {error}") from error
    reader = _Reader(name, _lines(tree))
    app = reader.app(data)
    if reader.faults or app is None:
        raise SchemaError("\n".join(reader.faults))
    return app


Where = tuple[str | int, ...]
Patterns = tuple[Pattern, ...]


def _lines(node: Any, path: Where = ()) -> dict[Where, int]:
    """The line of every value, by its path from the root."""
    found = {path: node.start_mark.line + 1} if node is not None else {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            found |= _lines(value, (*path, key.value))
            found[(*path, key.value)] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            found |= _lines(value, (*path, position))
    return found


class _Reader:
    """Reads one file, gathering every fault instead of stopping at the first."""

    def __init__(self, name: str, lines: dict[Where, int]) -> None:
        self.name, self.lines = name, lines
        self.faults: list[str] = []
        self.keys: frozenset[str] = frozenset()

    def fault(self, where: Where, what: str) -> None:
        line = next(
            (self.lines[where[:end]] for end in range(len(where), -1, -1) if where[:end] in self.lines), 1
        )
        self.faults.append(f"{self.name}:{line}: {what}")

    def mapping(self, value: Any, where: Where, known: frozenset[str] | None = None) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.fault(where, "a mapping was expected")
            return {}
        for key in value:
            if known is not None and key not in known:
                self.fault((*where, key), f"unknown key {key!r}")
        return value

    def items(self, value: Any, where: Where) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault(where, "a list was expected")
            return []
        return value

    def app(self, data: Any) -> App | None:
        data = self.mapping(data, (), _FILE_KEYS)
        if data.get("schema") != VERSION:
            self.fault(("schema",), f"schema {VERSION} was expected")
        if not isinstance(data.get("app"), str):
            self.fault(("app",), "the app's name is missing")
            return None
        words = self.languages(data.get("languages", {}))
        self.keys = frozenset(words.get("en", {}))
        stated = self.items(data.get("screens"), ("screens",))
        screens = [self.screen(one, ("screens", at)) for at, one in enumerate(stated)]
        found = [screen for screen in screens if screen is not None]
        for at, screen in enumerate(found):
            if any(screen.id == other.id for other in found[:at]):
                self.fault(("screens", at), f"screen {screen.id!r} is there twice")
        return App(
            name=data["app"],
            packages=tuple(self.items(data.get("packages"), ("packages",))),
            handle=self.regex(data.get("handle", ".+"), ("handle",)),
            words=words,
            screens=tuple(sorted(found, key=lambda screen: screen.priority)),
        )

    def languages(self, value: Any) -> dict[str, dict[str, frozenset[str]]]:
        words: dict[str, dict[str, frozenset[str]]] = {}
        for language, table in self.mapping(value, ("languages",)).items():
            here = ("languages", language)
            words[language] = {}
            for key, phrases in self.mapping(table, here).items():
                said = self.items(phrases, (*here, key))
                if not said or not all(isinstance(one, str) and normalise(one) for one in said):
                    self.fault((*here, key), "a list of phrases was expected")
                    continue
                words[language][key] = frozenset(map(normalise, said))
        for language, table in words.items():
            for key in table.keys() - words.get("en", {}).keys():
                self.fault(("languages", language, key), f"text key {key!r} is missing in en")
        return words

    def screen(self, value: Any, where: Where) -> Screen | None:
        data = self.mapping(value, where, _SCREEN_KEYS)
        kind = data.get("kind")
        if not isinstance(data.get("id"), str) or kind not in KINDS:
            self.fault((*where, "kind"), f"a screen needs an id and a kind of {', '.join(KINDS)}")
            return None
        conditions = self.patterns(data.get("all"), (*where, "all"))
        alternatives = tuple(
            self.patterns(one, (*where, "any", at))
            for at, one in enumerate(self.items(data.get("any"), (*where, "any")))
        )
        if not conditions and not alternatives:
            self.fault(where, f"{data['id']}: neither all nor any: it would match every screen")
        if kind == "session_on":
            self.proof(conditions, alternatives, where, data["id"])
        reason, result = self.outcome(data, where)
        return Screen(
            id=data["id"],
            kind=kind,
            priority=self.integer(data.get("priority", KINDS[kind]), (*where, "priority")),
            all=conditions,
            any=alternatives,
            none=self.patterns(data.get("none"), (*where, "none")),
            packages=tuple(self.items(data.get("packages"), (*where, "packages"))),
            alone=bool(data.get("alone", False)),
            extract=self.extracts(data.get("extract"), (*where, "extract")),
            actions=self.actions(data, where),
            reason=reason,
            result=result,
        )

    def proof(self, every: Patterns, either: tuple[Patterns, ...], where: Where, name: str) -> None:
        """A word in somebody's post must not pass for a session: it takes an id, a selected tab or a handle."""
        if any(pattern.structural for pattern in every):
            return
        if not either or not all(any(pattern.structural for pattern in one) for one in either):
            self.fault(
                where, f"{name}: session_on needs an id, a selected node or a regex in each alternative"
            )

    def outcome(self, data: dict[str, Any], where: Where) -> tuple[str, str]:
        stated = data.get("outcome")
        if data["kind"] not in WITHOUT_ACTIONS:
            if stated is not None:
                self.fault((*where, "outcome"), f"{data['id']}: only kinds human and error have an outcome")
            return "", ""
        here = (*where, "outcome")
        got = self.mapping(stated, here, frozenset({"reason", "result"}))
        if not isinstance(got.get("reason"), str) or got.get("result") not in RESULTS:
            self.fault(
                here, f"{data['id']}: an outcome needs a reason and a result of {', '.join(sorted(RESULTS))}"
            )
            return "", ""
        return got["reason"], got["result"]

    def actions(self, data: dict[str, Any], where: Where) -> dict[str, tuple[Pattern, ...]]:
        here = (*where, "actions")
        stated = self.mapping(data.get("actions") or {}, here)
        if stated and data["kind"] in WITHOUT_ACTIONS:
            self.fault(here, f"{data['id']}: a screen of kind {data['kind']} carries no actions")
        for name in stated.keys() - ACTIONS:
            self.fault((*here, name), f"no script asks for the action {name!r}")
        return {name: self.patterns(ways, (*here, name)) for name, ways in stated.items()}

    def extracts(self, value: Any, where: Where) -> dict[str, tuple[Extract, ...]]:
        found = {}
        for name, stated in self.mapping(value or {}, where).items():
            here = (*where, name)
            ways = [self.extract(way, (*here, at)) for at, way in enumerate(self.items(stated, here))]
            if ways:
                found[name] = tuple(ways)
        return found

    def extract(self, value: Any, where: Where) -> Extract:
        data = dict(self.mapping(value, where))
        source, many = data.pop("from", "text"), bool(data.pop("many", False))
        how = data.pop("normalise", "text")
        if how not in NORMALISERS or source not in SOURCES:
            self.fault(where, f"an extract reads {', '.join(sorted(SOURCES))}, as text or handle")
        return Extract(self.pattern(data, where), source, how, many)

    def patterns(self, value: Any, where: Where) -> tuple[Pattern, ...]:
        return tuple(self.pattern(one, (*where, at)) for at, one in enumerate(self.items(value, where)))

    def pattern(self, value: Any, where: Where) -> Pattern:
        data = dict(self.mapping(value, where, KEYS))
        if not data:
            self.fault(where, "an empty condition would match every node")
        for name in {"text", "contains"} & data.keys():
            if data[name] not in self.keys:
                self.fault((*where, name), f"text key {data[name]!r} is in no language")
        for names, read in _READERS.items():
            for name in names & data.keys():
                data[name] = read(self, data[name], (*where, name))
        return Pattern(**{_FIELD.get(name, name): held for name, held in data.items() if name in KEYS})

    def integer(self, value: Any, where: Where) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.fault(where, "a whole number was expected")
        return 0

    def regex(self, value: Any, where: Where) -> re.Pattern[str]:
        try:
            return re.compile(str(value))
        except re.error as error:
            self.fault(where, f"no regular expression: {error}")
            return re.compile(".^")


#: How the value of a condition's key is read, where it is more than a word.
_READERS: dict[frozenset[str], Callable[[_Reader, Any, Where], Any]] = {
    frozenset({"regex"}): _Reader.regex,
    frozenset({"within", "has", "beside", "before"}): _Reader.pattern,
    frozenset({"nth", "at_least"}): _Reader.integer,
}
_FIELD = {"class": "cls"}  #: `class` is a word of Python
