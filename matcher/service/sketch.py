"""What the page of a search draws: where the doctors practise, and how those who agree meet the wishes.

Distances are from the announced place, never from the true address (P3): this page tells the office nothing
finer than what the doctors were told.
"""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import reasons
from matcher.protocol.doctors import Zone, fulfils
from matcher.protocol.ids import DoctorId
from matcher.protocol.places import Place, distance_km, rounded_km
from matcher.protocol.search import Search
from matcher.protocol.wishes import Wish, WishKind
from matcher.service import desk, views
from matcher.service.actors import OFFICE, Actor, require
from matcher.service.house import House
from matcher.storage.doctors import Card


@dataclass(frozen=True, kw_only=True)
class Practice:
    """One doctor around the announced place."""

    card: Card
    #: Rounded kilometres from the announced place; None where one of the two is unknown.
    distance_km: float | None
    #: The wishes in order of importance, and whether he fulfils each; None where nobody knows.
    wishes: tuple[tuple[Wish, bool | None], ...]
    #: Why he stands where he stands; None where he fits no more.
    why: str | None


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """The announced place, whom the search has met, and who could be asked next, best first."""

    place: Place | None
    met: dict[DoctorId, Practice]
    #: The first of those who could be asked next, and how many there are.
    unasked: tuple[Practice, ...]
    unasked_in_all: int


#: Of those who could be asked next, so many are drawn and named.
UNASKED = 20
#: What is compared beside a yes; whoever is excluded was never asked.
_COMPARED = frozenset(WishKind) - {WishKind.EXCLUDE}


async def with_view(house: House, actor: Actor, search_id: str) -> tuple[views.View, Sketch]:
    """The view of a search and its surroundings, as they are at one moment. Raises NotFound for another
    territory's.
    """
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        owned, view = await views.one(session, house, actor, search_id)
        return view, await _sketch(session, house, owned.search)


async def _sketch(session: AsyncSession, house: House, search: Search) -> Sketch:
    switchboard = (await desk.sheet(session, house, search.territory)).switchboard
    rules = switchboard.doctors
    fitting = (await desk.candidates(session, house, search)).ordered
    met = {s.doctor for s in search.solicitations} | {p.doctor for p in search.positions}
    unasked = [
        c.doctor
        for c in fitting
        if c.doctor not in met and c.callable and (search.widened or c.zone is Zone.TERRITORY)
    ]
    people = await desk.cards(session, house, search.territory)
    standing = {candidate.doctor: candidate for candidate in fitting}
    place = None if search.announcement is None else search.announcement.place

    travelled = {} if place is None else switchboard.times.get(place.name, {})

    def practice(doctor: DoctorId) -> Practice:
        exact = _exact(place, people[doctor])
        known = rules.get(doctor)
        compared = [wish for wish in search.wishes if wish.kind in _COMPARED]
        travel = travelled.get(doctor)
        return Practice(
            card=people[doctor],
            distance_km=None if exact is None else rounded_km(exact),
            wishes=tuple((w, None if known is None else fulfils(known, w, exact, travel)) for w in compared),
            why=reasons.why(standing[doctor]) if doctor in standing else None,
        )

    return Sketch(
        place=place,
        met={d: practice(d) for d in met if d in people},
        unasked=tuple(practice(doctor) for doctor in unasked[:UNASKED]),
        unasked_in_all=len(unasked),
    )


def _exact(place: Place | None, card: Card) -> float | None:
    if place is None or card.lat is None or card.lon is None:
        return None
    return distance_km(place.lat, place.lon, card.lat, card.lon)
