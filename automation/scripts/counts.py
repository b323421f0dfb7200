"""Numbers as the apps write them, in any of their languages."""

from __future__ import annotations

import re

from automation.screens.dump import normalise

_UNITS = {
    "": 1,
    **dict.fromkeys(
        ("k", "tsd.", "mil", "tys.", "тыс.", "тис.", "rb", "ribu", "bin", "tn", "ألف", "千", "천"), 10**3
    ),
    **dict.fromkeys(("万", "萬", "만"), 10**4),
    **dict.fromkeys(("m", "mio.", "mln", "mln.", "mi", "mn", "млн", "jt", "مليون"), 10**6),
    **dict.fromkeys(("亿", "億", "억"), 10**8),
    **dict.fromkeys(("b", "md", "mrd.", "mrd", "mld", "млрд", "مليار"), 10**9),
}
#: Where a language means something else by a sign than the others.
_OWN_UNITS = {
    "tr": {"b": 10**3, "mr": 10**9},
    "vi": {"n": 10**3, "tr": 10**6},
}
_SHAPE = re.compile(r"(\d[\d.,٫٬' ]*)\s*(\D*)")
_GROUPED = re.compile(r"\d{1,3}([.,٬' ])\d{3}(?:\1\d{3})*")
_DECIMAL = re.compile(r"(\d+)[.,٫](\d{1,2})")


def parse_count(text: str, language: str = "") -> int | None:
    """The number, or None when it cannot be told: `1,234`, `1.234`, `12,3 k`, `12.3K`, `1.2M`, `1.2 万`.

    `language` is the app's: `12 B` are thousands in Turkish.
    """
    shape = _SHAPE.fullmatch(normalise(text))
    units = _UNITS | _OWN_UNITS.get(language, {})
    if shape is None or shape[2] not in units:
        return None
    digits, unit = shape[1].strip(), units[shape[2]]
    if digits.isdigit():
        return int(digits) * unit
    if unit == 1:
        return int(re.sub(r"\D", "", digits)) if _GROUPED.fullmatch(digits) else None
    if decimal := _DECIMAL.fullmatch(digits):
        return int(decimal[1] + decimal[2]) * unit // int("1" + "0" * len(decimal[2]))
    return None
