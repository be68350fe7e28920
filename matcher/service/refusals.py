"""Refusals after release: a doctor who had the record gave up. A person reads each, with its reason, and says
what it was; whoever was refused may have two letters. Counted without doctors: nobody is ranked.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Event
from matcher.records import figures as words
from matcher.service import vaulted
from matcher.service.actors import COORDINATION, Actor, Role, require
from matcher.service.errors import Conflict, Invalid, NotFound
from matcher.service.house import House
from matcher.storage import doctors, journal, searches
from matcher.storage.journal import Entry

READ: Final = "refusal_read"
LETTER: Final = "recourse_letter"
#: More refusals and readings than this since the oldest unread one were never seen.
_MOST: Final = 2000


class Kind(StrEnum):
    """What a refusal was, in the eyes of who read it."""

    ROOM = "refusal_room"
    DISTANCE = "refusal_distance"
    CARE = "refusal_care"
    #: Something that the law forbids may have played a part: coverage, origin, health, situation.
    DOUBT = "refusal_doubt"
    UNKNOWN = "refusal_unknown"


class To(StrEnum):
    """Whom the letter is for."""

    CPAM = "cpam"
    ORDRE = "ordre"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a letter may say: what was noted, and nothing else."""

    reference: str
    name: str
    address: str
    doctor: str
    chosen_on: datetime | None
    refused_on: datetime
    #: In the doctor's own words, or as they were noted; None where nothing was said.
    reason: str | None


async def unread(house: House, actor: Actor) -> list[dict[str, Any]]:
    """The refusals that nobody has read yet, oldest first: ``{search, reference, label?, doctor?, at,
    reason?}``.
    """
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        waiting = await _waiting(session, actor.territory)
        labels = await vaulted.labels(session, house, actor.territory, waiting)
        return [
            told | ({"label": labels[search]} if search in labels else {})
            for search, entry in waiting.items()
            if (told := await _told(session, house, actor.territory, entry)) is not None
        ]


async def how_many(session: AsyncSession, territory: str) -> int:
    """How many refusals nobody has read yet."""
    waiting = await _waiting(session, territory)
    # A search may have been erased since.
    return len(await searches.references(session, territory, set(waiting)))


async def _waiting(session: AsyncSession, territory: str) -> dict[str, Entry]:
    """The latest refusal of each search that nobody has read yet, oldest first."""
    found = await journal.of_actions(session, territory, {Event.DESIST, READ}, limit=_MOST)
    waiting: dict[str, Entry] = {}
    for entry in reversed(found):
        if entry.search is not None and _by_doctor(entry):
            waiting[entry.search] = entry
        elif entry.action == READ:
            waiting.pop(entry.search or "", None)
    return waiting


async def read(house: House, actor: Actor, search_id: str, kind: Kind) -> None:
    """Note that it was read, and what it was. Raises NotFound, Conflict where none waits."""
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        if await searches.lock(session, actor.territory, search_id) is None:
            raise NotFound
        entries = await journal.of_search(session, actor.territory, search_id)
        last = next((one for one in reversed(entries) if _by_doctor(one) or one.action == READ), None)
        if last is None or last.action == READ:
            raise Conflict("no_refusal", "Aucun refus n’attend d’être lu pour cette recherche.")
        entry = house.entry(actor, READ, search=search_id, doctor=last.doctor, purpose=kind)
        await journal.append(session, entry)


async def letter(house: House, actor: Actor, search_id: str, to: To, *, agreed: bool) -> Facts:
    """What one of the two letters says, for a patient who agrees to it; the opening is in the journal (P8).

    Raises NotFound, Conflict where nobody refused, Invalid where the patient has not agreed.
    """
    require(actor, COORDINATION)
    if not agreed:
        raise Invalid({"agreed": "La lettre se prépare seulement si la personne en est d’accord."})
    async with house.sessions.begin() as session:
        owned = await searches.get(session, actor.territory, search_id)
        if owned is None:
            raise NotFound
        entries = await journal.of_search(session, actor.territory, search_id)
        refused = next((one for one in reversed(entries) if _by_doctor(one)), None)
        if refused is None:
            raise Conflict("no_refusal", "Aucun médecin ne s’est désisté pour cette recherche.")
        await journal.append(session, house.entry(actor, LETTER, search=search_id, purpose=to))
        record = (await vaulted.request(session, house, owned.search))["record"]
        told = await _told(session, house, actor.territory, refused)
        chosen = [one.at for one in entries if _is_choice(one) and one.seq < refused.seq]
    assert told is not None
    address = record.get("address", {})
    town = " ".join(filter(None, (address.get("postcode"), address.get("city"))))
    return Facts(
        reference=owned.reference,
        name=" ".join((record["first_names"], record.get("used_name") or record["birth_name"])),
        address=", ".join(filter(None, (address.get("line"), town))),
        doctor=told.get("doctor", ""),
        chosen_on=chosen[-1] if chosen else None,
        refused_on=refused.at,
        reason=told.get("reason"),
    )


async def counts(house: House, actor: Actor, first: date, last: date) -> dict[str, int]:
    """How many refusals were read of each kind, over the whole quarters of the period that are over: one that
    still grew would tell, from one day to the next, which was added. None under the smallest group of a
    quarter, and never all but one that a total would give away.
    """
    require(actor, frozenset({Role.DIRECTRICE}))
    zone = house.territory(actor.territory).rules.office_calendar.zone
    this_month = words.month_of(house.now().astimezone(zone).date())
    found: Counter[str] = Counter()
    async with house.sessions.begin() as session:
        for quarter in words.quarters(words.whole_months(first, last)):
            if quarter[-1] >= this_month:
                continue
            days = (_first_of(quarter[0], 0), _first_of(quarter[0], 3))
            begin, end = (datetime.combine(day, time(), zone) for day in days)
            read = await journal.counts(session, actor.territory, begin, end, {READ})
            found.update(words.shown({kind: number for (_, kind), number in read.items() if kind}))
    return dict(found)


def _first_of(month: str, later: int) -> date:
    """The first day of the month that is so many months ``later``."""
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + later, 12)
    return date(year, number + 1, 1)


def _by_doctor(entry: Entry) -> bool:
    return entry.action == Event.DESIST and "doctor" in (entry.actor_kind, entry.purpose)


async def _told(session: AsyncSession, house: House, territory: str, entry: Entry) -> dict[str, Any] | None:
    owned = await searches.get(session, territory, entry.search or "")
    if owned is None:
        return None
    told: dict[str, Any] = {"search": owned.search.id, "reference": owned.reference, "at": entry.at}
    whose = entry.doctor or await _chosen_before(session, territory, entry)
    cards = await doctors.cards(session, territory, [DoctorId(whose)] if whose else [])
    for card in cards.values():
        told["doctor"] = card.name
    given = [
        one["text"]
        for one in await vaulted.reasons(session, house, owned.search)
        if one["what"] == Event.DESIST and one.get("by") == "doctor"
    ]
    return told | ({"reason": given[-1]} if given else {})


async def _chosen_before(session: AsyncSession, territory: str, entry: Entry) -> str | None:
    """The doctor who gave up, where it was the office that noted it."""
    earlier = await journal.of_search(session, territory, entry.search or "")
    return next((one.doctor for one in reversed(earlier) if _is_choice(one) and one.seq < entry.seq), None)


def _is_choice(entry: Entry) -> bool:
    return entry.action == Event.CHOOSE
