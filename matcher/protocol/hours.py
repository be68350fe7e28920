"""Working-hours arithmetic: calendars with public holidays, and delays that run on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Either weekdays (``P2D``: the same hour two weekdays later) or open time (``PT2H``)."""

    weekdays: int = 0
    open_time: timedelta = timedelta()


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """When somebody is there. ``always_open`` is the wall clock of rehearsals."""

    zone: ZoneInfo
    #: Opening and closing by weekday, Monday 0; a missing day is closed.
    opening: Mapping[int, tuple[time, time]]
    holidays: frozenset[date]
    always_open: bool = False
