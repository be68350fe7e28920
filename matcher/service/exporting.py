"""Everything that is held on one person, for that person: read once, journaled, and handed over as files."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.ids import DoctorId
from matcher.protocol.search import Position, Solicitation
from matcher.service import openings, vaulted, views
from matcher.service.actors import COORDINATION, Actor, Role, require
from matcher.service.erasing import AskedBy
from matcher.service.errors import NotFound
from matcher.service.house import House
from matcher.storage import doctors, journal, lookups, parts, received, searches
from matcher.storage.doctors import Card
from matcher.storage.searches import Owned
from messaging import traces

#: As the journal has it since the first openings.
EXPORTED = "record_exported"
#: It opens the record, which an operator never does.
MAY_EXPORT = COORDINATION


@dataclass(frozen=True, kw_only=True)
class Export:
    """What there is: one value for each request about the person, the one that was asked for first."""

    reference: str
    requests: list[dict[str, Any]]
    #: Other requests that seem to be about the same person: they are exported by themselves.
    same_person: list[str]
    #: Who saw what of it, oldest first (``openings.of_patient``).
    accesses: list[dict[str, Any]]


async def export(house: House, actor: Actor, search_id: str, asked_by: AskedBy) -> Export:
    """Everything held on the person of this search; each request's opening is in the journal (P8). Of a
    request: ``{reference, request?, search, replies, mails, earlier_runs}``. Raises NotFound.
    """
    require(actor, MAY_EXPORT)
    territory = actor.territory
    # Whoever may hand everything over sees it as its coordinatrice does.
    reader = replace(actor, role=Role.COORDINATRICE)
    async with house.sessions.begin() as session:
        if await searches.get(session, territory, search_id) is None:
            raise NotFound
        relatives = set(await searches.family(session, territory, search_id)) - {search_id}
        family = [search_id, *sorted(relatives)]
        for one in family:
            await journal.append(session, house.entry(actor, EXPORTED, search=one, purpose=asked_by))
        others = await lookups.twins(session, territory, search_id)
    async with house.sessions.begin() as session:
        found = [await searches.get(session, territory, one) for one in family]
        told = [await _one(session, house, reader, owned) for owned in found if owned is not None]
    accesses = await openings.of_patient(house, reader, search_id)
    return Export(
        reference=told[0]["reference"],
        requests=told,
        same_person=[said for other, said in others if other not in family],
        accesses=accesses["items"],
    )


async def by_reference(house: House, reference: str) -> tuple[str, str]:
    """The territory and the search that people call so, whichever territory it is. Raises NotFound."""
    for territory in sorted(house.territories):
        async with house.sessions.begin() as session:
            ids = await searches.by_reference(session, territory, reference.strip().upper())
        if ids:
            return territory, next(iter(ids))
    raise NotFound


async def _one(session: AsyncSession, house: House, reader: Actor, owned: Owned) -> dict[str, Any]:
    held, territory = owned.search, reader.territory
    seen = await views.staff_view(session, house, reader, owned)
    # What opens the record to its doctor is nobody's datum.
    seen.get("release", {}).pop("code", None)
    # Whether it is the same person, the office finds out first.
    seen.pop("same_patient", None)
    told: dict[str, Any] = {"reference": owned.reference, "search": seen}
    try:
        told["request"] = await vaulted.request(session, house, held)
    except NotFound:
        # Destroyed, or closed after a withdrawal: nobody opens it any more.
        told["request"] = None
    mails = await traces.naming(session, territory, "search", held.id)
    replies = await received.of_search(session, territory, held.id)
    earlier = await parts.earlier_runs(session, territory, held.id)
    ids = {mail.ids.get("doctor") for mail in mails} | {reply.doctor for reply in replies}
    ids |= {one.doctor for _, one in earlier}
    people = await doctors.cards(session, territory, {DoctorId(one) for one in ids if one})
    told["mails"] = [
        {"letter": mail.letter, "at": mail.enqueued_at, "to": _to(people, mail.ids), "state": mail.state}
        for mail in mails
    ]
    told["replies"] = [
        {
            "at": reply.at,
            "kind": reply.kind,
            "from": _name(people, reply.doctor),
            "words": await vaulted.reply(session, house, territory, held.id, reply.id),
        }
        for reply in replies
    ]
    told["earlier_runs"] = [_earlier(run, one, people) for run, one in earlier]
    return told


def _earlier(run: int, one: Solicitation | Position, people: dict[DoctorId, Card]) -> dict[str, Any]:
    what = one.channel if isinstance(one, Solicitation) else one.stand
    return {"run": run, "at": one.at, "doctor": _name(people, one.doctor), "what": what}


def _to(people: dict[DoctorId, Card], ids: Any) -> str:
    return _name(people, ids["doctor"]) if "doctor" in ids else "demandeur"


def _name(people: dict[DoctorId, Card], doctor: str | None) -> str:
    card = people.get(DoctorId(doctor)) if doctor else None
    return "" if card is None else card.name
