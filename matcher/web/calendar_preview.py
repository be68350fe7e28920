"""What a territory's delays mean on this week's calendar: a search launched now, step by step. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from matcher.protocol.hours import Calendar, after, next_open
from matcher.protocol.rules import Rules

WEEKS: Final = 2
#: A territory may set delays of months; the picture stays one.
LONGEST: Final = 5
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Something that would happen, and when; ``at`` in the territory's zone."""

    said: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day of the calendar: why nobody works, or what would happen."""

    on: date
    closed: bool
    holiday: bool
    today: bool
    moments: tuple[Moment, ...]


def moments(rules: Rules, now: datetime, *, urgent: bool) -> tuple[Moment, ...]:
    """A search launched now, or at the next opening, to which nobody answers until the calls; then a yes at
    once, chosen the next working day, and an appointment four working days later.
    """
    delays, office, doctors = rules.for_(urgent=urgent), rules.office_calendar, rules.doctors_calendar
    launch = next_open(now, office)
    mailed = next_open(launch, doctors)
    calls = after(mailed, delays.calls, doctors)
    found = [("lancement, premiers mails", launch)]
    if delays.reminder is not None:
        found.append(("rappel aux médecins silencieux", after(mailed, delays.reminder, doctors)))
    wave = after(mailed, delays.next_wave, doctors)
    if not urgent and wave < calls:
        found.append(("deuxième vague", wave))
    found.append(("passage aux appels ; supposons un oui", calls))
    found.append(("choix de la personne redemandé", after(calls, delays.choice_chase, office)))
    found.append(("le oui n’est plus tenu : il est redemandé", after(calls, delays.yes_held, doctors)))
    zone = office.zone
    return tuple(
        Moment(said=said, at=at.astimezone(zone)) for said, at in sorted(found, key=lambda one: one[1])
    )


def days(rules: Rules, now: datetime, told: tuple[Moment, ...]) -> list[list[Day]]:
    """The calendar from this week's Monday on, week by week, with the moments on their days."""
    office = rules.office_calendar
    today = now.astimezone(office.zone).date()
    monday = today - today.weekday() * _DAY
    grouped: dict[date, list[Moment]] = {}
    for one in told:
        grouped.setdefault(one.at.date(), []).append(one)
    last = max([today, *grouped])
    weeks = min(max(WEEKS, (last - monday).days // 7 + 1), LONGEST)
    return [
        [_day(monday + (7 * week + number) * _DAY, office, today, grouped) for number in range(7)]
        for week in range(weeks)
    ]


def _day(on: date, office: Calendar, today: date, told: Mapping[date, list[Moment]]) -> Day:
    holiday = on in office.holidays
    closed = not office.always_open and (holiday or on.weekday() not in office.opening)
    return Day(on=on, closed=closed, holiday=holiday, today=on == today, moments=tuple(told.get(on, ())))
