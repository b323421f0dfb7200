"""Numbers as the apps write them, in any of their languages."""

from __future__ import annotations

import re

from automation.screens.dump import normalise

_UNITS = {
    "": 1,
    "k": 10**3,
    "tsd.": 10**3,
    "mil": 10**3,
    "m": 10**6,
    "mio.": 10**6,
    "mln": 10**6,
    "mi": 10**6,
    "b": 10**9,
    "md": 10**9,
    "mrd.": 10**9,
    "mld": 10**9,
    "万": 10**4,
    "萬": 10**4,
    "亿": 10**8,
    "億": 10**8,
}
_SHAPE = re.compile(r"(\d[\d.,' ]*)\s*(\D*)")
_GROUPED = re.compile(r"\d{1,3}([.,' ])\d{3}(?:\1\d{3})*")
_DECIMAL = re.compile(r"(\d+)[.,](\d{1,2})")


def parse_count(text: str) -> int | None:
    """The number, or None when it cannot be told: `1,234`, `1.234`, `12,3 k`, `12.3K`, `1.2M`, `1.2 万`."""
    shape = _SHAPE.fullmatch(normalise(text))
    if shape is None or shape[2] not in _UNITS:
        return None
    digits, unit = shape[1].strip(), _UNITS[shape[2]]
    if digits.isdigit():
        return int(digits) * unit
    if unit == 1:
        return int(re.sub(r"\D", "", digits)) if _GROUPED.fullmatch(digits) else None
    if decimal := _DECIMAL.fullmatch(digits):
        return int(decimal[1] + decimal[2]) * unit // int("1" + "0" * len(decimal[2]))
    return None
