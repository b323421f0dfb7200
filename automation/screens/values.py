"""Values out of a YAML file that a person wrote: what is not as it should be becomes a sentence with its line."""

from __future__ import annotations

import re
import warnings
from typing import Any

import yaml

from automation.screens.definitions import SchemaError
from automation.screens.ranges import Range

Where = tuple[str | int, ...]  #: the way from the root of the file to a value

MOST = 1000  #: a number at most


class Loader(yaml.SafeLoader):
    """YAML in which only true and false are booleans: `no` is a word, and the language of Norway."""

    yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in ways if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, ways in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def parsed(text: str, name: str) -> tuple[Any, dict[Where, int], list[str]]:
    """What is in the file, the line of each value, and a fault for each key that stands twice. Raises SchemaError."""
    try:
        tree = yaml.compose(text, Loader=Loader)
        data = yaml.load(text, Loader)  # noqa: S506 - it is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "it cannot be parsed"
        raise SchemaError(f"{name}:{mark.line + 1 if mark else 1}: this is no YAML: {what}") from error
    except ValueError as error:  # such as the 31st of February
        raise SchemaError(f"{name}:1: a value cannot be read: {error}") from error
    lines: dict[Where, int] = {}
    twice: list[tuple[int, str]] = []
    _note_lines(tree, (), lines, twice)
    return data, lines, [f"{name}:{line}: {key!r} stands there twice" for line, key in twice]


def _note_lines(node: Any, path: Where, lines: dict[Where, int], twice: list[tuple[int, str]]) -> None:
    if node is not None:
        lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line, word = key.start_mark.line + 1, str(key.value)
            if word in seen:
                twice.append((line, word))
            seen.add(word)
            here = (*path, word)
            lines[here] = line
            _note_lines(value, here, lines, twice)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _note_lines(value, (*path, position), lines, twice)


class Values:
    """Takes values for what they should be, gathering every fault instead of stopping at the first."""

    def __init__(self, name: str, lines: dict[Where, int]) -> None:
        self.name, self.lines = name, lines
        self.faults: list[str] = []

    def fault(self, where: Where, what: str) -> None:
        line = next(
            (self.lines[where[:end]] for end in range(len(where), -1, -1) if where[:end] in self.lines), 1
        )
        self.faults.append(f"{self.name}:{line}: {what}")

    def mapping(self, value: Any, where: Where, known: frozenset[str] | None = None) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
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

    def texts(self, value: Any, where: Where) -> tuple[str, ...]:
        found = self.items(value, where)
        if not all(isinstance(one, str) and one for one in found):
            self.fault(where, "a list of words was expected")
            return ()
        return tuple(found)

    def word(self, value: Any, where: Where) -> str:
        if not isinstance(value, str) or not value.strip("*"):
            self.fault(where, "a word was expected")
        return str(value)

    def handle(self, value: Any, where: Where) -> str:
        if value not in ("any", "wanted"):
            self.fault(where, "handle is `any`, or `wanted`: the account that is looked for")
        return str(value)

    def boolean(self, value: Any, where: Where) -> bool:
        if not isinstance(value, bool):
            self.fault(where, "true or false was expected")
        return value is True

    def integer(self, value: Any, where: Where) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.fault(where, "a whole number was expected")
        return 0

    def number(self, value: Any, where: Where) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST:
            return float(value)
        self.fault(where, f"a number from 0 to {MOST} was expected")
        return 0.0

    def range(self, value: Any, where: Where) -> Range | None:
        try:
            return Range.parse(str(value))
        except ValueError as error:
            self.fault(where, str(error))
            return None

    def pattern_regex(self, value: Any, where: Where) -> re.Pattern[str]:
        return self.regex(value, where, re.IGNORECASE)

    def regex(self, value: Any, where: Where, flags: int = 0) -> re.Pattern[str]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # what Python will read in another way one day
                return re.compile(self.word(value, where), flags)
        except (re.error, FutureWarning) as error:
            self.fault(where, f"no regular expression: {error}")
            return re.compile(".^")
