"""What doctors are shown: age band, place, conditions. Nothing else exists in it (P3).

What it is, and how it is written in the API. Which one is made is ``ladder``'s matter: as coarse as still
lets a doctor decide, never about fewer than K residents. What it says in French is in ``wording``.
"""

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from matcher.protocol.places import Gazetteer, Place, PlaceKind
from matcher.protocol.population import OLDEST, Population


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
            f"Cette annonce ne décrirait qu’environ {residents} habitants ; il en faut au moins {k}.",
        )
        self.residents = residents
        self.k = k


class NoHouseholdTable(CannotAnnounce):
    """A household can only be announced where the territory counted its households."""

    def __init__(self) -> None:
        super().__init__(
            "no_household_table",
            "Le territoire n’a pas de table des foyers : un foyer ne peut pas y être annoncé.",
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
    #: What ``crowds`` worked out of these figures, by what narrows an announcement.
    worked_out: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)


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
    raise ValueError("tranche d’âge illisible : écrivez par exemple 65-69, 67, 85+, adult ou minor")


def parse_conditions(names: Iterable[str]) -> tuple[Condition, ...]:
    """Several conditions, each kind at most once. Raises ValueError with a French sentence."""
    conditions = tuple(parse_condition(name) for name in names)
    if len({condition.kind for condition in conditions}) < len(conditions):
        raise ValueError("une condition est donnée deux fois")
    return conditions
