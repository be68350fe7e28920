"""The fixed ladder of PROTOCOL.md, "The announcement": its rungs, and how many residents each describes."""

import math
from collections.abc import Iterable
from typing import TypeAlias

from matcher.protocol.announcement import (
    ADULT,
    MINOR,
    AgeBand,
    Announcement,
    Condition,
    ConditionKind,
    Ground,
    Subject,
)
from matcher.protocol.places import Place, PlaceKind

#: What an announcement says of the person: the age band (None for a household) and the place.
Rung: TypeAlias = tuple[AgeBand | None, Place]


def rungs(subject: Subject, ground: Ground) -> tuple[Rung | None, ...]:
    """The ladder, finest first, without its counts; None where a place is unknown or a rung says nothing new.

    Five years and quartier, ten and quartier, five and commune, ten and commune, adult or minor and
    commune, then territory; for a household and for ``ehpad_visits`` the commune, then the territory.
    """
    quartier = ground.gazetteer.quartier_of(subject.place)
    commune = subject.place if subject.place.kind is PlaceKind.COMMUNE else None
    commune = commune or ground.gazetteer.commune(subject.place.insee)
    whole = ground.gazetteer.whole()
    majority = ADULT if subject.age >= ADULT.from_ else MINOR
    steps: tuple[tuple[AgeBand | None, Place | None], ...]
    if subject.household or in_ehpad(subject.conditions):
        coarse = None if subject.household else majority
        steps = ((coarse, commune), (coarse, whole))
    else:
        open_from = ground.population.open_from
        five, ten = (band(subject.age, width, open_from) for width in (5, 10))
        near = ((five, quartier), (ten, quartier), (five, commune), (ten, commune))
        steps = (*near, (majority, commune), (majority, whole))
    said = [None if place is None else (age, place) for age, place in steps]
    # Among the oldest five and ten years are one and the same "and over".
    return tuple(None if rung in said[:depth] else rung for depth, rung in enumerate(said))


def band(age: int, width: int, open_from: int | None) -> AgeBand:
    """The aligned band of that width; where the table cannot count it any more, "and over".

    Whoever is older than ``open_from`` is announced as if of that age: the table cannot tell them apart.
    """
    counted = age if open_from is None else min(age, open_from)
    start = counted - counted % width
    end = start + width - 1
    return AgeBand(from_=start, to=None if open_from is not None and end >= open_from else end)


def in_ehpad(conditions: tuple[Condition, ...]) -> bool:
    """Whether visits in an EHPAD are asked for: the person lives in one."""
    return any(c.kind is ConditionKind.EHPAD_VISITS for c in conditions)


def share(conditions: tuple[Condition, ...], ground: Ground) -> float:
    """The part of the residents whom conditions describe too."""
    kinds = {condition.kind for condition in conditions}
    part = 1.0
    # Everybody in an EHPAD is visited there: home visits say nothing more about them.
    if ConditionKind.HOME_VISITS in kinds and ConditionKind.EHPAD_VISITS not in kinds:
        part *= ground.population.home_visits_share
    if ConditionKind.STEP_FREE in kinds:
        part *= ground.population.step_free_share
    return part


def whole_number(described: float) -> int:
    """Rounded down, so that nothing is rounded up to K; 1000 × 0.1 stays 100 in binary fractions too."""
    return math.floor(described + 1e-9)


def measured(subject: Subject, ground: Ground, age: AgeBand | None, place: Place) -> Announcement:
    """The announcement with what it describes, whether or not that is enough."""
    residents = whole_number(_counted(subject, ground, age, place) * share(subject.conditions, ground))
    return Announcement(
        age=age,
        place=place,
        conditions=tuple(sorted(subject.conditions, key=lambda c: list(ConditionKind).index(c.kind))),
        adults=subject.adults,
        children=subject.children,
        residents=residents,
        candidates=whole_number(residents * ground.population.without_doctor_share),
    )


def _counted(subject: Subject, ground: Ground, age: AgeBand | None, place: Place) -> int:
    """Residents (households, EHPAD places) of the territory who fit age and place; 0 where nobody counted."""
    population = ground.population
    wide = place.kind in (PlaceKind.COMMUNE, PlaceKind.TERRITORY)
    insee = None if place.kind is PlaceKind.TERRITORY else place.insee
    if in_ehpad(subject.conditions):
        communes = ground.gazetteer.insee_codes if insee is None else (insee,)
        return in_ehpads(subject, ground, communes) if wide and age in (None, ADULT) else 0
    if age is None:
        return population.household_count(subject.adults, subject.children, insee=insee) if wide else 0
    if wide:
        return population.count(age.from_, age.to, insee=insee)
    quartier = ground.gazetteer.quartier_of(place)
    if quartier is None:
        return 0
    in_quartier = population.count(age.from_, age.to, insee=quartier.insee, quartier=quartier.name)
    if place.kind is not PlaceKind.STREET:
        return in_quartier
    everybody = population.count(0, None, insee=quartier.insee, quartier=quartier.name)
    if place.residents is None or everybody == 0:
        return 0
    return min(in_quartier, place.residents * in_quartier // everybody)


def in_ehpads(subject: Subject, ground: Ground, communes: Iterable[str]) -> int:
    """Adults (households of that size) who may live in the EHPADs of these communes, each taken by itself.

    A slip in ``places.csv`` must not make more people than live in a commune.
    """
    population = ground.population
    found = 0
    for insee in communes:
        if subject.household:
            able = population.household_count(subject.adults, subject.children, insee=insee)
        else:
            able = population.count(ADULT.from_, ADULT.to, insee=insee)
        found += min(able, ground.gazetteer.ehpad_places(insee))
    return found
