"""What is assumed of people, each with its plausible range and where it comes from.

STANDARDS.md, "How doctors answer", gives ranges, since its sources are surveys; where it is silent the
source says "assumed". Change one with ``dataclasses.replace``; ``RANGES`` is what a sensitivity run walks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """Everything a made world is drawn from. Shares are probabilities, times are medians."""

    #: Requests a year, from all requesters.
    searches_per_year: int = 800
    #: Share of members who answer one announcement mail, before any reminder.
    mail_answered: float = 0.15
    #: The odds of answering with the reminder, against those without.
    reminder_odds: float = 1.3
    #: Hours from a mail to its answer, when there is one; log-normal.
    reply_hours: float = 24.0
    reply_spread: float = 1.1
    #: Lost share of the answers for each mail that the doctor got in the week before.
    mail_fatigue: float = 0.0
    #: Doctors who take nearly everyone, and those who refuse nearly everyone.
    keen: float = 0.125
    refusing: float = 0.5
    #: How willing each kind is, on average.
    keen_willing: float = 0.9
    ordinary_willing: float = 0.25
    refusing_willing: float = 0.02
    #: Patients accepted within 30 days that halve an ordinary doctor's willingness (three times as many
    #: for a keen one).
    capacity: float = 2.0
    #: One call reaches somebody who decides; or a secretary who will ask; or a machine; or nobody.
    phone_reached: float = 0.45
    phone_secretary: float = 0.20
    phone_message: float = 0.15
    #: A refusal by phone that says "not this month", and one that says "never call again".
    not_taking: float = 0.10
    do_not_call: float = 0.01
    #: A yes asked again is confirmed.
    yes_confirmed: float = 0.8
    #: Calls that the office can place in a working day, for all searches.
    calls_per_day: int = 60
    #: Hours until a proposal is discussed with the patient; log-normal, in office hours.
    choice_hours: float = 20.0
    #: The patient does not want a proposed doctor: at all, and more for each soft wish that is missed.
    patient_declines: float = 0.05
    declines_per_missed_wish: float = 0.10
    #: How often patients have a wish, against what is assumed of each kind of requester (``demand``).
    choosiness: float = 1.0
    #: The chosen doctor gives up.
    doctor_gives_up: float = 0.03
    #: Days from the choice to the first appointment; and the share of missed ones.
    appointment_days: float = 10.0
    appointment_missed: float = 0.10
    #: Share of urgent requests.
    urgent: float = 0.04


@dataclass(frozen=True, kw_only=True)
class Range:
    """The plausible values of one assumption."""

    low: float
    high: float
    source: str


_STANDARDS = "STANDARDS.md, « How doctors answer »"

#: What a sensitivity run varies, one at a time.
RANGES: Final[Mapping[str, Range]] = {
    "mail_answered": Range(low=0.07, high=0.30, source=f"{_STANDARDS}: 11 % with two reminders; 17–47 %"),
    "reminder_odds": Range(low=1.0, high=1.8, source=f"{_STANDARDS}: odds ratio 1.3"),
    "reply_hours": Range(low=12.0, high=48.0, source=f"{_STANDARDS}: median reply 1 day"),
    "mail_fatigue": Range(low=0.0, high=0.03, source="assumed; nothing published"),
    "keen": Range(low=0.05, high=0.20, source=f"{_STANDARDS}: 5 of 40 took nearly everyone"),
    "refusing": Range(low=0.33, high=0.67, source=f"{_STANDARDS}: half refuse outright"),
    "capacity": Range(low=1.0, high=4.0, source="assumed"),
    "phone_reached": Range(low=0.30, high=0.60, source=f"{_STANDARDS}: a call adds 11 points or more"),
    "calls_per_day": Range(low=30, high=120, source="assumed: one person to three"),
    "choice_hours": Range(low=6.0, high=60.0, source="assumed"),
    "searches_per_year": Range(low=400, high=1600, source="the territory's own count"),
}
