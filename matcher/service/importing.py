"""Files that are imported after a territory was made: its streets and its residents."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from matcher import directory
from matcher.addresses import Address, NotBan, Skipped, write
from matcher.addresses.ban import read
from matcher.directory import Problem
from matcher.directory.insee import is_insee, read_insee
from matcher.protocol.places import PlaceKind, normalised
from matcher.service import travelling
from matcher.service.actors import Actor, Role
from matcher.service.errors import Invalid
from matcher.service.house import House
from matcher.service.installation import Report, book_of
from matcher.storage import journal, territories


class ImportedStreets(NamedTuple):
    """How many streets were taken, and what each file had that cannot be used."""

    streets: int
    skipped: Mapping[str, Skipped]


async def import_population(
    house: House, territory: str, file: Path, iris: Path | None = None
) -> tuple[Report, float]:
    """The residents of a file, ours or INSEE's, in the place of those that were there; their number.

    ``iris`` maps IRIS to quartiers; without it ``iris.csv`` beside the territory's settings is read.
    Raises Invalid where the territory is unknown or where nothing in the file can be used.
    """
    _known(house, territory)
    places = house.territory(territory).places
    report = Report()
    text = directory.decode(await asyncio.to_thread(file.read_bytes))
    if is_insee(text.partition("\n")[0]):
        mapping = iris or house.settings.territories / territory / "iris.csv"
        counted = read_insee(text.splitlines(), places.insee_codes, _quartiers(mapping, report, iris))
        residents, problems = counted.residents, counted.problems
        report.taken[f"{file.name} (IRIS)"] = counted.taken
        for name in counted.unplaced:
            problems.append(_note(0, f"IRIS {name} : sans quartier, compté pour sa commune seulement"))
    else:
        residents, problems = directory.read_population(text)
        report.taken[file.name] = len(residents)
    if not residents:
        why = str(problems[0]) if problems else "aucun habitant des communes de ce territoire"
        raise Invalid({file.name: why})
    counted_in = {(row.insee, normalised(row.quartier)) for row in residents}
    for place in places.places:
        if place.kind is PlaceKind.QUARTIER and (place.insee, normalised(place.name)) not in counted_in:
            problems.append(
                _note(0, f"{place.name} : personne n’y est compté, ce quartier ne sera pas annoncé")
            )
    report.problems += [(file.name, problem) for problem in problems]
    async with house.sessions.begin() as session:
        await territories.put_residents(session, territory, residents)
        operator = Actor(territory=territory, id="operator", role=Role.OPERATOR)
        await journal.append(session, house.entry(operator, "population_imported"))
    return report, sum(row.residents for row in residents)


def import_addresses(
    house: House,
    territory: str,
    files: Sequence[Path],
    progress: Callable[[Path, int], None],
    said: Callable[[str], None],
) -> ImportedStreets:
    """The streets of these files in the place of those that were there.

    ``progress`` is told the bytes read of a file.
    Raises Invalid for an unknown territory or another kind of file; then nothing changes.
    """
    _known(house, territory)
    skipped = {str(file): Skipped() for file in files}

    def every() -> Iterator[Address]:
        for file in files:
            yield from read(file, skipped[str(file)], partial(progress, file))

    try:
        streets = write(book_of(house.settings, territory), every(), said=said)
    except NotBan as refused:
        raise Invalid({"fichier": str(refused)}) from None
    return ImportedStreets(streets, skipped)


async def import_travel(house: House, territory: str, text: str) -> Report:
    """The minutes of a table in the place of those that were there. Raises Invalid where none can be used."""
    _known(house, territory)
    rows, problems = directory.read_travel(text)
    report = Report(taken={"travel.csv": len(rows)}, problems=[("travel.csv", one) for one in problems])
    if not rows:
        raise Invalid({"travel.csv": str(problems[0]) if problems else "aucune ligne"})
    async with house.sessions.begin() as session:
        unknown = await travelling.put(session, territory, rows, house.territory(territory).places)
        operator = Actor(territory=territory, id="operator", role=Role.OPERATOR)
        await journal.append(session, house.entry(operator, "travel_imported"))
    report.problems += [("travel.csv", problem) for problem in unknown]
    report.taken["travel.csv"] -= len(unknown)
    return report


def _quartiers(file: Path, report: Report, asked: Path | None) -> dict[str, str]:
    if asked is None and not file.is_file():
        return {}
    rows, problems = directory.read_iris(directory.decode(file.read_bytes()))
    report.taken[file.name] = len(rows)
    report.problems += [(file.name, problem) for problem in problems]
    return {row.iris: row.quartier for row in rows}


def _note(line: int, message: str) -> Problem:
    return Problem(line=line, field="", message=message, skipped=False)


def _known(house: House, territory: str) -> None:
    if territory not in house.territories:
        raise Invalid({"territory": "ce territoire n’existe pas ; « trait-union init » le crée"})
