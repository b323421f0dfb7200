"""When a schedule is due: pure, from a cron line or an interval and a time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

#: Intervals are counted from this midnight of their zone, a Monday: no restart and no change of clocks shifts them.
ANCHOR = datetime(2024, 1, 1)
LOOK_BACK = timedelta(days=31)  #: starts older than that are not even counted


@dataclass(frozen=True)
class Schedule:
    """A cron line, or an interval, or neither: never due."""

    cron: str = ""
    every_minutes: int | None = None
    time_zone: str = "UTC"

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The starts after `moment`, each later than the one before, in UTC."""
        if self.every_minutes:
            return self._interval(moment, timedelta(minutes=self.every_minutes))
        return self._cron(moment) if self.cron else iter(())

    def between(self, since: datetime, until: datetime) -> list[datetime]:
        """The starts after `since` up to and with `until`."""
        found = self.after(max(since, until - LOOK_BACK))
        return list(takewhile(lambda start: start <= until, found))

    def _interval(self, moment: datetime, step: timedelta) -> Iterator[datetime]:
        anchor = ANCHOR.replace(tzinfo=ZoneInfo(self.time_zone)).astimezone(UTC)
        start = anchor + ((moment - anchor) // step) * step
        while True:
            start += step
            yield start

    def _cron(self, moment: datetime) -> Iterator[datetime]:
        """A time that the clocks leave out is due when they go on, one that they show twice the first time.

        Around such an hour cronsim also names moments that are past, or one of them twice.
        """
        last = moment
        for found in CronSim(self.cron, moment.astimezone(ZoneInfo(self.time_zone))):
            start = found.astimezone(UTC)
            if start > last:
                yield start
                last = start
