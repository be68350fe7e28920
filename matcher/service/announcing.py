"""Measuring an announcement: from the sealed record to an age band and a place, never under K."""

import asyncio
from typing import Any, NoReturn

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.addresses import whole_commune
from matcher.protocol import ladder
from matcher.protocol.announcement import (
    Announcement,
    CannotAnnounce,
    Ground,
    Subject,
    covers,
    parse_age,
    parse_condition,
)
from matcher.protocol.moves import Refused
from matcher.protocol.places import Gazetteer, Place, normalised
from matcher.protocol.search import Search
from matcher.records.dates import age_on
from matcher.service import asking, vaulted
from matcher.service.errors import Invalid
from matcher.service.finding import Finder
from matcher.service.house import House

#: The housings whose address is not where the person sleeps.
NOT_SLEPT_AT = frozenset({"domiciled", "none"})


async def measured(
    session: AsyncSession, house: House, search: Search, request: dict[str, Any] | None = None
) -> Announcement | None:
    """The finest announcement of the ladder, None where nothing may be announced.

    ``request``: what was just sent, so that taking it in opens nothing; None opens the record.
    """
    try:
        return ladder.announce(await _subject(session, house, search, request), _ground(house, search))
    except CannotAnnounce:
        return None


async def refuse_unannounceable(session: AsyncSession, house: House, search: Search) -> NoReturn:
    """Say why nothing may be announced: ``too_few_residents`` or ``no_household_table``."""
    try:
        ladder.announce(await _subject(session, house, search), _ground(house, search))
    except CannotAnnounce as why:
        raise Refused(why.code, why.reason, search.state) from None
    raise Refused("not_announced", "Choisissez d’abord l’annonce de cette recherche.", search.state)


async def choices(session: AsyncSession, house: House, search: Search) -> tuple[Announcement, ...]:
    """What the office may click on, finest first; empty where nothing may be announced."""
    try:
        offered = ladder.choices(await _subject(session, house, search), _ground(house, search))
    except CannotAnnounce:
        return ()
    if search.announcement is None or not search.announcement_frozen:
        return offered
    frozen = search.announcement
    return tuple(a for a in offered if covers(a, frozen))


async def chosen(
    session: AsyncSession, house: House, search: Search, age: str | None, place: str | None
) -> Announcement:
    """The announcement that a person asked for. Raises Refused under K or without a birth date, Invalid for
    an unknown name.
    """
    ground = _ground(house, search)
    band = where = None
    if age is not None:
        try:
            band = parse_age(age)
        except ValueError:
            raise Invalid({"age": "Écrivez une tranche d’âge comme 65-69, ou un âge."}) from None
    if place is not None:
        where = _named(ground.gazetteer, place)
        if where is None:
            raise Invalid({"place": "Ce lieu n’est pas dans la liste du territoire."})
    try:
        return ladder.finer(await _subject(session, house, search), ground, age=band, place=where)
    except CannotAnnounce as why:
        raise Refused(why.code, why.reason, search.state) from None


def place_of(gazetteer: Gazetteer, finder: Finder, request: dict[str, Any]) -> Place:
    """Where the person sleeps: the named place, else the quartier of the address, else its commune, else
    the territory. Reads the disk.
    """
    if request.get("place"):
        found = _named(gazetteer, request["place"])
        if found is not None:
            return found
    record = request.get("record", {})
    address = record.get("address") or {}
    insee, city = address.get("insee"), address.get("city")
    if record.get("housing") not in NOT_SLEPT_AT and address.get("line"):
        located = finder.find(address["line"], address.get("postcode"), city, insee)
        if located is not None:
            quartier = gazetteer.quartier(located.quartier, located.insee)
            if quartier is not None:
                return quartier
            insee = insee or located.insee
    for code in (insee, whole_commune(insee or "")):
        if (commune := gazetteer.commune(code)) is not None:
            return commune
    return gazetteer.find(city or "") or gazetteer.whole()


def _named(gazetteer: Gazetteer, name: str) -> Place | None:
    whole = gazetteer.whole()
    return whole if normalised(name) == normalised(whole.name) else gazetteer.find(name)


def _ground(house: House, search: Search) -> Ground:
    return house.territory(search.territory).ground


async def _subject(
    session: AsyncSession, house: House, search: Search, request: dict[str, Any] | None = None
) -> Subject:
    if request is None:
        request = await vaulted.request(session, house, search)
    territory = house.territory(search.territory)
    today = asking.today(house, search.territory)
    household = search.household
    born = request.get("record", {}).get("birth_date")
    if born is None:  # a draft
        raise CannotAnnounce("no_birth_date", "Notez d’abord la date de naissance, ou l’année.")
    return Subject(
        age=age_on(born, today),
        place=await asyncio.to_thread(place_of, territory.places, territory.finder, request),
        conditions=tuple(parse_condition(c) for c in request.get("conditions", ())),
        adults=1 if household is None else household.adults,
        children=0 if household is None else household.children,
    )
