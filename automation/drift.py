"""How well each alternative of the screens still works: counted from the runs, shown before anything breaks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice

from django.db import connection
from django.db.models import Max, Sum
from django.utils import timezone

from automation.models import Sighting

Key = tuple[str, str, str, str]  #: app, screen, alternative, app version

WINDOW, BEFORE = timedelta(days=7), timedelta(days=28)  #: the hit rate is of the one, compared with the other
KEPT = timedelta(days=90)
TOGETHER = 500  #: rows in one statement
LENGTHS = (32, 80, 80, 80)  #: of the parts of a key
_ALTERNATIVE = re.compile(r"(?:[^:]*:)?(?:all|\w+\.\d{1,3})|")
MOST = 400  #: alternatives taken from one report


class Seen:
    """What the runs of one batch of reports saw, written in one statement."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._runs: Counter[Key] = Counter()

    def add(self, report: object) -> None:
        """Count what one run saw: [[app, screen, version, [alternatives]], ...]. What makes no sense is left out."""
        self._runs.update(set(islice(_keys(report), MOST)))

    def write(self) -> None:
        """Add the counts to those of the day; in the order of their keys, so that two controllers do not block."""
        rows = iter(sorted(self._runs.items()))
        day = connection.ops.adapt_datefield_value(timezone.localdate(self._now))
        at = connection.ops.adapt_datetimefield_value(self._now)
        while part := list(islice(rows, TOGETHER)):
            values = chain.from_iterable((*key, day, count, at) for key, count in part)
            with connection.cursor() as cursor:
                cursor.execute(_upsert(len(part)), list(values))


def _keys(report: object) -> Iterator[Key]:
    for row in report if isinstance(report, list) else []:
        if not (isinstance(row, list) and len(row) == 4 and isinstance(row[3], list)):
            continue
        app, screen, version, alternatives = row
        for alternative in alternatives:
            key = (app, screen, alternative, version)
            if _is_a_key(key):
                yield key


def _is_a_key(key: tuple[object, ...]) -> bool:
    """Whether each part is a text that the table can hold, and the alternative one that a screen may have."""
    fits = all(
        isinstance(one, str) and len(one) <= most and one.isprintable()
        for one, most in zip(key, LENGTHS, strict=True)
    )
    return fits and bool(key[0] and key[1]) and bool(_ALTERNATIVE.fullmatch(str(key[2])))


def _upsert(rows: int) -> str:
    table = connection.ops.quote_name(Sighting._meta.db_table)
    places = ", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * rows)
    return (
        f"INSERT INTO {table} (app, screen, alternative, app_version, day, runs, last_at) VALUES {places} "  # noqa: S608 - our own names
        "ON CONFLICT (day, app, screen, alternative, app_version) DO UPDATE "
        f"SET runs = {table}.runs + excluded.runs, last_at = excluded.last_at"
    )


def prune(now: datetime) -> int:
    """Forget what is older than KEPT; returns how many rows that were."""
    return Sighting.objects.filter(day__lt=timezone.localdate(now - KEPT)).delete()[0]


@dataclass(frozen=True)
class Line:
    """An alternative under one version of the app, over the last 7 days."""

    app: str
    screen: str
    alternative: str
    app_version: str
    last_at: datetime | None
    hits: int  #: runs in which it worked
    tries: int  #: runs in which it was looked for
    before: float | None  #: its hit rate in the three weeks before, under any version; None: not looked for

    @property
    def rate(self) -> float:
        """Of the runs in which it was looked for, the share in which it worked."""
        return self.hits / self.tries if self.tries else 0.0

    @property
    def drop(self) -> float:
        """How much worse it works than before; what worked always and now never is 1."""
        return max(0.0, (self.before or 0.0) - self.rate)


def lines(now: datetime) -> list[Line]:
    """Every alternative that worked in the last four weeks, under each version seen this week; drifting ones first."""
    today = timezone.localdate(now)
    found = Sighting.objects.filter(day__gt=today - BEFORE).values_list(
        "app", "screen", "alternative", "app_version"
    )
    counts = found.annotate(n=Sum("runs"), last=Max("last_at")).order_by()
    this, earlier = Tally(), Tally()
    last: dict[Key, datetime] = {}
    for app, screen, alternative, version, runs, at in counts.filter(day__lte=today - WINDOW):
        earlier.add((app, screen, alternative, ""), runs)
        last[app, screen, alternative, version] = at
    for *key, runs, at in counts.filter(day__gt=today - WINDOW):
        this.add(tuple(key), runs)
        last[tuple(key)] = at
    made = [_line(key, this, earlier, last.get(key)) for key in sorted(_expected(this, earlier))]
    return sorted((line for line in made if line.tries), key=lambda line: (-line.drop, -line.tries))


class Tally:
    """Runs by alternative, under one app, screen and version each."""

    def __init__(self) -> None:
        self.by_screen: dict[tuple[str, str, str], Counter[str]] = {}

    def add(self, key: Key, runs: int) -> None:
        app, screen, alternative, version = key
        self.by_screen.setdefault((app, screen, version), Counter())[alternative] += runs

    def hits(self, key: Key) -> int:
        """In how many runs the alternative worked."""
        app, screen, alternative, version = key
        return self.by_screen.get((app, screen, version), Counter())[alternative]

    def tries(self, key: Key) -> int:
        """In how many runs it was looked for.

        One of a screen whenever the screen was seen; one of an action only when none before it had worked.
        """
        app, screen, alternative, version = key
        here = self.by_screen.get((app, screen, version), Counter())
        if is_of_screen(alternative):
            return here[""]
        name, place = _parts(alternative)
        return sum(
            runs for other, runs in here.items() if _parts(other)[0] == name and _parts(other)[1] >= place
        )


def _parts(alternative: str) -> tuple[str, int]:
    """`log_in.2` as (log_in, 2)."""
    name, _, place = alternative.rpartition(".")
    return name, int(place) if place.isdecimal() else 0


def is_of_screen(alternative: str) -> bool:
    """Whether it is a way to know the screen, not a way to do something on it."""
    name = alternative.rpartition(":")[2]
    return name == "all" or name.startswith("any.")


def _expected(this: Tally, earlier: Tally) -> set[Key]:
    """Each alternative ever seen of a screen, under each version under which the screen was seen this week."""
    alternatives: dict[tuple[str, str], set[str]] = {}
    for tally in (this, earlier):
        for (app, screen, _version), here in tally.by_screen.items():
            alternatives.setdefault((app, screen), set()).update(here.keys() - {""})
    return {
        (app, screen, alternative, version)
        for app, screen, version in this.by_screen
        for alternative in alternatives[app, screen]
    }


def _line(key: Key, this: Tally, earlier: Tally, last_at: datetime | None) -> Line:
    app, screen, alternative, _version = key
    general = (app, screen, alternative, "")
    tried_before = earlier.tries(general)
    before = earlier.hits(general) / tried_before if tried_before else None
    return Line(*key, last_at, this.hits(key), this.tries(key), before)
