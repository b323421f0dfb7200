"""What a script may be asked with: options of four types, shown as a form and read again where the run is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
WHOLE = re.compile(r"\s*-?[0-9]{1,15}\s*")  #: what a person writes for a whole number
LONGEST_TEXT = 1000


class BadScript(ValueError):
    """A script is not written as it must be; the message says what is wrong with it."""


class WrongOption(ValueError):
    """A value that an option cannot have; the message is a sentence that says what it wants."""

    option = ""  #: its name

    def __init__(self, text: str, **values: Any) -> None:
        super().__init__(text % values)
        self.text, self.values = text, values  #: apart, so that the text can be translated


YES_OR_NO = "It must be yes or no."
NUMBER = "It must be a whole number."
BETWEEN = "It must be %(least)s to %(most)s."
AT_LEAST = "It must be %(least)s or more."
AT_MOST = "It must be %(most)s or less."
TEXT = "It must be one line of text."
SHORTER = "It may have %(longest)s characters at most."
ONE_OF = "It must be one of: %(values)s."
SENTENCES = (YES_OR_NO, NUMBER, BETWEEN, AT_LEAST, AT_MOST, TEXT, SHORTER, ONE_OF)


@dataclass(frozen=True)
class Option:
    """What all have in common. Use Bool, Int, Text or Choice."""

    name: str  #: by which the script reads it: `context.options[name]`
    label: str  #: as the operator reads it
    default: Any = None
    help: str = ""

    def read(self, value: Any) -> Any:
        """The value, from a form or from a ticket. Raises WrongOption."""
        raise NotImplementedError

    def check(self) -> None:
        """Raises BadScript when the option makes no sense."""
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise BadScript(f"the option name {self.name!r} is none: small letters, digits and _")
        if not isinstance(self.label, str) or not self.label or not isinstance(self.help, str):
            raise BadScript(f"option {self.name}: it needs a label, and its help must be text")
        try:
            read = self.read(self.default)
        except WrongOption as error:
            raise BadScript(f"option {self.name}: its default {self.default!r} is wrong. {error}") from None
        if type(read) is not type(self.default):
            raise BadScript(f"option {self.name}: its default {self.default!r} is of the wrong type")


@dataclass(frozen=True)
class Bool(Option):
    """Yes or no."""

    default: bool = False

    def read(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise WrongOption(YES_OR_NO)
        return value


@dataclass(frozen=True)
class Int(Option):
    """A whole number, within bounds if they are given."""

    default: int = 0
    least: int | None = None
    most: int | None = None

    def read(self, value: Any) -> int:
        number = int(value) if isinstance(value, str) and WHOLE.fullmatch(value) else value
        if isinstance(number, bool) or not isinstance(number, int):
            raise WrongOption(NUMBER)
        if (self.least is not None and number < self.least) or (self.most is not None and number > self.most):
            raise WrongOption(self._bounds(), least=self.least, most=self.most)
        return number

    def _bounds(self) -> str:
        if self.least is None or self.most is None:
            return AT_LEAST if self.most is None else AT_MOST
        return BETWEEN

    def check(self) -> None:
        for bound in (self.least, self.most):
            if bound is not None and type(bound) is not int:
                raise BadScript(f"option {self.name}: its bound {bound!r} is no whole number")
        super().check()


@dataclass(frozen=True)
class Text(Option):
    """A line of text, at most `longest` characters."""

    default: str = ""
    longest: int = 200

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not value.isprintable():
            raise WrongOption(TEXT)
        if len(value) > self.longest:
            raise WrongOption(SHORTER, longest=self.longest)
        return value

    def check(self) -> None:
        if type(self.longest) is not int or not 0 < self.longest <= LONGEST_TEXT:
            raise BadScript(f"option {self.name}: `longest` must be 1 to {LONGEST_TEXT}")
        super().check()


@dataclass(frozen=True)
class Choice(Option):
    """One of `choices`: (value, label) pairs, or values that are their own labels."""

    default: str = ""
    choices: Sequence[str | tuple[str, str]] = ()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(value, label)."""
        return [(one, one) if isinstance(one, str) else (one[0], one[1]) for one in self.choices]

    def read(self, value: Any) -> str:
        values = [one for one, _label in self.pairs]
        if value not in values:
            raise WrongOption(ONE_OF, values=", ".join(values))
        return str(value)

    def check(self) -> None:
        if isinstance(self.choices, str) or not self.choices or not all(map(_is_choice, self.choices)):
            raise BadScript(f"option {self.name}: `choices` must be texts, or pairs of a value and its label")
        super().check()


def _is_choice(one: object) -> bool:
    pair = (one, one) if isinstance(one, str) else one
    return isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(text, str) for text in pair)


def check(options: Any) -> tuple[Option, ...]:
    """The options of a script. Raises BadScript."""
    if not isinstance(options, list | tuple):
        raise BadScript("`options` must be a list of Bool, Int, Text and Choice")
    for one in options:
        if not isinstance(one, Option) or type(one) is Option:
            raise BadScript(f"the option {one!r} is no Bool, Int, Text or Choice")
        one.check()
    names = [one.name for one in options]
    if len(set(names)) != len(names):
        raise BadScript("two of its options have one name")
    return tuple(options)


def read(options: Sequence[Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """The value of each option: the given one, else its default. Raises WrongOption; what is not asked is left out."""
    return {one.name: _read_one(one, given.get(one.name, one.default)) for one in options}


def _read_one(option: Option, value: Any) -> Any:
    try:
        return option.read(value)
    except WrongOption as error:
        error.option = option.name
        raise
