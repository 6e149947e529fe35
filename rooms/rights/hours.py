"""Opening hours of rooms: outside of them pupils read and do not write, by the clock of their own school.

A window opens on a day of the week at ``from`` and closes at ``to``, on the next day where that is not
later: times on the school's wall clock. A time that comes twice when summer ends is the first of the two; one
that is left out when it begins is as long after midnight as ever.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["Hours"]

TIME: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Hours:
    """Windows of the same length on some days of the week."""

    days: frozenset[int]
    """1 Monday to 7 Sunday, on which a window opens."""
    opens: time
    closes: time

    @classmethod
    def of(cls, days: Collection[int], opens: str, closes: str) -> Hours:
        """From numbers of days and ``HH:MM``. Raises ValueError."""
        if not days or not set(days) <= set(range(1, WEEK + 1)):
            raise ValueError("days are numbers from 1 (Monday) to 7 (Sunday)")
        if not (TIME.fullmatch(opens) and TIME.fullmatch(closes)):
            raise ValueError("times are written as 08:00")
        return cls(frozenset(days), time.fromisoformat(opens), time.fromisoformat(closes))

    @classmethod
    def stored(cls, record: Mapping[str, Any]) -> Hours:
        return cls.of(record["days"], record["from"], record["to"])

    def record(self) -> dict[str, Any]:
        """As a room's record has them, and everybody is told of them."""
        opens, closes = (each.isoformat("minutes") for each in (self.opens, self.closes))
        return {"days": sorted(self.days), "from": opens, "to": closes}

    def open_at(self, now: float, zone: str | None) -> bool:
        """Whether ``now`` (unix seconds) is within a window. Where nobody knows the time zone, never."""
        known = _zone(zone)
        return known is not None and any(start <= now < end for start, end in self._windows(now, known))

    def next_turn(self, now: float, zone: str | None) -> float | None:
        """When a window opens or closes next, in unix seconds."""
        known = _zone(zone)
        if known is None:
            return None
        return min(
            (edge for window in self._windows(now, known) for edge in window if edge > now), default=None
        )

    def _windows(self, now: float, zone: ZoneInfo) -> Iterator[tuple[float, float]]:
        """Those of the days from yesterday to this day next week."""
        today = datetime.fromtimestamp(now, zone).date()
        overnight = timedelta(days=self.closes <= self.opens)
        for offset in range(-1, WEEK + 1):
            day = today + timedelta(days=offset)
            if day.isoweekday() in self.days:
                yield _at(day, self.opens, zone), _at(day + overnight, self.closes, zone)


def _at(day: date, moment: time, zone: ZoneInfo) -> float:
    return datetime.combine(day, moment, zone).timestamp()


@lru_cache(maxsize=256)
def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None
