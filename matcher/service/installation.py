"""Making an installation: schema, keys, a territory and the files beside its ``territory.toml``."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from config.settings import Settings
from config.settings import load_territories as load_folder
from config.territory import parse_territory, read_territory
from matcher import directory
from matcher.directory import DoctorRow, Problem, StreetRow
from matcher.protocol.ids import DoctorId
from matcher.protocol.places import Gazetteer
from matcher.protocol.population import Population
from matcher.service import travelling
from matcher.service.actors import Actor, Role
from matcher.service.errors import Invalid
from matcher.service.finding import Finder, announceable
from matcher.service.house import House, Territory
from matcher.service.territories import rules_of
from matcher.storage import doctors, journal, links, migrate, people, territories
from matcher.storage.doctors import Card

_T = TypeVar("_T")


@dataclass
class Report:
    """What an import took, and what it skipped and why, by file and line."""

    #: The file of doctors, as problems name it.
    file: str = "doctors.csv"
    taken: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[str, Problem]] = field(default_factory=list)


async def load_territories(house: House) -> dict[str, Territory]:
    """Every territory of the database with its settings: from the folder of settings, else as they were
    when it was made. Nothing where the database has no schema yet.
    """
    folder = load_folder(house.settings.territories) if house.settings.territories.is_dir() else {}
    found: dict[str, Territory] = {}
    if not await migrate.is_current(house.engine):
        return found
    async with house.sessions.begin() as session:
        for id, kept in (await territories.settings(session)).items():
            settings = folder.get(id) or parse_territory(kept, id)
            streets = _read(Report(), house.settings.territories / id / "streets.csv", directory.read_streets)
            listed = announceable(await territories.places(session, id), streets)
            gazetteer = Gazetteer(territory=settings.name, places=listed)
            found[id] = Territory(
                id=id,
                settings=settings,
                rules=rules_of(settings),
                population=Population(
                    residents=await territories.residents(session, id),
                    households=await territories.households(session, id),
                ),
                places=gazetteer,
                finder=finder_of(house, id, gazetteer, streets),
            )
    return found


def finder_of(
    house: House, territory: str, gazetteer: Gazetteer, streets: Sequence[StreetRow] = ()
) -> Finder:
    """What finds a territory's addresses, with the streets that were imported for it, if any."""
    return Finder(book_of(house.settings, territory), gazetteer, streets)


def book_of(settings: Settings, territory: str) -> Path:
    """The file of a territory's imported streets, whether or not it is there."""
    return settings.addresses_dir / f"{territory}.sqlite3"


async def init(house: House, folder: Path) -> Report:
    """The keys and one territory with its files, in an installation that has its schema. Safe to repeat:
    settings, places and residents are replaced, doctors are matched by RPPS, people are left as they are.
    """
    text = read_territory(folder)
    settings = parse_territory(text, str(folder))
    house.keyring.prepare(house.now())
    report = Report()
    async with house.sessions.begin() as session:
        await territories.put(session, settings.id, settings.name, text, house.now())
        listed = _read(report, folder / "places.csv", directory.read_places)
        await territories.put_places(session, settings.id, listed)
        streets = _read(report, folder / "streets.csv", directory.read_streets)
        gazetteer = Gazetteer(territory=settings.name, places=tuple(listed))
        finder = finder_of(house, settings.id, gazetteer, streets)
        residents = _read(report, folder / "population.csv", directory.read_population)
        await territories.put_residents(session, settings.id, residents)
        households = _read(report, folder / "households.csv", directory.read_households)
        await territories.put_households(session, settings.id, households)
        absences = _read(report, folder / "absences.csv", directory.read_absences)
        away = {row.rpps: (house.now() + timedelta(weeks=row.weeks)).date() for row in absences}
        rows = _read(report, folder / "doctors.csv", directory.read_doctors)
        await _put_doctors(session, house, settings.id, rows, finder, report, away)
        if (folder / "travel.csv").is_file():
            journeys = _read(report, folder / "travel.csv", directory.read_travel)
            unknown = await travelling.put(session, settings.id, journeys, gazetteer)
            report.problems += [("travel.csv", problem) for problem in unknown]
        for structure in _read(report, folder / "structures.csv", directory.read_structures):
            await people.put_structure(
                session,
                settings.id,
                structure_id=uuid4().hex,
                name=structure.name,
                kind=structure.kind,
                email=structure.email,
                phone=structure.phone,
                now=house.now(),
            )
        operator = Actor(territory=settings.id, id="operator", role=Role.OPERATOR)
        await journal.append(session, house.entry(operator, "init"))
    return report


async def import_doctors(house: House, territory: str, file: Path, mssante: Path | None = None) -> Report:
    """Our CSV of doctors, or the general practitioners of the territory's communes from the Annuaire Santé;
    ``mssante``, its list of MSSanté mailboxes, fills in those that are not known. Repeatable.

    Raises Invalid for an unknown territory, NotUtf8.
    """
    places = _territory(house, territory).places
    boxes = () if mssante is None else _lines(mssante)
    if not directory.is_annuaire(next(_lines(file), "")):
        read = directory.read_doctors(directory.decode(await asyncio.to_thread(file.read_bytes)))
        return await _take_doctors(house, territory, *read, boxes, Report())
    communes = {code: place.name if (place := places.commune(code)) else "" for code in places.insee_codes}
    found = directory.read_annuaire(_lines(file), communes)
    async with house.sessions.begin() as session:
        known = await doctors.by_rpps(session, territory)
        held = await doctors.cards(session, territory, list(known.values()))
    rows = [_noted(row, held[known[row.rpps]]) if row.rpps in known else row for row in found.rows]
    return await _take_doctors(house, territory, rows, found.problems, boxes, Report(file=file.name))


def _lines(file: Path) -> Iterator[str]:
    """A file of all of France, a line at a time. Raises NotUtf8."""
    with file.open(encoding="utf-8-sig") as text:
        try:
            yield from text
        except UnicodeDecodeError:
            raise directory.NotUtf8(f"{file.name} n’est pas en UTF-8") from None


async def _take_doctors(
    house: House,
    territory: str,
    rows: list[DoctorRow],
    problems: list[Problem],
    mailboxes: Iterable[str],
    report: Report,
) -> Report:
    finder = _territory(house, territory).finder
    report.taken[report.file] = len(rows)
    report.problems += [(report.file, problem) for problem in problems]
    boxes, odd = directory.read_mssante(mailboxes, {row.rpps for row in rows})
    report.problems += [("MSSanté", problem) for problem in odd]
    if boxes:
        report.taken["MSSanté"] = len(boxes)
    rows = [replace(row, mssante=row.mssante or boxes.get(row.rpps)) for row in rows]
    async with house.sessions.begin() as session:
        await _put_doctors(session, house, territory, rows, finder, report)
        operator = Actor(territory=territory, id="operator", role=Role.OPERATOR)
        await journal.append(session, house.entry(operator, "doctors_imported"))
    return report


def _territory(house: House, territory: str) -> Territory:
    if territory not in house.territories:
        raise Invalid({"territory": "Ce territoire n’existe pas ; « trait-union init » le crée."})
    return house.territory(territory)


def _noted(row: DoctorRow, held: Card) -> DoctorRow:
    """What the Annuaire says of a doctor who is known already, and what only the office can say."""
    return replace(
        row,
        sex=row.sex or held.sex,
        phone=row.phone or held.phone,
        email=held.email or row.email,
        mssante=held.mssante,
        delegate_email=held.delegate_email,
        languages=tuple(sorted(held.languages)),
        step_free=held.step_free,
        home_visits=held.home_visits,
        sector=held.sector,
        teleconsultation=held.teleconsultation,
        member=held.member,
        zone=held.zone,
        asked_per_week=held.asked_per_week,
        accepted_per_month=held.accepted_per_month,
    )


def _read(report: Report, path: Path, read: Callable[[str], tuple[list[_T], list[Problem]]]) -> list[_T]:
    """The rows of a file beside ``territory.toml``; none where there is no such file."""
    if not path.is_file():
        return []
    rows, problems = read(directory.decode(path.read_bytes()))
    report.taken[path.name] = len(rows)
    report.problems += [(path.name, problem) for problem in problems]
    return rows


async def _put_doctors(
    session: AsyncSession,
    house: House,
    territory: str,
    rows: list[DoctorRow],
    finder: Finder,
    report: Report,
    away: Mapping[str, date] | None = None,
) -> None:
    """Add or bring up to date; what people noted of a doctor (absence, do not call) stays. ``away``: until
    when those are absent, by RPPS, who are new.
    """
    known = await doctors.by_rpps(session, territory)
    before = await doctors.cards(session, territory, list(known.values()))
    cards = []
    for row in rows:
        held = before.get(known[row.rpps]) if row.rpps in known else None
        card = _card(row, held, (away or {}).get(row.rpps))
        cards.append(card if card.lat is not None else await _placed(card, held, finder, row.line, report))
    await doctors.put(session, territory, cards, house.now())
    for card in cards:
        held = before.get(card.id)
        if held is not None and held.email is not None and held.email != card.email:
            # As with a correction by hand: what went to the former address opens nothing any more.
            await links.revoke_of_doctor(session, territory, card.id)


async def _placed(card: Card, held: Card | None, finder: Finder, line: int, report: Report) -> Card:
    """The doctor with the coordinates of the address, else those that were there for it; a doctor who has
    none then is named in the report.
    """
    typed = (card.address, card.postcode, card.city, card.insee)
    if card.address:
        located = await asyncio.to_thread(finder.find, card.address, *typed[1:])
        if located is not None:
            return replace(card, lat=located.lat, lon=located.lon)
    if held is not None and (held.address, held.postcode, held.city, held.insee) == typed:
        card = replace(card, lat=held.lat, lon=held.lon)
    if card.lat is None:
        why = f"« {card.address} » n’est pas trouvée" if card.address else "sans adresse"
        message = f"{card.name} est à placer : {why}"
        report.problems.append(
            (report.file, Problem(line=line, field="address", message=message, skipped=False))
        )
    return card


def _card(row: DoctorRow, held: Card | None, away_until: date | None) -> Card:
    changed_mail = held is not None and held.email != row.email
    changed_phone = held is not None and held.phone != row.phone
    return Card(
        id=DoctorId(uuid4().hex) if held is None else held.id,
        last_name=row.last_name,
        first_name=row.first_name,
        rpps=row.rpps,
        sex=row.sex,
        phone=row.phone,
        email=row.email,
        mssante=row.mssante,
        delegate_email=row.delegate_email,
        address=row.address,
        postcode=row.postcode,
        city=row.city,
        insee=row.insee,
        lat=row.lat,
        lon=row.lon,
        languages=frozenset(row.languages),
        step_free=row.step_free,
        home_visits=row.home_visits,
        sector=row.sector,
        teleconsultation=row.teleconsultation,
        member=row.member,
        zone=row.zone,
        asked_per_week=row.asked_per_week,
        accepted_per_month=row.accepted_per_month,
        # A file without that column forgets nothing.
        list_size=row.list_size if row.list_size is not None or held is None else held.list_size,
        declines=frozenset() if held is None else held.declines,
        away_until=away_until if held is None else held.away_until,
        do_not_call=held is not None and held.do_not_call,
        last_phoned_at=None if held is None else held.last_phoned_at,
        mailbox_flagged=held is not None and not changed_mail and held.mailbox_flagged,
        phone_flagged=held is not None and not changed_phone and held.phone_flagged,
    )
