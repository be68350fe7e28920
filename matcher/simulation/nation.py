"""A whole country by extrapolation: made territories of real communes, played one after the other.

``communes.csv`` beside this file holds every commune of 2026 with its population (public data: Insee, Code
officiel géographique and populations légales). Nothing else is real: where a commune lies, its ages and its
doctors are made. A territory is put together, played and forgotten, so that memory does not grow with the
country.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from matcher.protocol.doctors import Doctor, Zone
from matcher.protocol.ids import DoctorId
from matcher.protocol.places import Gazetteer, Place, PlaceKind
from matcher.protocol.population import Population, Residents
from matcher.protocol.rules import Rules
from matcher.simulation.assumptions import Assumptions
from matcher.simulation.course import play
from matcher.simulation.measures import Outcome
from matcher.simulation.policies import Policy
from matcher.simulation.terrain import Terrain

COMMUNES: Final = Path(__file__).with_name("communes.csv")
DOCTORS: Final = 57_000
SEARCHES_A_YEAR: Final = 1_200_000
#: Residents of a made territory, about those of Vénissieux.
TERRITORY: Final = 65_000
#: The part of a year that one territory is played for; a hundred searches or so.
PART: Final = 0.1
#: Shares of residents by INSEE's bands, rounded (metropolitan France).
_AGES: Final = (
    (0, 2, 0.031), (3, 5, 0.032), (6, 10, 0.059), (11, 17, 0.087), (18, 24, 0.082), (25, 39, 0.180),
    (40, 54, 0.188), (55, 64, 0.127), (65, 79, 0.151), (80, None, 0.063),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Commune:
    """Its INSEE code and its residents."""

    insee: str
    residents: int


@dataclass(kw_only=True)
class Nation:
    """What was added up, whatever was played; nothing of a single search is kept."""

    territories: int = 0
    residents: int = 0
    doctors: int = 0
    searches: int = 0
    not_announced: int = 0
    mails: float = 0.0
    calls: float = 0.0
    attached_30: int = 0
    first_yes_week: int = 0
    misfits: int = 0

    def of_a_year(self, played: float) -> float:
        """A sum over the played searches, extrapolated to a year of the country."""
        return played * SEARCHES_A_YEAR / max(1, self.searches)


def communes(path: Path = COMMUNES) -> list[Commune]:
    """Every commune with residents, in the order of its code."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter=";")
        return [Commune(row["code"], int(row["population"])) for row in rows]


def groups(known: Sequence[Commune], size: int = TERRITORY) -> Iterator[tuple[Commune, ...]]:
    """Neighbours by code, of one département, until they are of that size together.

    A larger commune is cut into equal parts, each a territory of its own.
    """
    group: list[Commune] = []
    residents = 0
    for commune in known:
        parts = commune.residents // size
        if parts > 1:
            yield from ((Commune(commune.insee, commune.residents // parts),) for _ in range(parts))
            continue
        other = group and group[0].insee[:2] != commune.insee[:2]
        if group and (other or residents >= size):
            yield tuple(group)
            group, residents = [], 0
        group.append(commune)
        residents += commune.residents
    if group:
        yield tuple(group)


def terrain(number: int, group: Sequence[Commune], everybody: int, rules: Rules, seed: int) -> Terrain:
    """A made territory of these communes, with its part of the country's doctors."""
    chance = np.random.default_rng((seed, 5, number))
    spots = chance.normal(0.0, 0.06, (len(group), 2)).tolist()
    places = tuple(
        Place(
            name=f"Commune {one.insee}",
            kind=PlaceKind.QUARTIER,
            lat=46.0 + north,
            lon=4.0 + east,
            insee=one.insee,
            quartier=f"Commune {one.insee}",
        )
        for one, (north, east) in zip(group, spots, strict=True)
    )
    residents = tuple(
        Residents(
            quartier=place.name, insee=one.insee, age_from=from_, age_to=to, residents=one.residents * share
        )
        for one, place in zip(group, places, strict=True)
        for from_, to, share in _AGES
    )
    total = sum(one.residents for one in group)
    count = max(1, round(DOCTORS * total / everybody))
    weights = np.array([one.residents for one in group]) / total
    doctors = tuple(
        _doctor(f"{number}-{index}", places[int(where)], chance)
        for index, where in enumerate(chance.choice(len(group), size=count, p=weights))
    )
    return Terrain(
        id=f"territoire-{number}",
        name=f"Territoire {number}",
        rules=rules,
        doctors=doctors,
        population=Population(residents=residents),
        gazetteer=Gazetteer(
            territory=f"Territoire {number}",
            places=places,
            communes={one.insee: f"Commune {one.insee}" for one in group},
        ),
        requesters=(),
    )


def _doctor(name: str, near: Place, chance: np.random.Generator) -> Doctor:
    drawn = chance.random(8)
    north, east = chance.normal(0.0, 0.008, 2).tolist()
    spoken = ("ar", "tr", "en", "pt", "it", "ro", "ru")
    return Doctor(
        id=DoctorId(name),
        sex="F" if drawn[0] < 0.5 else "M",
        languages=frozenset({"fr", *(code for code in spoken if chance.random() < 0.08)}),
        lat=near.lat + north,
        lon=near.lon + east,
        step_free=bool(drawn[1] < 0.6),
        home_visits=bool(drawn[2] < 0.6),
        sector=1 if drawn[3] < 0.9 else 2,
        teleconsultation=bool(drawn[4] < 0.4),
        member=bool(drawn[5] < 0.5),
        zone=Zone.TERRITORY,
        has_mailbox=bool(drawn[6] < 0.95),
        has_phone=True,
    )


def play_nation(
    rules: Rules,
    policy: Policy,
    assumed: Assumptions,
    *,
    searches: int,
    seed: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Nation:
    """Play territories in an order drawn from the seed until at least so many searches were launched."""
    known = communes()
    everybody = sum(one.residents for one in known)
    made = list(groups(known))
    order = np.random.default_rng((seed, 6)).permutation(len(made))
    nation = Nation()
    round_ = 0
    while nation.searches < searches:
        number = int(order[round_ % len(order)])
        # A second time around is another part of the year.
        here = terrain(number, made[number], everybody, rules, seed + round_ // len(order))
        residents = sum(one.residents for one in made[number])
        yearly = max(1, round(SEARCHES_A_YEAR * residents / everybody))
        period = play(
            here,
            policy,
            _with(assumed, yearly),
            seed=seed * 100_003 + round_,
            years=PART,
        )
        _add(nation, residents, len(here.doctors), period.outcomes, period.not_announced)
        round_ += 1
        if progress is not None:
            progress(min(1.0, nation.searches / searches))
    return nation


def _with(assumed: Assumptions, yearly: int) -> Assumptions:
    return replace(assumed, searches_per_year=yearly)


def _add(
    nation: Nation, residents: int, doctors: int, outcomes: Sequence[Outcome], not_announced: int
) -> None:
    nation.territories += 1
    nation.residents += residents
    nation.doctors += doctors
    nation.not_announced += not_announced
    nation.searches += len(outcomes)
    for one in outcomes:
        nation.mails += one.mails
        nation.calls += one.calls
        nation.misfits += one.misfits
        nation.attached_30 += one.attached is not None and one.attached <= 30
        nation.first_yes_week += one.first_yes is not None and one.first_yes <= 7


def lines(nation: Nation) -> Iterator[str]:
    """What came of it, in French."""
    count = max(1, nation.searches)
    yield (
        f"{nation.searches} recherches jouées dans {nation.territories} territoires"
        f" ({nation.residents} habitants, {nation.doctors} médecins)"
    )
    yield f"{nation.not_announced} demandes que rien ne permettait d’annoncer"
    yield f"par recherche : {nation.mails / count:.1f} mails, {nation.calls / count:.1f} appels"
    yield f"un oui en 7 jours : {100 * nation.first_yes_week / count:.0f} %"
    yield f"rattachées en 30 jours : {100 * nation.attached_30 / count:.0f} %"
    yield f"médecins sollicités contre un souhait indispensable : {nation.misfits}"
    yield (
        f"une année du pays, par extrapolation à {SEARCHES_A_YEAR} demandes :"
        f" {nation.of_a_year(nation.mails) / 1e6:.0f} millions de mails,"
        f" {nation.of_a_year(nation.calls) / 1e6:.0f} millions d’appels"
    )
