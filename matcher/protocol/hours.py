"""Working-hours arithmetic: calendars with public holidays, and delays that run on them.

PROTOCOL.md, "Time": ``PnD`` is the same local hour n weekdays later (Monday to Friday, public holidays
left out, Saturday not counted), ``PTnH`` is open time. Every result lies within opening hours.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_ISO = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)

#: No calendar of people stays closed longer; one that does has no opening hours at all.
_LONGEST_CLOSURE = 60

_DAY = timedelta(days=1)


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


#: The one working day in which a held answer is settled, a yes asked again is confirmed.
ONE_DAY = Delay(weekdays=1)


def parse_delay(text: str) -> Delay:
    """``P2D``, ``PT2H``, ``PT90M``, ``PT2S`` or both parts. Raises ValueError with the text at fault."""
    days, rest = _parts(text)
    return Delay(weekdays=days, open_time=rest)


def parse_duration(text: str) -> timedelta:
    """The same notation as elapsed time: a day is 24 hours. Raises ValueError with the text at fault."""
    days, rest = _parts(text)
    return timedelta(days=days) + rest


def _parts(text: str) -> tuple[int, timedelta]:
    found = _ISO.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError(f"not an ISO 8601 delay of days, hours, minutes or seconds: {text!r}")
    number = {name: int(value or 0) for name, value in found.groupdict().items()}
    return number["days"], timedelta(
        hours=number["hours"], minutes=number["minutes"], seconds=number["seconds"]
    )


def after(start: datetime, delay: Delay, calendar: Calendar) -> datetime:
    """The moment ``delay`` after ``start`` on ``calendar``, in UTC.

    On an ``always_open`` calendar a weekday is 24 hours. Raises ValueError where the calendar never opens.
    """
    if calendar.always_open:
        return start.astimezone(UTC) + delay.weekdays * _DAY + delay.open_time
    at = start.astimezone(calendar.zone)
    day = at.date()
    for _ in range(delay.weekdays):
        day = _next_weekday(day, calendar)
    reached = next_open(datetime.combine(day, at.time(), calendar.zone), calendar)
    left = delay.open_time
    while left:
        reached, closing = _open_window(reached, calendar)
        used = min(left, closing - reached)
        left -= used
        reached = next_open(reached + used, calendar)
    return reached


def next_open(at: datetime, calendar: Calendar) -> datetime:
    """``at`` itself where somebody is there, else the next opening; in UTC.

    A day is open from its opening to just before its closing. Raises ValueError where it never opens.
    """
    if calendar.always_open:
        return at.astimezone(UTC)
    return _open_window(at, calendar)[0]


def is_open(at: datetime, calendar: Calendar) -> bool:
    """Whether somebody is there at that moment."""
    return next_open(at, calendar) == at


def opening_of(day: date, calendar: Calendar) -> datetime:
    """The first open moment of ``day`` or after it, in UTC; its midnight on an ``always_open`` calendar."""
    return next_open(datetime.combine(day, time(), calendar.zone), calendar)


def _next_weekday(day: date, calendar: Calendar) -> date:
    day += _DAY
    while day.weekday() >= 5 or day in calendar.holidays:
        day += _DAY
    return day


def _open_window(at: datetime, calendar: Calendar) -> tuple[datetime, datetime]:
    """The first open moment from ``at`` on, and the closing that follows it."""
    day = at.astimezone(calendar.zone).date()
    for _ in range(_LONGEST_CLOSURE):
        window = _window(day, calendar)
        if window is not None and at < window[1]:
            return max(at.astimezone(UTC), window[0]), window[1]
        day += _DAY
    raise ValueError("this calendar never opens")


def _window(day: date, calendar: Calendar) -> tuple[datetime, datetime] | None:
    """Opening and closing of a day in UTC, so that their difference is elapsed time on a night of change."""
    hours = calendar.opening.get(day.weekday())
    if hours is None or day in calendar.holidays:
        return None
    opening, closing = (datetime.combine(day, hour, calendar.zone).astimezone(UTC) for hour in hours)
    return opening, closing
