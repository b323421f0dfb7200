"""The figures of a profile over time, as lines that a page draws by itself: SVG without a script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format, localize
from django.utils.translation import gettext as _

from accounts.models import FiguresOfDay
from accounts.services import COUNTS

WIDTH, HEIGHT = 320, 110  #: of the drawing, in its own units
TOP, BOTTOM, LEFT, RIGHT = 8, 88, 66, 314  #: where the line may run; its numbers stand to the left
NAMED_POINTS = 120  #: with more, the points say nothing under the mouse


@dataclass(frozen=True)
class Point:
    """A day that was read, and where it stands in the drawing."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Chart:
    """One figure over time."""

    name: str
    label: str
    now: str
    change: str  #: since the first day shown, with its sign
    is_up: bool | None  #: None: as it was
    points: list[Point]
    line: str  #: of an SVG polyline
    area: str  #: of a polygon, down to the ground
    first: str
    last: str
    marks: list[tuple[float, str]]  #: (height in the drawing, number) of the highest and the lowest
    told: str  #: the same in words


@dataclass(frozen=True)
class Row:
    """One day of the table."""

    day: str
    counts: list[str]


def charts(rows: Sequence[FiguresOfDay]) -> list[Chart]:
    """One for each figure that was read at least once in these days, oldest first."""
    found = []
    for name in COUNTS:
        read = [(row.day, getattr(row, name)) for row in rows if getattr(row, name) is not None]
        if read:
            found.append(_chart(name, read, rows[0].day, rows[-1].day))
    return found


def labels() -> list[str]:
    """What the figures are called, in the order of the charts and of the table."""
    return [str(FiguresOfDay._meta.get_field(name).verbose_name) for name in COUNTS]  # type: ignore[union-attr]


def table(rows: Iterable[FiguresOfDay]) -> list[Row]:
    """The newest day first; a dash for what was not shown."""
    return [
        Row(date_format(row.day, "j M Y"), [_number(getattr(row, name)) for name in COUNTS])
        for row in sorted(rows, key=lambda row: row.day, reverse=True)
    ]


def _chart(name: str, read: list[tuple[date, int]], begin: date, end: date) -> Chart:
    counts = [count for _day, count in read]
    low, high = min(counts), max(counts)
    places = [(_x(day, begin, end), _y(count, low, high)) for day, count in read]
    texts = [f"{date_format(day, 'j M Y')}: {_number(count)}" for day, count in read]
    change = counts[-1] - counts[0]
    line = " ".join(f"{x:g},{y:g}" for x, y in places)
    named = zip(places, texts, strict=True) if len(read) <= NAMED_POINTS else [(places[-1], texts[-1])]
    return Chart(
        name=name,
        label=labels()[COUNTS.index(name)],
        now=_number(counts[-1]),
        change=f"{'+' if change > 0 else '−'}{_number(abs(change))}" if change else "±0",
        is_up=change > 0 if change else None,
        points=[Point(x, y, text) for (x, y), text in named],
        line=line,
        area=f"{places[0][0]:g},{BOTTOM} {line} {places[-1][0]:g},{BOTTOM}",
        first=date_format(begin, "j M Y"),
        last=date_format(end, "j M Y"),
        marks=[(_y(one, low, high), _short(one)) for one in dict.fromkeys([high, low])],
        told=_in_words(texts, low, high),
    )


def _in_words(texts: list[str], low: int, high: int) -> str:
    if len(texts) == 1:
        return _("Read on one day. %(only)s.") % {"only": texts[0]}
    said = {"first": texts[0], "last": texts[-1], "low": _number(low), "high": _number(high), "n": len(texts)}
    return _("Read on %(n)s days. %(first)s. %(last)s. Lowest %(low)s, highest %(high)s.") % said


def _x(day: date, begin: date, end: date) -> float:
    days = (end - begin).days
    share = (day - begin).days / days if days else 0.5
    return round(LEFT + share * (RIGHT - LEFT), 1)


def _y(count: int, low: int, high: int) -> float:
    share = (count - low) / (high - low) if high > low else 0.5
    return round(BOTTOM - share * (BOTTOM - TOP), 1)


def _short(count: int) -> str:
    """As wide as there is room for to the left of the line."""
    return f"{localize(round(count / 10**6, 1))} M" if count >= 10**7 else _number(count)


def _number(count: Any) -> str:
    return "–" if count is None else str(localize(count))
