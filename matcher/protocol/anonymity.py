"""The audit of a territory: every announcement that it can generate, and what an intruder makes of it.

The intruder has every mail of one search (the text, and each doctor's rounded distance), knows where the
doctors are, the places, the tables of residents and this very code. Whoever could have been announced by
the same mails remains possible; and if the intruder is sure that the office takes what is proposed, whoever
would have been proposed so. K must hold for both.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import floor
from typing import NamedTuple

from matcher.protocol.announcement import (
    ADULT,
    MINOR,
    AgeBand,
    Announcement,
    CannotAnnounce,
    Condition,
    ConditionKind,
    Ground,
    Subject,
)
from matcher.protocol.crowds import NARROWING
from matcher.protocol.ladder import announce, choices, finer, ladder
from matcher.protocol.places import Place, PlaceKind, distance_km, normalised, rounded_km
from matcher.protocol.population import OLDEST, PRUDENCE, Residents
from matcher.protocol.wording import sentence


class Mails(NamedTuple):
    """All that the mails of one search say: the text, and the rounded distance for each doctor."""

    text: str
    distances: tuple[float, ...]


class Cell(NamedTuple):
    """Persons of one age in one row's quartier, or (``age`` None) households of one size in a commune."""

    insee: str
    quartier: str
    age: int | None
    adults: int = 1
    children: int = 0


@dataclass(frozen=True, kw_only=True)
class Audited:
    """One announcement, and for how many persons (households) the same mails could have been sent."""

    announcement: Announcement
    #: Possible whatever the office clicked on.
    remaining: int
    #: Possible if the office always takes the announcement that the ladder proposes; None where the
    #: ladder never proposes this one to anybody whom the tables count.
    proposed: int | None

    @property
    def least(self) -> int:
        """The fewest that any of this leaves."""
        proposed = self.remaining if self.proposed is None else self.proposed
        return min(self.announcement.residents, self.remaining, proposed)


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What was found. ``cells`` counts ages of quartiers and sizes of households, with conditions."""

    k: int
    announcements: tuple[Audited, ...]
    cells: int
    #: Cells for which nothing may be announced: launch answers 409.
    unannounceable: int

    @property
    def under_k(self) -> tuple[Audited, ...]:
        """Announcements that describe, or leave possible, fewer than K. There must be none."""
        return tuple(a for a in self.announcements if a.least < self.k)


def audit(ground: Ground, doctors: Sequence[tuple[float, float]]) -> Audit:
    """Audit a territory; ``doctors`` are the places (latitude, longitude) of those who may be mailed."""
    made: dict[Mails, Announcement] = {}
    possible: dict[Mails, set[Cell]] = {}
    proposed: dict[Mails, set[Cell]] = {}
    cells = refused = 0
    heard: dict[Place, tuple[float, ...]] = {}

    def mails(announcement: Announcement) -> Mails:
        place = announcement.place
        if place not in heard:
            heard[place] = _distances(place, doctors)
        return Mails(sentence(announcement), heard[place])

    for subject, alike in _subjects(ground):
        cells += len(alike)
        offered = tuple(_offered(subject, ground, (c.age for c in alike if c.age is not None)))
        if not offered:
            refused += len(alike)
            continue
        for announcement, ages in offered:
            seen = mails(announcement)
            known = made.setdefault(seen, announcement)
            # Two ways of counting one text: the smaller count is the one that must hold.
            if announcement.residents < known.residents:
                made[seen] = announcement
            possible.setdefault(seen, set()).update(c for c in alike if ages is None or c.age in ages)
        if inhabited := [cell for cell in alike if _inhabited(cell, ground)]:
            try:
                seen = mails(announce(subject, ground))
            except CannotAnnounce:
                # Nothing is proposed: what may be clicked on is all there is.
                continue
            proposed.setdefault(seen, set()).update(inhabited)
    return Audit(
        k=ground.k,
        announcements=tuple(
            Audited(
                announcement=announcement,
                remaining=_counted(announcement, possible[seen], ground),
                proposed=_counted(announcement, proposed[seen], ground) if seen in proposed else None,
            )
            for seen, announcement in made.items()
        ),
        cells=cells,
        unannounceable=refused,
    )


def _distances(place: Place, doctors: Sequence[tuple[float, float]]) -> tuple[float, ...]:
    if place.kind is PlaceKind.TERRITORY:
        return ()
    return tuple(rounded_km(distance_km(place.lat, place.lon, lat, lon)) for lat, lon in doctors)


def _subjects(ground: Ground) -> Iterator[tuple[Subject, tuple[Cell, ...]]]:
    """Everybody who may be announced, those whom the ladder treats alike together."""
    conditions = tuple(
        tuple(Condition(kind=kind) for kind in kinds)
        for size in range(len(NARROWING) + 1)
        for kinds in combinations(NARROWING, size)
    )
    for insee, quartier, ages in _ages(ground):
        place = ground.gazetteer.quartier(quartier, insee) or ground.gazetteer.commune(insee)
        place = place or ground.gazetteer.whole()
        alike = tuple(Cell(insee, quartier, age) for age in ages)
        for wanted in conditions:
            yield Subject(age=ages[0], place=place, conditions=wanted), alike
    for home in ground.population.households:
        if home.adults + home.children > 1 and home.households:
            place = ground.gazetteer.commune(home.insee) or ground.gazetteer.whole()
            cell = Cell(home.insee, "", None, home.adults, home.children)
            for wanted in conditions:
                yield (
                    Subject(
                        age=30, place=place, conditions=wanted, adults=home.adults, children=home.children
                    ),
                    (cell,),
                )


def _ages(ground: Ground) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Each quartier with ages of the same bands and the same majority."""
    counted = dict.fromkeys((row.insee, row.quartier) for row in ground.population.residents)
    open_from = ground.population.open_from
    groups: dict[tuple[int, bool], list[int]] = {}
    for age in range(OLDEST + 1):
        # Whoever is in an open row is announced with all the others above.
        groups.setdefault((min(age, open_from or age) // 5, age >= ADULT.from_), []).append(age)
    for insee, quartier in counted:
        for ages in groups.values():
            yield insee, quartier, tuple(ages)


def _offered(
    subject: Subject, ground: Ground, ages: Iterable[int]
) -> Iterator[tuple[Announcement, frozenset[int] | None]]:
    """What the office may announce of them, and of which ages where not of all: the ladder, and clicks."""
    # A rung that the ladder passes over for the sake of others may still be asked for.
    rungs = [rung for rung in ladder(subject, ground) if rung.residents >= ground.k]
    marks = ((rung.age, ground.gazetteer.landmark_of(rung.place)) for rung in rungs)
    near = [made for age, mark in marks if age and mark for made in _finer(subject, ground, age, mark)]
    yield from ((made, None) for made in dict.fromkeys((*choices(subject, ground), *rungs, *near)))
    if not rungs or subject.household:
        return
    quartier = ground.gazetteer.quartier_of(subject.place)
    streets = ground.gazetteer.streets_of(quartier) if quartier is not None else ()
    bands = {rung.age for rung in rungs if rung.age is not None}
    wide = [place for place in (quartier, ground.gazetteer.commune(subject.place.insee)) if place is not None]
    for street in streets:
        for band in bands:
            yield from ((made, None) for made in _finer(subject, ground, band, street))
    # Where its band is too small, or the table does not know the age, nothing finer can do.
    banded = {rung.place for rung in rungs if rung.age not in (None, ADULT, MINOR)}
    told = [place for place in (*wide, *streets) if (place if place in wide else quartier) in banded]
    oldest = OLDEST if ground.population.open_from is None else ground.population.open_from - 1
    for age in (age for age in ages if age <= oldest):
        exact = AgeBand(from_=age, to=age)
        for place in told:
            for made in _finer(replace(subject, age=age), ground, exact, place):
                yield made, frozenset((age,))


def _finer(subject: Subject, ground: Ground, age: AgeBand, place: Place) -> Iterator[Announcement]:
    try:
        yield finer(subject, ground, age=age, place=place)
    except CannotAnnounce:
        return


def _inhabited(cell: Cell, ground: Ground) -> bool:
    """Whether the tables count anybody there; a household's row was there to begin with."""
    return cell.age is None or any(
        row.residents > 0
        and (row.insee, row.quartier) == (cell.insee, cell.quartier)
        and row.age_from <= cell.age <= (OLDEST if row.age_to is None else row.age_to)
        for row in ground.population.residents
    )


def _counted(announcement: Announcement, cells: set[Cell], ground: Ground) -> int:
    """How many live in these cells and are of the announced conditions; counted apart from ``ladder``."""
    population = ground.population
    kinds = {condition.kind for condition in announcement.conditions}
    homes = {(c.insee, c.adults, c.children) for c in cells if c.age is None}
    described: float = sum(
        row.households for row in population.households if (row.insee, row.adults, row.children) in homes
    )
    ages: dict[tuple[str, str], set[int]] = {}
    for cell in cells:
        if cell.age is not None:
            ages.setdefault((cell.insee, cell.quartier), set()).add(cell.age)
    for row in population.residents:
        described += _of_row(row, ages.get((row.insee, row.quartier), set()))
    place = announcement.place
    if place.kind is PlaceKind.STREET:
        described *= _street_share(place, population.residents)
    if ConditionKind.EHPAD_VISITS in kinds:
        communes = {cell.insee for cell in cells}
        described = min(described, sum(ground.gazetteer.ehpad_places(insee) for insee in communes))
    elif ConditionKind.HOME_VISITS in kinds:
        described *= population.home_visits_share
    if ConditionKind.STEP_FREE in kinds:
        described *= population.step_free_share
    return floor(described + 1e-9)


def _of_row(row: Residents, ages: set[int]) -> float:
    """The residents of one row who are of these ages, prudently where they are a part of it."""
    last = OLDEST if row.age_to is None else min(row.age_to, OLDEST)
    inside = sum(row.age_from <= age <= last for age in ages)
    width = last - row.age_from + 1
    if inside == width:
        return row.residents
    # Nobody knows how the ages of an open row are spread.
    return 0.0 if row.age_to is None else row.residents * inside / width * PRUDENCE


def _street_share(street: Place, rows: Iterable[Residents]) -> float:
    """The part of a quartier's residents who live in one street."""
    wanted = (street.insee, normalised(street.quartier or ""))
    everybody = sum(row.residents for row in rows if (row.insee, normalised(row.quartier)) == wanted)
    return min(1.0, (street.residents or 0) / everybody) if everybody else 0.0
