"""What is known of how a doctor was asked and answered: for the office, and for the doctor who asks.

Twelve months, and no comparison with anybody else (PROTOCOL.md: "no league table").
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from config.settings import elapsed
from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Event
from matcher.service import doors, stories
from matcher.service.actors import COORDINATION, Actor, require
from matcher.service.directory import card_view, offer_view
from matcher.service.errors import NotFound, Over
from matcher.service.house import House
from matcher.service.phrases import duration
from matcher.storage import doctors, journal, offers, searches
from matcher.storage.journal import Entry
from messaging.links import Purpose

#: What of the directory a doctor is shown: all that was noted of him, but what stands for other things.
_SHOWN: Final = frozenset(
    [
        "rpps",
        "phone",
        "email",
        "mssante",
        "delegate_email",
        "address",
        "postcode",
        "city",
        "languages",
        "sector",
        "step_free",
        "home_visits",
        "teleconsultation",
        "asked_per_week",
        "accepted_per_month",
        "away_until",
        "do_not_call",
    ]
)
_MOST: Final = 200
_COUNTED: Final[Mapping[tuple[str, str | None], str]] = {
    (Event.MAIL_ACCEPTED, None): "mails",
    (Event.CALL, None): "calls",
    (Event.ANSWER, "yes"): "yes",
    (Event.ANSWER, "no"): "no",
    (Event.CALL, "yes"): "yes",
    (Event.CALL, "no"): "no",
    (Event.CHOOSE, None): "chosen",
    (Event.DESIST, None): "gave_up",
}


async def history(house: House, actor: Actor, doctor_id: str) -> dict[str, Any]:
    """``{counts: {mails, calls, yes, no, chosen, gave_up}, items: [{at, text, search, reference}]}``, the
    newest first. Raises NotFound.
    """
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        entries, counts = await _kept(session, house, actor.territory, doctor_id)
        people = await doctors.cards(session, actor.territory, [DoctorId(doctor_id)])
        ids = {entry.search for entry in entries if entry.search}
        named = await searches.references(session, actor.territory, ids)
    told = zip(entries, stories.timeline(entries, people, silent=frozenset()), strict=True)
    items = [
        {**one, "search": entry.search, "reference": named.get(entry.search or "")} for entry, one in told
    ]
    return {"counts": counts, "items": items}


async def for_the_doctor(house: House, token: str) -> dict[str, Any]:
    """What is kept of whoever has this link, for that doctor alone and without a word of any patient:
    ``{doctor, directory, offers, counts, items: [{at, text}], kept, territory}``. Changes nothing (P6).
    Raises BadLink, Over.
    """
    async with house.sessions.begin() as session:
        link = await doors.checked(session, house, token, {Purpose.DATA})
        territory = house.territory(link.territory)
        card = await doctors.get(session, territory.id, link.doctor)
        if card is None:
            raise Over
        entries, counts = await _kept(session, house, territory.id, link.doctor)
        offered = await offers.of_doctor(session, territory.id, link.doctor)
    retention = territory.settings.retention
    return {
        "doctor": {"name": card.name},
        "territory": {"name": territory.name, "phone": territory.phone, "mail": territory.mail},
        "directory": {name: value for name, value in card_view(card).items() if name in _SHOWN},
        "offers": [offer_view(offer) for offer in offered],
        "counts": counts,
        "items": [{"at": entry.at, "text": stories.to_the_doctor(entry)} for entry in entries],
        "kept": duration(retention.contact, weekdays=False),
        "journal_kept": duration(retention.journal, weekdays=False),
    }


async def _kept(
    session: AsyncSession, house: House, territory: str, doctor_id: str
) -> tuple[list[Entry], dict[str, int]]:
    """The entries that concern a doctor, newest first, and the counts of them. Raises NotFound."""
    if not await doctors.exists(session, territory, doctor_id):
        raise NotFound
    since = house.now() - elapsed(house.territory(territory).settings.retention.contact)
    entries = await journal.of_doctor(session, territory, doctor_id, since, limit=_MOST)
    counts: Counter[str] = Counter()
    for entry in entries:
        for purpose in {None, entry.purpose}:
            name = _COUNTED.get((entry.action, purpose))
            if name is not None:
                counts[name] += 1
    return entries, dict(counts)
