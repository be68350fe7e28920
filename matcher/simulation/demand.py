"""Who looks for a doctor over a year: arrivals by kind of requester, patients drawn from the population."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Final

import numpy as np

from matcher.protocol.announcement import (
    Announcement,
    CannotAnnounce,
    Condition,
    ConditionKind,
    Ground,
    Subject,
)
from matcher.protocol.ladder import announce
from matcher.protocol.places import Place
from matcher.protocol.search import Household
from matcher.protocol.wishes import Wish, WishKind
from matcher.simulation.assumptions import Assumptions
from matcher.simulation.terrain import Terrain


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the requests of one kind of requester are like. Shares are assumed unless said otherwise."""

    #: Of all requests; social workers send half of them (PROTOCOL.md).
    share: float
    #: Comes at any hour, not in office hours only.
    round_the_clock: bool = False
    language: float = 0.10
    household: float = 0.05
    #: Nobody younger.
    youngest: int = 0
    urgent: float = 1.0


PROFILES: Final = {
    "ccas": Profile(share=0.22, language=0.18, household=0.12),
    "social": Profile(share=0.23, language=0.18, household=0.12),
    "permanence": Profile(share=0.05, language=0.30, household=0.08),
    "urgences": Profile(share=0.15, round_the_clock=True, urgent=2.0),
    "pass": Profile(share=0.10, language=0.40, youngest=18),
    "infirmier": Profile(share=0.09, youngest=50, household=0.0),
    "pharmacien": Profile(share=0.06, household=0.0),
    "medecin": Profile(share=0.06),
    "ehpad": Profile(share=0.02, youngest=75, household=0.0, language=0.02),
    "autre": Profile(share=0.02),
}
#: What is spoken by those who wish for another language than French, roughly by what territories report.
_LANGUAGES = {"ar": 0.50, "tr": 0.15, "en": 0.10, "pt": 0.10, "it": 0.05, "ro": 0.05, "ru": 0.05}
#: Minors come with their parents more often than alone.
_MINORS = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One request: who, when, with which wishes."""

    number: int
    at: datetime
    requester: str
    age: int
    announcement: Announcement
    wishes: tuple[Wish, ...]
    conditions: tuple[Condition, ...]
    household: Household | None
    urgent: bool


def year(
    terrain: Terrain, assumed: Assumptions, seed: int, start: datetime, years: float = 1.0
) -> tuple[list[Demand], int]:
    """The requests of ``years`` in their order, and how many could not be announced about K residents."""
    chance = np.random.default_rng((seed, 3))
    kinds = [kind for kind in PROFILES if not terrain.requesters or kind in terrain.requesters]
    shares = np.array([PROFILES[kind].share for kind in kinds])
    people = _People(terrain)
    count = int(chance.poisson(assumed.searches_per_year * years))
    drawn: list[Demand] = []
    refused = 0
    for number in range(count):
        # A generator per request: one more wish of somebody leaves everybody else as they are.
        own = np.random.default_rng((seed, 4, number))
        kind = str(own.choice(kinds, p=shares / shares.sum()))
        at = _arrival(terrain, PROFILES[kind], own, start, years)
        made = people.request(number, at, kind, assumed, own)
        if made is None:
            refused += 1
        else:
            drawn.append(made)
    return sorted(drawn, key=lambda demand: (demand.at, demand.number)), refused


def _arrival(
    terrain: Terrain, profile: Profile, chance: np.random.Generator, start: datetime, years: float
) -> datetime:
    """A moment of the period; in office hours, unless the requester works around the clock."""
    at = start + timedelta(days=365.0 * years) * float(chance.random())
    if profile.round_the_clock:
        return at
    calendar = terrain.rules.office_calendar
    day = at.astimezone(calendar.zone).date()
    while not calendar.always_open and (day.weekday() not in calendar.opening or day in calendar.holidays):
        day += timedelta(days=1)
    opens, closes = (time(0), time(23, 59)) if calendar.always_open else calendar.opening[day.weekday()]
    first = datetime.combine(day, opens, calendar.zone)
    last = datetime.combine(day, closes, calendar.zone)
    return (first + (last - first) * float(chance.random())).astimezone(UTC)


class _People:
    """Draws persons from the counts of a territory, and announces them by the protocol's own ladder."""

    def __init__(self, terrain: Terrain) -> None:
        self.terrain = terrain
        self._ground = Ground(gazetteer=terrain.gazetteer, population=terrain.population, k=terrain.rules.k)
        rows = terrain.population.residents
        weight = [row.residents * (_MINORS if row.age_from < 18 else 1.0) for row in rows]
        self._shares = np.array(weight) / sum(weight)
        homes = [home for home in terrain.population.households if home.adults + home.children > 1]
        self._homes: Sequence[tuple[int, int]] = [(home.adults, home.children) for home in homes]
        counts = np.array([float(home.households) for home in homes])
        self._home_shares = counts / counts.sum() if homes else counts
        self._announce = lru_cache(maxsize=None)(self._announced)

    def request(
        self, number: int, at: datetime, kind: str, assumed: Assumptions, chance: np.random.Generator
    ) -> Demand | None:
        profile = PROFILES[kind]
        age, place = self._person(profile.youngest, chance)
        household = self._household(profile, chance)
        conditions = _conditions(kind, age, household, chance)
        announced = self._announce(age, place, conditions, household)
        if announced is None:
            return None
        return Demand(
            number=number,
            at=at,
            requester=kind,
            age=age,
            announcement=announced,
            wishes=_wishes(profile, age, assumed, chance),
            conditions=conditions,
            household=household,
            urgent=bool(chance.random() < assumed.urgent * profile.urgent),
        )

    def _person(self, youngest: int, chance: np.random.Generator) -> tuple[int, Place]:
        rows = self.terrain.population.residents
        while True:
            row = rows[int(chance.choice(len(rows), p=self._shares))]
            # The ages of an open row thin out, by half every five years.
            span = (
                chance.exponential(7.0)
                if row.age_to is None
                else chance.random() * (row.age_to - row.age_from + 1)
            )
            age = min(110, row.age_from + int(span))
            if age >= youngest:
                place = self.terrain.gazetteer.quartier(row.quartier, row.insee)
                return age, place or self.terrain.gazetteer.whole()

    def _household(self, profile: Profile, chance: np.random.Generator) -> Household | None:
        drawn = float(chance.random())
        if not self._homes or drawn >= profile.household:
            return None
        adults, children = self._homes[int(chance.choice(len(self._homes), p=self._home_shares))]
        return Household(adults=adults, children=children)

    def _announced(
        self, age: int, place: Place, conditions: tuple[Condition, ...], household: Household | None
    ) -> Announcement | None:
        home = household or Household()
        subject = Subject(
            age=age, place=place, conditions=conditions, adults=home.adults, children=home.children
        )
        try:
            return announce(subject, self._ground)
        except CannotAnnounce:
            return None


def _conditions(
    kind: str, age: int, household: Household | None, chance: np.random.Generator
) -> tuple[Condition, ...]:
    drawn = chance.random(4)
    found = []
    if household is None and kind == "ehpad":
        found.append(ConditionKind.EHPAD_VISITS)
    elif household is None and drawn[0] < (0.30 if age >= 80 else 0.05 if age >= 65 else 0.01):
        found.append(ConditionKind.HOME_VISITS)
    if drawn[1] < (0.12 if age >= 70 else 0.02):
        found.append(ConditionKind.STEP_FREE)
    if drawn[2] < 0.04:
        found.append(ConditionKind.EVENINGS)
    return tuple(Condition(kind=one) for one in found)


def _wishes(
    profile: Profile, age: int, assumed: Assumptions, chance: np.random.Generator
) -> tuple[Wish, ...]:
    """The wishes of one patient, most important first. Every draw is made, so that none moves another."""
    wanted, binds = chance.random(6), chance.random(6)
    language = str(chance.choice(list(_LANGUAGES), p=list(_LANGUAGES.values())))
    far = float(chance.choice([2.0, 3.0, 5.0]))
    sex = "F" if chance.random() < 0.85 else "M"
    more = assumed.choosiness
    found: list[Wish] = []
    if wanted[0] < profile.language * more:
        found.append(Wish(kind=WishKind.LANGUAGE, value=language, hard=bool(binds[0] < 0.4)))
    if wanted[1] < 0.12 * more:
        found.append(Wish(kind=WishKind.DOCTOR_SEX, value=sex, hard=bool(binds[1] < 0.5)))
    if wanted[2] < 0.12 * more:
        found.append(Wish(kind=WishKind.MAX_DISTANCE_KM, value=far, hard=bool(binds[2] < 0.3)))
    if wanted[3] < (0.25 if age >= 70 else 0.08) * more:
        found.append(Wish(kind=WishKind.TRAVEL, value="walk", hard=bool(binds[3] < 0.2)))
    if wanted[4] < 0.25 * more:
        found.append(Wish(kind=WishKind.SECTOR1, value=True, hard=bool(binds[4] < 0.5)))
    if wanted[5] < 0.05 * more:
        found.append(Wish(kind=WishKind.TELECONSULTATION, value=True, hard=False))
    return tuple(found)
