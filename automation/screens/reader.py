"""Reads one screen file: YAML in, checked definitions out. A fault names the file and the line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from automation.screens.definitions import (
    ACTIONS,
    KINDS,
    NORMALISERS,
    OWN_ACTION,
    RESULTS,
    SOURCES,
    VERSION,
    WITHOUT_ACTIONS,
    App,
    Extract,
    SchemaError,
    Screen,
    Words,
)
from automation.screens.dump import normalise
from automation.screens.pattern import FLAGS, KEYS, NESTED, Pattern
from automation.screens.values import Values, Where, parsed

_FILE_KEYS = frozenset({"schema", "app", "packages", "handle", "languages", "unconfirmed", "screens"})
_SCREEN_KEYS = frozenset({
    "id", "extends", "kind", "priority", "packages", "alone", "versions", "activity", "threshold",
    "all", "any", "none", "likely", "extract", "actions", "outcome", "evidence",
})  # fmt: skip


def read_app(text: str, name: str, known: dict[str, App] | None = None) -> App:
    """The app that a file describes, added to what is known of it. Raises SchemaError."""
    data, lines, faults = parsed(text, name)
    reader = Reader(name, lines, known or {})
    reader.faults += faults
    app = reader.app(data)
    if reader.faults or app is None:
        raise SchemaError("\n".join(reader.faults))
    return app


Patterns = tuple[Pattern, ...]
Way = TypeVar("Way")

#: What one more way to know a screen cannot change about it.
_OF_THE_SCREEN = frozenset({"id", "kind", "priority", "packages", "alone", "outcome", "evidence"})


def merged(base: Words, more: Words) -> Words:
    """Both tables, with the phrases of a key together."""
    found = {language: dict(table) for language, table in base.items()}
    for language, table in more.items():
        mine = found.setdefault(language, {})
        for key, phrases in table.items():
            mine[key] = mine.get(key, frozenset()) | phrases
    return found


def without(words: Words, seen: Words) -> Words:
    """The table without the phrases that are in the other one."""
    return {
        language: {
            key: phrases - seen.get(language, {}).get(key, frozenset()) for key, phrases in table.items()
        }
        for language, table in words.items()
    }


def _first_then(
    first: dict[str, tuple[Way, ...]], then: dict[str, tuple[Way, ...]]
) -> dict[str, tuple[Way, ...]]:
    return {
        name: (*first.get(name, ()), *then.get(name, ())) for name in [*then, *(first.keys() - then.keys())]
    }


class Reader(Values):
    """Reads one file, gathering every fault instead of stopping at the first."""

    def __init__(self, name: str, lines: dict[Where, int], known: dict[str, App]) -> None:
        super().__init__(name, lines)
        self.known = known
        self.keys: frozenset[str] = frozenset()
        self.screens: dict[str, list[Screen]] = {}  #: by id, those of the files before this one first

    def app(self, data: Any) -> App | None:
        data = self.mapping(data, (), _FILE_KEYS)
        if data.get("schema") != VERSION:
            self.fault(("schema",), f"schema {VERSION} was expected")
        name = data.get("app")
        if not isinstance(name, str) or not name:
            self.fault(("app",), "the app's name is missing")
            return None
        base = self.known.get(name) or App(name, (), re.compile(".+"), {}, ())
        seen = self.languages(data.get("languages"), ("languages",))
        unseen = self.languages(data.get("unconfirmed"), ("unconfirmed",))
        words = merged(merged(base.words, seen), unseen)
        self.keys = frozenset(words.get("en", {}))
        self.need_english({"languages": seen, "unconfirmed": unseen})
        self.screens = {screen.id: [] for screen in base.screens}
        for screen in base.screens:
            self.screens[screen.id].append(screen)
        self.own_screens(data.get("screens"))
        found = [screen for same in self.screens.values() for screen in same]
        packages = self.texts(data.get("packages"), ("packages",))
        return App(
            name=name,
            packages=tuple(dict.fromkeys((*base.packages, *packages))),
            handle=self.regex(data["handle"], ("handle",)) if "handle" in data else base.handle,
            words=words,
            unconfirmed=without(merged(base.unconfirmed, unseen), seen),
            screens=tuple(sorted(found, key=lambda screen: screen.priority)),
        )

    def own_screens(self, value: Any) -> None:
        """Add the screens of this file: a new one, one in place of another, or one more way to know another."""
        here: set[str] = set()
        for at, stated in enumerate(self.items(value, ("screens",))):
            where: Where = ("screens", at)
            data = self.mapping(stated, where, _SCREEN_KEYS)
            if "extends" in data:
                self.extend(data, where)
            elif (screen := self.screen(data, where)) is not None:
                if screen.id in here:
                    self.fault(where, f"screen {screen.id!r} is there twice")
                here.add(screen.id)
                self.screens[screen.id] = [screen]

    def extend(self, data: dict[str, Any], where: Where) -> None:
        """One more way to know a screen that there is; its own ways to read and tap are tried before the others."""
        same = self.screens.get(str(data["extends"]))
        if not same:
            self.fault((*where, "extends"), f"there is no screen {data['extends']!r} that could be extended")
            return
        for name in sorted(_OF_THE_SCREEN & data.keys()):
            self.fault((*where, name), f"{same[0].id}: what extends a screen takes its {name} from there")
        base = same[0]
        stated = {**data, "id": base.id, "kind": base.kind, "priority": base.priority}
        if base.reason:
            stated["outcome"] = {"reason": base.reason, "result": base.result}
        for name in ("extends", *(_OF_THE_SCREEN - stated.keys())):
            stated.pop(name, None)
        prefix = f"{self.name.rpartition('.')[0]}.{len(same)}:"
        more = self.screen(stated, where, prefix)
        if more is not None:
            same.append(
                replace(
                    more,
                    packages=base.packages,
                    alone=base.alone,
                    extract=_first_then(more.extract, base.extract),
                    actions=_first_then(more.actions, base.actions),
                )
            )

    def languages(self, value: Any, where: Where) -> Words:
        words: Words = {}
        for language, table in self.mapping(value or {}, where).items():
            words[language] = {}
            for key, phrases in self.mapping(table, (*where, language)).items():
                said = self.items(phrases, (*where, language, key))
                if not said or not all(isinstance(one, str) and normalise(one) for one in said):
                    self.fault((*where, language, key), f"{key}: a list of phrases was expected")
                    continue
                words[language][key] = frozenset(map(normalise, said))
        return words

    def need_english(self, said: dict[str, Words]) -> None:
        """A text key exists by its English phrases, so that a mistyped one is noticed."""
        for section, words in said.items():
            for language, table in words.items():
                for key in sorted(table.keys() - self.keys):
                    self.fault((section, language, key), f"text key {key!r} is missing in en")

    def screen(self, data: dict[str, Any], where: Where, prefix: str = "") -> Screen | None:
        kind = data.get("kind")
        if not isinstance(data.get("id"), str) or not isinstance(kind, str) or kind not in KINDS:
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
            likely=self.patterns(data.get("likely"), (*where, "likely")),
            threshold=self.number(data.get("threshold", 0), (*where, "threshold")),
            versions=self.range(data["versions"], (*where, "versions")) if "versions" in data else None,
            activity=self.texts(data.get("activity"), (*where, "activity")),
            packages=self.texts(data.get("packages"), (*where, "packages")),
            alone=self.boolean(data.get("alone", False), (*where, "alone")),
            extract=self.extracts(data.get("extract"), (*where, "extract")),
            actions=self.actions(data, where),
            reason=reason,
            result=result,
            prefix=prefix,
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
        if not isinstance(got.get("reason"), str) or str(got.get("result")) not in RESULTS:
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
        for name in sorted(stated.keys() - ACTIONS):
            if not name.startswith(OWN_ACTION):
                self.fault(
                    (*here, name), f"no script asks for the action {name!r}; yours begin with {OWN_ACTION}"
                )
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
        source, many = data.pop("from", "text"), self.boolean(data.pop("many", False), where)
        how = data.pop("normalise", "text")
        if str(how) not in NORMALISERS or str(source) not in SOURCES:
            self.fault(where, f"an extract reads {', '.join(sorted(SOURCES))}, as text or handle")
        return Extract(self.pattern(data, where), source, how, many)

    def patterns(self, value: Any, where: Where) -> tuple[Pattern, ...]:
        return tuple(self.pattern(one, (*where, at)) for at, one in enumerate(self.items(value, where)))

    def pattern(self, value: Any, where: Where) -> Pattern:
        data = self.mapping(value, where, KEYS)
        if not data.keys() - {"weight", "nth"}:
            self.fault(where, "an empty condition would match every node")
        held: dict[str, Any] = {
            name: self.part(name, data[name], (*where, name)) for name in KEYS & data.keys()
        }
        flags = tuple((name, held.pop(name)) for name in FLAGS if name in held)
        return Pattern(
            flags=flags, written=_written(data), **{_FIELD.get(name, name): one for name, one in held.items()}
        )

    def part(self, name: str, value: Any, where: Where) -> Any:
        """What one key of a condition asks for."""
        if name in NESTED:
            return self.pattern(value, where)
        if name in FLAGS:
            return self.boolean(value, where)
        if name in ("text", "contains") and str(value) not in self.keys:
            self.fault(where, f"text key {value!r} is in no language")
        read: Callable[[Reader, Any, Where], Any] = _READERS.get(name, Reader.word)
        return read(self, value, where)


#: How the value of a condition's key is read, where it is more than a word.
_READERS: dict[str, Callable[[Reader, Any, Where], Any]] = {
    "regex": Reader.pattern_regex,
    "handle": Reader.handle,
    "nth": Reader.integer,
    "count": Reader.range,
    "weight": Reader.number,
}
_FIELD = {"class": "cls"}  #: `class` is a word of Python


def _written(data: dict[str, Any]) -> str:
    """The condition as one writes it."""
    parts = (
        f"{name}: {{{_written(value)}}}" if isinstance(value, dict) else f"{name}: {value}"
        for name, value in data.items()
    )
    return ", ".join(part.replace("True", "true").replace("False", "false") for part in parts)
