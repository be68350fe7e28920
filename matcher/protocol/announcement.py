"""What doctors are shown: age band, place, conditions. Nothing else exists in it (P3).

As coarse as still lets a doctor decide, and never about fewer than K residents: the fixed ladder of
PROTOCOL.md, "The announcement". What it says in French is in ``wording``.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from matcher.protocol.places import Gazetteer, Place, PlaceKind
from matcher.protocol.population import Population

#: Nobody is older, as far as an announcement is concerned.
OLDEST = 125


class ConditionKind(StrEnum):
    """The closed list of conditions; no free text can reach an announcement."""

    HOME_VISITS = "home_visits"
    EHPAD_VISITS = "ehpad_visits"
    STEP_FREE = "step_free"
    WITHIN_DAYS = "within_days"
    EVENINGS = "evenings"
    SATURDAYS = "saturdays"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition; ``days`` only for WITHIN_DAYS (1 to 90)."""

    kind: ConditionKind
    days: int | None = None


@dataclass(frozen=True, kw_only=True)
class AgeBand:
    """Whole years, both ends included; ``to`` is None for "and over"."""

    from_: int
    to: int | None

    def holds(self, age: int) -> bool:
        """Whether that age lies in the band."""
        return self.from_ <= age <= self.last

    @property
    def last(self) -> int:
        """The oldest age of the band."""
        return OLDEST if self.to is None else self.to


ADULT = AgeBand(from_=18, to=None)
MINOR = AgeBand(from_=0, to=17)


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """What is announced, and how many residents it describes.

    For a household ``age`` is None and ``adults`` and ``children`` are given; ``residents`` then
    counts households of that size.
    """

    age: AgeBand | None
    place: Place
    conditions: tuple[Condition, ...] = ()
    adults: int = 1
    children: int = 0
    residents: int
    #: Estimated residents described who lack a médecin traitant.
    candidates: int


class CannotAnnounce(Exception):
    """Nothing may be announced so. ``code`` goes into the 409; ``reason`` is a French sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class TooFewResidents(CannotAnnounce):
    """It would describe fewer than K residents; ``residents`` says how many (households for a household)."""

    def __init__(self, residents: int, k: int) -> None:
        super().__init__(
            "too_few_residents",
            f"Cette annonce ne décrirait qu’environ {residents} habitants ; il en faut au moins {k}.",
        )
        self.residents = residents
        self.k = k


class NoHouseholdTable(CannotAnnounce):
    """A household can only be announced where the territory counted its households."""

    def __init__(self) -> None:
        super().__init__(
            "no_household_table",
            "Le territoire n’a pas de table des foyers : un foyer ne peut pas y être annoncé.",
        )


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Who is to be announced, reduced to what the ladder needs. A household has adults + children over 1."""

    #: Whole years reached for certain; not used for a household.
    age: int
    #: Where the person sleeps: a place of the territory, or its commune where the quartier is unknown.
    place: Place
    conditions: tuple[Condition, ...] = ()
    adults: int = 1
    children: int = 0

    @property
    def household(self) -> bool:
        """Whether this is a household rather than one person."""
        return self.adults + self.children > 1


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What an announcement is measured on: a territory's places, its counts, and K."""

    gazetteer: Gazetteer
    population: Population
    k: int = 100


def ladder(subject: Subject, ground: Ground) -> tuple[Announcement, ...]:
    """Every rung, finest first, with the residents it describes, even where those are under K.

    Five years and quartier, ten and quartier, five and commune, ten and commune, adult or minor and
    commune, then territory; for a household and for ``ehpad_visits`` the commune, then the territory.
    Raises NoHouseholdTable.
    """
    if subject.household and not ground.population.households:
        raise NoHouseholdTable
    return tuple(_measured(subject, ground, age, place) for age, place in _rungs(subject, ground))


def choices(subject: Subject, ground: Ground) -> tuple[Announcement, ...]:
    """What the office may click on: the rungs that describe at least K residents, finest first.

    Each quartier's comes also in the wording "près de" its landmark. Empty where nothing may be announced.
    """
    offered: list[Announcement] = []
    for rung in ladder(subject, ground):
        offered.append(rung)
        mark = ground.gazetteer.landmark_of(rung.place)
        if mark is not None:
            offered.append(_measured(subject, ground, rung.age, mark))
    # Among the oldest five and ten years are one and the same "and over".
    return tuple(a for a in dict.fromkeys(offered) if a.residents >= ground.k)


def announce(subject: Subject, ground: Ground) -> Announcement:
    """The finest rung that describes at least K residents.

    Raises TooFewResidents, NoHouseholdTable.
    """
    rungs = ladder(subject, ground)
    fitting = next((rung for rung in rungs if rung.residents >= ground.k), None)
    if fitting is None:
        raise TooFewResidents(rungs[-1].residents, ground.k)
    return fitting


def finer(
    subject: Subject, ground: Ground, *, age: AgeBand | None = None, place: Place | None = None
) -> Announcement:
    """The announcement a person asks for by a click; what is left out is as ``announce`` would have it.

    May be finer than the ladder (an exact age, a street with its own count) or coarser, never under K.
    Raises TooFewResidents, NoHouseholdTable, and CannotAnnounce with ``age_not_in_band`` or
    ``place_not_announced``: an EHPAD is never named, and a quartier has one landmark only.
    """
    if age is None or place is None:
        proposed = announce(subject, ground)
        age, place = age or proposed.age, place or proposed.place
    if subject.household:
        age = None
    # An approximate birth date leaves two ages possible: both are true enough.
    elif age is None or not (age.holds(subject.age) or age.holds(subject.age + 1)):
        raise CannotAnnounce("age_not_in_band", "Cette tranche d’âge n’est pas celle de la personne.")
    if place.kind is PlaceKind.EHPAD:
        raise CannotAnnounce("place_not_announced", "Un EHPAD n’est jamais nommé dans une annonce.")
    if place.kind is PlaceKind.LANDMARK:
        quartier = ground.gazetteer.quartier_of(place)
        if quartier is None or ground.gazetteer.landmark_of(quartier) != place:
            raise CannotAnnounce("place_not_announced", "Un quartier n’a qu’un repère, le même pour tous.")
    measured = _measured(subject, ground, age, place)
    if measured.residents < ground.k:
        raise TooFewResidents(measured.residents, ground.k)
    return measured


def covers(wide: Announcement, narrow: Announcement) -> bool:
    """Whether ``wide`` repeats ``narrow`` or says less.

    A later run may only do that: otherwise a birthday between two runs would tell the date.
    """
    if (wide.adults, wide.children) != (narrow.adults, narrow.children):
        return False
    if not set(wide.conditions) <= set(narrow.conditions):
        return False
    ages = wide.age == narrow.age
    if wide.age is not None and narrow.age is not None:
        ages = wide.age.holds(narrow.age.from_) and wide.age.holds(narrow.age.last)
    return ages and _contains(wide.place, narrow.place)


def _contains(wide: Place, narrow: Place) -> bool:
    if wide == narrow or wide.kind is PlaceKind.TERRITORY:
        return True
    if wide.kind is PlaceKind.COMMUNE:
        return narrow.kind is not PlaceKind.TERRITORY and wide.insee == narrow.insee
    return (
        wide.kind is PlaceKind.QUARTIER
        and narrow.kind in (PlaceKind.STREET, PlaceKind.LANDMARK)
        and (wide.insee, wide.name) == (narrow.insee, narrow.quartier)
    )


def _rungs(subject: Subject, ground: Ground) -> Iterator[tuple[AgeBand | None, Place]]:
    """The fixed ladder, without its counts; rungs whose place is unknown are left out."""
    quartier = ground.gazetteer.quartier_of(subject.place)
    commune = subject.place if subject.place.kind is PlaceKind.COMMUNE else None
    commune = commune or ground.gazetteer.commune(subject.place.insee)
    whole = ground.gazetteer.whole()
    majority = ADULT if subject.age >= ADULT.from_ else MINOR
    if subject.household or _in_ehpad(subject):
        coarse = None if subject.household else majority
        yield from ((coarse, place) for place in (commune, whole) if place is not None)
        return
    open_from = ground.population.open_from
    bands = (_band(subject.age, 5, open_from), _band(subject.age, 10, open_from))
    yield from ((band, place) for place in (quartier, commune) if place is not None for band in bands)
    yield from ((majority, place) for place in (commune, whole) if place is not None)


def _band(age: int, width: int, open_from: int | None) -> AgeBand:
    """The aligned band of that width; where the table cannot count it any more, "and over"."""
    start = age - age % width
    end = start + width - 1
    if open_from is not None and end >= open_from:
        return AgeBand(from_=min(start, open_from), to=None)
    return AgeBand(from_=start, to=end)


def _in_ehpad(subject: Subject) -> bool:
    return any(c.kind is ConditionKind.EHPAD_VISITS for c in subject.conditions)


def _measured(subject: Subject, ground: Ground, age: AgeBand | None, place: Place) -> Announcement:
    """The announcement with what it describes, whether or not that is enough."""
    population = ground.population
    described: float = _counted(subject, ground, age, place)
    kinds = {condition.kind for condition in subject.conditions}
    # Everybody in an EHPAD is visited there: home visits say nothing more about them.
    if ConditionKind.HOME_VISITS in kinds and ConditionKind.EHPAD_VISITS not in kinds:
        described *= population.home_visits_share
    if ConditionKind.STEP_FREE in kinds:
        described *= population.step_free_share
    # Binary fractions: 1000 × 0.1 must stay 100, and nothing may be rounded up to K.
    residents = math.floor(described + 1e-9)
    return Announcement(
        age=age,
        place=place,
        conditions=tuple(sorted(subject.conditions, key=lambda c: list(ConditionKind).index(c.kind))),
        adults=subject.adults,
        children=subject.children,
        residents=residents,
        candidates=math.floor(residents * population.without_doctor_share + 1e-9),
    )


def _counted(subject: Subject, ground: Ground, age: AgeBand | None, place: Place) -> int:
    """Residents (households, EHPAD places) of the territory who fit age and place; 0 where nobody counted."""
    population = ground.population
    wide = place.kind in (PlaceKind.COMMUNE, PlaceKind.TERRITORY)
    insee = None if place.kind is PlaceKind.TERRITORY else place.insee
    if age is None:
        homes = population.household_count(subject.adults, subject.children, insee=insee) if wide else 0
        return min(homes, ground.gazetteer.ehpad_places(insee)) if _in_ehpad(subject) else homes
    if _in_ehpad(subject):
        if not wide or age != ADULT:
            return 0
        # A slip in ``places.csv`` must not make more people than live there.
        adults = population.count(ADULT.from_, ADULT.to, insee=insee)
        return min(adults, ground.gazetteer.ehpad_places(insee))
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


def parse_condition(text: str) -> Condition:
    """A condition from its name in the API, such as ``home_visits`` or ``within_days:10``.

    Raises ValueError with a French sentence.
    """
    name, _, days = text.partition(":")
    if name == ConditionKind.WITHIN_DAYS:
        if re.fullmatch(r"[1-9][0-9]?", days) and int(days) <= 90:
            return Condition(kind=ConditionKind.WITHIN_DAYS, days=int(days))
        raise ValueError("within_days demande un nombre de jours de 1 à 90, par exemple within_days:14")
    if text not in set(ConditionKind):
        raise ValueError("condition inconnue")
    return Condition(kind=ConditionKind(text))


def format_condition(condition: Condition) -> str:
    """The condition's name in the API; ``parse_condition`` reads it back."""
    return condition.kind.value if condition.days is None else f"{condition.kind.value}:{condition.days}"


def format_age(age: AgeBand) -> str:
    """The band in the API: ``65-69``, ``67`` for one age, ``85+``, ``adult``, ``minor``."""
    if age in (ADULT, MINOR):
        return "adult" if age == ADULT else "minor"
    if age.to is None:
        return f"{age.from_}+"
    return str(age.from_) if age.from_ == age.to else f"{age.from_}-{age.to}"


def parse_age(text: str) -> AgeBand:
    """A band as ``format_age`` writes it, spaces and dashes of any length allowed.

    Raises ValueError with a French sentence.
    """
    plain = re.sub(r"\s", "", text).replace("–", "-").lower()
    if plain in ("adult", "minor"):
        return ADULT if plain == "adult" else MINOR
    found = re.fullmatch(r"([0-9]{1,3})(?:(\+)|-([0-9]{1,3}))?", plain)
    if found:
        start = int(found[1])
        end = None if found[2] else int(found[3] or start)
        if start <= OLDEST and (end is None or start <= end <= OLDEST):
            return AgeBand(from_=start, to=end)
    raise ValueError("tranche d’âge illisible : écrivez par exemple 65-69, 67, 85+, adult ou minor")


def parse_conditions(names: Iterable[str]) -> tuple[Condition, ...]:
    """Several conditions, each kind at most once. Raises ValueError with a French sentence."""
    conditions = tuple(parse_condition(name) for name in names)
    if len({condition.kind for condition in conditions}) < len(conditions):
        raise ValueError("une condition est donnée deux fois")
    return conditions
