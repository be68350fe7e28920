"""The ground a simulation plays on: a territory's rules, doctors, places and residents, from its folder."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from config.territory import Quota, load_territory
from matcher import directory
from matcher.directory import DoctorRow, Problem, StructureRow
from matcher.protocol.doctors import Doctor
from matcher.protocol.ids import DoctorId
from matcher.protocol.places import Gazetteer
from matcher.protocol.population import Population
from matcher.protocol.rules import Rules
from matcher.service.territories import rules_of

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Terrain:
    """One territory as the simulation knows it. ``doctors`` stand in the order of their file."""

    id: str
    name: str
    rules: Rules
    doctors: tuple[Doctor, ...]
    population: Population
    gazetteer: Gazetteer
    #: The kinds of requesters that the territory has, each once.
    requesters: tuple[str, ...]


def read_terrain(folder: Path, start: datetime) -> Terrain:
    """A territory from its folder, as it stands at ``start``. Raises BadSetting, NotUtf8 or ValueError."""
    settings = load_territory(folder)
    away = {
        row.rpps: start + timedelta(weeks=row.weeks)
        for row in _rows(folder / "absences.csv", directory.read_absences)
    }
    doctors = tuple(
        _doctor(row, settings.quota, away.get(row.rpps))
        for row in _rows(folder / "doctors.csv", directory.read_doctors)
    )
    residents = tuple(_rows(folder / "population.csv", directory.read_population))
    if not doctors or not residents:
        raise ValueError(f"{folder}: doctors.csv and population.csv are needed to simulate")
    structures: list[StructureRow] = _rows(folder / "structures.csv", directory.read_structures)
    return Terrain(
        id=settings.id,
        name=settings.name,
        rules=rules_of(settings),
        doctors=doctors,
        population=Population(
            residents=residents,
            households=tuple(_rows(folder / "households.csv", directory.read_households)),
        ),
        gazetteer=Gazetteer(
            territory=settings.name, places=tuple(_rows(folder / "places.csv", directory.read_places))
        ),
        requesters=tuple(dict.fromkeys(structure.kind for structure in structures)),
    )


def _rows(path: Path, read: Callable[[str], tuple[list[_T], list[Problem]]]) -> list[_T]:
    """The good rows of a file; none where there is no such file."""
    return read(directory.decode(path.read_bytes()))[0] if path.is_file() else []


def _doctor(row: DoctorRow, quota: Quota, away: datetime | None) -> Doctor:
    return Doctor(
        id=DoctorId(row.rpps),
        sex=row.sex,
        languages=frozenset(row.languages),
        lat=row.lat,
        lon=row.lon,
        step_free=row.step_free,
        home_visits=row.home_visits,
        sector=row.sector,
        teleconsultation=row.teleconsultation,
        member=row.member,
        zone=row.zone,
        has_mailbox=row.email is not None,
        has_phone=row.phone is not None,
        away_until=None if away is None else away.date(),
        asked_per_week=quota.asked_per_week if row.asked_per_week is None else row.asked_per_week,
        accepted_per_month=(
            quota.accepted_per_month if row.accepted_per_month is None else row.accepted_per_month
        ),
        list_size=row.list_size,
    )
