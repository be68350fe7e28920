"""Who may be asked for a search: the territory's doctors and offers, ranked by the pure rules."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import ranking
from matcher.protocol.doctors import Candidates, Doctor, Offer
from matcher.protocol.search import Search
from matcher.service.house import House
from matcher.storage import doctors, offers


@dataclass(frozen=True, kw_only=True)
class Roster:
    """The doctors and offers of one territory at one moment; read once, used for many searches."""

    doctors: tuple[Doctor, ...]
    offers: tuple[Offer, ...]


async def roster(session: AsyncSession, house: House, territory: str) -> Roster:
    """Read the territory's doctors, with what they were asked and accepted lately, and its open offers."""
    now = house.now()
    quota = house.territory(territory).settings.quota
    return Roster(
        doctors=tuple(await doctors.all_for_ranking(session, territory, now, quota)),
        offers=tuple(await offers.open_ones(session, territory, today(house, territory))),
    )


async def candidates(
    session: AsyncSession, house: House, search: Search, known: Roster | None = None
) -> Candidates:
    """Who may be asked for this search now; nobody as long as nothing can be announced."""
    if search.announcement is None:
        return Candidates()
    known = known or await roster(session, house, search.territory)
    return ranking.candidates(
        known.doctors,
        wishes=search.wishes,
        conditions=search.conditions,
        place=search.announcement.place,
        declined=search.declined,
        offers=known.offers,
        today=today(house, search.territory),
        persons=1 if search.household is None else search.household.adults + search.household.children,
    )


def today(house: House, territory: str) -> date:
    """The day it is at the territory."""
    return house.now().astimezone(house.territory(territory).rules.office_calendar.zone).date()
