"""Numbers compared as numbers: versions (`>=300`, `<43.1.4`, `300..412`) and counts (`2`, `>=2`)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

_OPERATORS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "": operator.eq,
}  # fmt: skip
_PART = re.compile(r"(>=|<=|>|<|)(\d+(?:\.\d+)*)")


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version: 410.0.0.29 is newer than 99.1. Empty when it names none."""
    return tuple(int(one) for one in re.findall(r"\d+", version))


@dataclass(frozen=True)
class Range:
    """One or more bounds, all of which must hold. A bound speaks of as many numbers as it has: 300.5 is `<=300`."""

    bounds: tuple[tuple[str, tuple[int, ...]], ...]

    @classmethod
    def parse(cls, text: str) -> Range:
        """Raises ValueError with a sentence."""
        plain = re.sub(r"^\s*([\d.]+?)\s*\.\.\s*([\d.]+)\s*$", r">=\1 <=\2", text)
        parts = re.sub(r"([<>=])\s+", r"\1", plain).replace(",", " ").split()
        found = [_PART.fullmatch(part) for part in parts]
        if not found or None in found:
            raise ValueError(f"{text!r} is no range: write >=300, <43.1.4, 300..412 or one number")
        return cls(tuple((one[1], numbers(one[2])) for one in found if one))

    def __contains__(self, found: tuple[int, ...]) -> bool:
        return all(_OPERATORS[how](_padded(found, len(bound)), bound) for how, bound in self.bounds)


def _padded(found: tuple[int, ...], length: int) -> tuple[int, ...]:
    return (*found, *[0] * (length - len(found)))[:length]
