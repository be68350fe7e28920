"""Who may be asked for a search: the territory's doctors and offers, ranked by the pure rules."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import ranking
from matcher.protocol.doctors import Candidates, Doctor, Offer
from matcher.protocol.fairness import Usual, usual
from matcher.protocol.ids import DoctorId
from matcher.protocol.nearest import Nearest
from matcher.protocol.places import normalised
from matcher.protocol.search import Search
from matcher.protocol.travel import Travel
from matcher.service.house import House
from matcher.storage import doctors, offers, travel
from matcher.storage.doctors import Card
from matcher.storage.past import Past


@dataclass(frozen=True, kw_only=True)
class Roster:
    """The doctors and offers of one territory at one moment; read once, used for many searches."""

    doctors: tuple[Doctor, ...]
    offers: tuple[Offer, ...]
    #: What is usual among them.
    common: Usual


@dataclass(frozen=True, kw_only=True)
class Directory:
    """Some or all doctors of a territory, as the rules and as people see them."""

    #: With their loads and what they answered.
    doctors: tuple[Doctor, ...]
    cards: dict[DoctorId, Card]


async def directory(
    session: AsyncSession, house: House, territory: str, only: Collection[str] | None = None
) -> Directory:
    """The doctors of the territory; ``only``: of these ids."""
    now = house.now()
    quota = house.territory(territory).settings.quota
    known = await doctors.everybody(session, territory, now, quota, only)
    past = await house.past.answers(session, territory, now)
    return Directory(
        doctors=tuple(_remembered(doctor, past) for _, doctor in known),
        cards={card.id: card for card, _ in known},
    )


async def roster(session: AsyncSession, house: House, territory: str) -> Roster:
    """Read the territory's doctors, with what they were asked and accepted lately, and its open offers."""
    known = await directory(session, house, territory)
    return await roster_of(session, house, territory, known.doctors)


async def roster_of(
    session: AsyncSession, house: House, territory: str, everybody: tuple[Doctor, ...]
) -> Roster:
    """These doctors, with the territory's open offers."""
    day = today(house, territory)
    return Roster(
        doctors=everybody,
        common=usual(everybody),
        # Those for a list are given out when it is filled (``lists``), not to whoever comes first.
        offers=tuple(o for o in await offers.open_ones(session, territory, day) if o.origin is None),
    )


async def candidates(
    session: AsyncSession,
    house: House,
    search: Search,
    known: Roster | None = None,
    *,
    index: Nearest | None = None,
    most: int | None = None,
) -> Candidates:
    """Who may be asked for this search now; nobody as long as nothing can be announced.

    With the ``index`` of the same roster: the first ``most`` only, which is sooner done where there are
    thousands. What the index does not know, minutes and offers, takes the long way.
    """
    if search.announcement is None:
        return Candidates()
    known = known or await roster(session, house, search.territory)
    travelled = await times(session, search)
    if index is not None and most is not None and not travelled and not known.offers:
        first = index.first(
            most,
            wishes=search.wishes,
            conditions=search.conditions,
            place=search.announcement.place,
            declined=search.declined,
            today=today(house, search.territory),
        )
        return Candidates(ordered=first)
    return ranking.candidates(
        known.doctors,
        wishes=search.wishes,
        conditions=search.conditions,
        place=search.announcement.place,
        declined=search.declined,
        offers=known.offers,
        today=today(house, search.territory),
        persons=1 if search.household is None else search.household.adults + search.household.children,
        times=travelled,
        common=known.common,
    )


async def times(session: AsyncSession, search: Search) -> dict[DoctorId, Travel]:
    """The minutes of the territory's table from the announced place; nothing where it has none."""
    assert search.announcement is not None
    return await travel.from_place(session, search.territory, normalised(search.announcement.place.name))


def _remembered(doctor: Doctor, past: Mapping[DoctorId, Past]) -> Doctor:
    """The doctor with what he was asked and answered within a year."""
    if (known := past.get(doctor.id)) is None:
        return doctor
    return replace(doctor, asked_before=known.asked, yes_before=known.yes)


def today(house: House, territory: str) -> date:
    """The day it is at the territory."""
    return house.now().astimezone(house.territory(territory).rules.office_calendar.zone).date()
