"""Where each doctor stands for one search: whom it could ask, in which order, and why in that one."""

from typing import Any

from matcher.protocol import reasons
from matcher.protocol.doctors import Candidate
from matcher.service import asking
from matcher.service.actors import OFFICE, Actor, require
from matcher.service.errors import NotFound
from matcher.service.house import House
from matcher.storage import doctors, searches


async def of_search(house: House, actor: Actor, search_id: str) -> dict[str, Any]:
    """Every doctor who satisfies the hard wishes, best first, those already asked included.

    ``{items: [{doctor, why, met, unmet, mail, phone, distance_km?, minutes?}]}``; ``mail`` and ``phone`` say
    whether he may be asked that way now. Raises NotFound for another territory's.
    """
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        owned = await searches.get(session, actor.territory, search_id)
        if owned is None:
            raise NotFound
        found = await asking.candidates(session, house, owned.search)
        people = await doctors.cards(session, actor.territory, [c.doctor for c in found.ordered])
    return {
        "items": [
            {"doctor": {"id": c.doctor, "name": people[c.doctor].name}, **reasoned(c), **_ways(c)}
            for c in found.ordered
        ]
    }


def reasoned(candidate: Candidate) -> dict[str, Any]:
    """The wishes that are met, those that are not, and why the doctor stands where he does."""
    return {
        "met": [str(kind) for kind in candidate.met],
        "unmet": [str(kind) for kind in candidate.unmet],
        "why": reasons.why(candidate),
    }


def _ways(candidate: Candidate) -> dict[str, Any]:
    known = {"distance_km": candidate.distance_km, "minutes": candidate.minutes}
    told = {name: value for name, value in known.items() if value is not None}
    return {"mail": candidate.mailable, "phone": candidate.callable, **told}
