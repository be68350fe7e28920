"""Working hours: weekdays, open time, public holidays, the nights on which the clocks change."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.protocol.hours import (
    Calendar,
    Delay,
    after,
    is_open,
    next_open,
    opening_of,
    parse_delay,
    parse_duration,
)
from tests.unit.protocol_world import DOCTORS_HOURS, OFFICE_HOURS, PARIS, WALL_CLOCK


def paris(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("P2D", Delay(weekdays=2)),
        ("PT2H", Delay(open_time=timedelta(hours=2))),
        ("PT90M", Delay(open_time=timedelta(minutes=90))),
        ("PT2S", Delay(open_time=timedelta(seconds=2))),
        ("P1DT1H30M5S", Delay(weekdays=1, open_time=timedelta(hours=1, minutes=30, seconds=5))),
    ],
)
def test_a_delay_is_read_from_its_iso_notation(text: str, delay: Delay) -> None:
    assert parse_delay(text) == delay


@pytest.mark.parametrize("text", ["", "P", "PT", "2D", "P2W", "P-1D", "P1.5D", "pt2h", "P2D "])
def test_what_is_no_delay_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="delay"):
        parse_delay(text)


def test_as_elapsed_time_a_day_has_24_hours() -> None:
    assert parse_duration("P7DT1H") == timedelta(days=7, hours=1)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        # The same hour two weekdays later.
        (paris(2026, 6, 2, 10), 2, paris(2026, 6, 4, 10)),
        # Saturday is open to doctors and not counted.
        (paris(2026, 6, 5, 10), 1, paris(2026, 6, 8, 10)),
        (paris(2026, 6, 6, 10), 1, paris(2026, 6, 8, 10)),
        # A public holiday is not counted: Whit Monday.
        (paris(2026, 5, 22, 10), 1, paris(2026, 5, 26, 10)),
        # An evening's result is moved into the next morning.
        (paris(2026, 6, 2, 21), 1, paris(2026, 6, 4, 8)),
        # Before opening, to the opening.
        (paris(2026, 6, 2, 5), 1, paris(2026, 6, 3, 8)),
        # Over the nights on which the clocks change (29 March, 25 October 2026) the local hour stays.
        (paris(2026, 3, 27, 10), 1, paris(2026, 3, 30, 10)),
        (paris(2026, 10, 23, 10), 1, paris(2026, 10, 26, 10)),
        # The leap day is a day.
        (paris(2028, 2, 28, 10), 1, paris(2028, 2, 29, 10)),
    ],
)
def test_weekdays_keep_the_local_hour(start: datetime, days: int, end: datetime) -> None:
    assert after(start, Delay(weekdays=days), DOCTORS_HOURS) == end


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (paris(2026, 6, 2, 10), 2, paris(2026, 6, 2, 12)),
        # What is left of Friday, then Saturday morning.
        (paris(2026, 6, 5, 18), 2, paris(2026, 6, 6, 9)),
        # Saturday's four hours, then Monday.
        (paris(2026, 6, 6, 10), 4, paris(2026, 6, 8, 10)),
        # Nobody is there at the very closing: the next opening.
        (paris(2026, 6, 2, 17), 2, paris(2026, 6, 3, 8)),
        # On a holiday nothing runs.
        (paris(2026, 7, 13, 18), 2, paris(2026, 7, 15, 9)),
        (paris(2026, 6, 7, 3), 1, paris(2026, 6, 8, 9)),
    ],
)
def test_hours_are_open_hours(start: datetime, hours: int, end: datetime) -> None:
    assert after(start, Delay(open_time=timedelta(hours=hours)), DOCTORS_HOURS) == end


def test_an_hour_that_a_night_of_change_swallows_is_not_open_time() -> None:
    all_night = Calendar(zone=PARIS, opening={6: (time(0), time(6))}, holidays=frozenset())
    summer = after(paris(2026, 3, 29), Delay(open_time=timedelta(hours=2)), all_night)
    assert summer.astimezone(PARIS).time() == time(3)
    winter = after(paris(2026, 10, 25), Delay(open_time=timedelta(hours=4)), all_night)
    assert winter.astimezone(PARIS).time() == time(3)


def test_the_office_is_closed_on_saturdays() -> None:
    assert next_open(paris(2026, 6, 6, 10), OFFICE_HOURS) == paris(2026, 6, 8, 9)
    assert is_open(paris(2026, 6, 5, 16, 59), OFFICE_HOURS)
    assert not is_open(paris(2026, 6, 5, 17), OFFICE_HOURS)


def test_a_day_begins_with_its_opening_or_the_next() -> None:
    assert opening_of(date(2026, 6, 2), OFFICE_HOURS) == paris(2026, 6, 2, 9)
    assert opening_of(date(2026, 5, 1), OFFICE_HOURS) == paris(2026, 5, 4, 9)
    assert opening_of(date(2026, 5, 1), WALL_CLOCK) == paris(2026, 5, 1)


def test_in_a_rehearsal_a_weekday_is_24_hours_whatever_the_day() -> None:
    saturday = paris(2026, 3, 28, 23)
    assert after(saturday, Delay(weekdays=1), WALL_CLOCK) - saturday == timedelta(hours=24)
    assert after(saturday, Delay(open_time=timedelta(seconds=2)), WALL_CLOCK) - saturday == timedelta(
        seconds=2
    )
    assert next_open(saturday, WALL_CLOCK) == saturday


def test_a_calendar_without_opening_hours_is_an_error() -> None:
    closed = Calendar(zone=PARIS, opening={}, holidays=frozenset())
    with pytest.raises(ValueError, match="never opens"):
        next_open(paris(2026, 6, 2), closed)


moments = st.integers(0, 350 * 24 * 60).map(lambda m: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=m))
delays = st.builds(
    Delay,
    weekdays=st.integers(0, 12),
    open_time=st.integers(0, 60).map(lambda hours: timedelta(minutes=17 * hours)),
)


@given(moments, delays, st.sampled_from([DOCTORS_HOURS, OFFICE_HOURS, WALL_CLOCK]))
def test_every_result_is_in_utc_open_and_never_before_the_start(
    start: datetime, delay: Delay, calendar: Calendar
) -> None:
    end = after(start, delay, calendar)
    assert end >= start
    assert end.tzinfo is UTC
    assert is_open(end, calendar)


#: From a Saturday, a Sunday or a holiday « the same hour » is another day's, earlier or later than Friday's.
on_weekdays = moments.filter(lambda at: _working_day(at.astimezone(PARIS).date()))


def _working_day(day: date) -> bool:
    return day.weekday() < 5 and day not in DOCTORS_HOURS.holidays


@given(on_weekdays, on_weekdays, delays, st.sampled_from([DOCTORS_HOURS, OFFICE_HOURS, WALL_CLOCK]))
def test_who_starts_later_on_a_weekday_never_ends_earlier(
    one: datetime, other: datetime, delay: Delay, calendar: Calendar
) -> None:
    first, second = sorted((one, other))
    assert after(first, delay, calendar) <= after(second, delay, calendar)
