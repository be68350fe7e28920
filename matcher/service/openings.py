"""Who opened which record, when and why (P8): for the directrice, and for the patient who asks.

Everything is read from the journal, which names people by opaque ids; the names are looked up when it is
shown. What a patient is given names the doctor and the structure, and of the office's people the role only:
the CPTS answers for them.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Event
from matcher.service.actors import COORDINATION, Actor, Role, require
from matcher.service.errors import NotFound
from matcher.service.house import House
from matcher.storage import api_keys, doctors, journal, people, searches
from matcher.storage.doctors import Card
from matcher.storage.journal import Entry

#: Entries that say that somebody saw a record, or parts of it.
SEEN: Final = frozenset(
    {
        "open_contact_staff",
        "open_record_staff",
        "print_record",
        "record_exported",
        "recourse_letter",
        Event.OPEN_RECORD,
    }
)
#: Those that say that it was given to a doctor, beside the openings: what a patient may ask for.
GIVEN: Final = SEEN | {Event.CHOOSE, Event.RENEW_RELEASE, Event.DESIST}
DIRECTION: Final = frozenset({Role.DIRECTRICE})
_PAGE: Final = 50
#: A patient's extract is one document; more openings than this of one search were never seen.
_MOST: Final = 2000


async def openings(
    house: House, actor: Actor, *, after: int | None = None, reference: str = "", by: str = ""
) -> dict[str, Any]:
    """One page of what was opened in the territory, newest first: ``{items: [{seq, at, who?, by, role, what,
    why?, search?, reference?, doctor?}], next?}``; of one search where its ``reference`` is given, of one
    person where ``by`` is the id that the journal has. Raises NotFound for a reference that is nobody's.
    """
    require(actor, DIRECTION)
    async with house.sessions.begin() as session:
        among = await _referred(session, actor.territory, reference) if reference.strip() else None
        found = await journal.of_actions(
            session, actor.territory, SEEN, among=among, actor=by or None, after=after, limit=_PAGE + 1
        )
        items = await _named(session, actor.territory, found[:_PAGE])
    page: dict[str, Any] = {"items": items}
    if len(found) > _PAGE:
        page["next"] = str(found[_PAGE - 1].seq)
    return page


async def everything(house: House, actor: Actor, after: int | None = None) -> dict[str, Any]:
    """One page of the whole journal, newest first, with names: ``{items, next?}`` as of ``openings``."""
    require(actor, DIRECTION)
    async with house.sessions.begin() as session:
        found = await journal.list_(session, actor.territory, after=after, limit=_PAGE + 1)
        items = await _named(session, actor.territory, found[:_PAGE])
    page: dict[str, Any] = {"items": items}
    if len(found) > _PAGE:
        page["next"] = str(found[_PAGE - 1].seq)
    return page


async def of_patient(house: House, actor: Actor, search_id: str) -> dict[str, Any]:
    """Who saw one patient's record, oldest first, over every search that is about the same person:
    ``{reference, items: [{at, role, what, why?, doctor?, reference}]}``. Raises NotFound.
    """
    require(actor, COORDINATION | DIRECTION)
    async with house.sessions.begin() as session:
        owned = await searches.get(session, actor.territory, search_id)
        if owned is None:
            raise NotFound
        family = {search_id, *await searches.family(session, actor.territory, search_id)}
        found = await journal.of_actions(session, actor.territory, GIVEN, among=family, limit=_MOST)
        items = await _named(session, actor.territory, reversed(found))
    return {"reference": owned.reference, "items": items}


async def _referred(session: AsyncSession, territory: str, reference: str) -> Collection[str]:
    ids = await searches.by_reference(session, territory, reference.strip())
    if not ids:
        raise NotFound
    return ids


async def _named(session: AsyncSession, territory: str, entries: Iterable[Entry]) -> list[dict[str, Any]]:
    entries = list(entries)
    staff = {user.id: user.name or user.email for user in await people.users(session, territory)}
    staff |= {key.id: key.name for key in await api_keys.of_territory(session, territory)}
    known = await doctors.cards(session, territory, {e.doctor for e in entries if e.doctor})
    references = await searches.references(session, territory, {e.search for e in entries if e.search})
    return [
        {
            name: value
            for name, value in {
                "seq": entry.seq,
                "at": entry.at,
                "who": _who(entry, staff, known),
                "by": entry.actor_id,
                "role": entry.actor_kind,
                "what": entry.action,
                # What is done to an account or a key has its id there.
                "why": staff.get(entry.purpose or "", entry.purpose),
                "search": entry.search,
                "reference": references.get(entry.search or ""),
                "doctor": _card_name(entry.doctor, known),
            }.items()
            if value is not None
        }
        for entry in entries
    ]


def _who(entry: Entry, staff: Mapping[str, str], known: Mapping[DoctorId, Card]) -> str | None:
    """The name behind an id; None where nobody of that id is left."""
    if entry.actor_kind == Role.DOCTOR:
        return _card_name(entry.doctor, known)
    return staff.get(entry.actor_id)


def _card_name(doctor: str | None, known: Mapping[DoctorId, Card]) -> str | None:
    card = known.get(DoctorId(doctor)) if doctor else None
    return None if card is None else card.name
