"""Replies and bounces that a person must read: listed, opened, settled. Staff only, and journaled."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import steps
from matcher.protocol.ids import AnswerId, DoctorId
from matcher.protocol.moves import Event, Refused, Step
from matcher.protocol.rules import Around
from matcher.protocol.search import Answer, Channel, Says, Search, Via
from matcher.service import turn, vaulted
from matcher.service.actors import OFFICE, Actor, require
from matcher.service.errors import Conflict, Invalid, NotFound
from matcher.service.house import House
from matcher.storage import doctors, journal, people, received, searches
from matcher.storage.received import Mail

#: How long the text of a settled reply can still be read again, should somebody have misread it.
READABLE_AFTER = timedelta(days=7)


class Settled(StrEnum):
    """What a person made of a reply."""

    YES = "yes"
    NO = "no"
    PAUSE = "pause"
    #: Read; it changes nothing.
    NOTHING = "nothing"


def by_mail(doctor: DoctorId, says: Says, at: datetime, until: date | None = None) -> turn.Move:
    """A doctor's answer by plain mail. A yes gets the confirmation link back and cannot be chosen before it
    was confirmed; a no or a pause counts at once. The move raises Refused ``not_asked``.
    """

    def move(search: Search, around: Around) -> Step:
        if search.position(doctor) is None and search.solicitation(doctor, Channel.MAIL) is None:
            raise Refused("not_asked", "Ce médecin n’a pas été sollicité pour cette recherche.", search.state)
        given = Answer(id=AnswerId(uuid4().hex), says=says, via=Via.MAIL, at=at, until=until)
        return steps.answer(search, doctor, given, None, around)

    return move


async def waiting(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Those that wait, oldest first: from whom, about which search, never what they say."""
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        return [
            await _view(session, house, mail) for mail in await received.waiting(session, actor.territory)
        ]


async def read(house: House, actor: Actor, reply_id: str) -> dict[str, Any]:
    """One of them with its text, which is journaled (P8). Raises NotFound."""
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        mail = await _mail(session, actor, reply_id)
        await journal.append(
            session, house.entry(actor, "reply_read", search=mail.search, doctor=mail.doctor)
        )
        words = await vaulted.reply(session, house, mail.territory, mail.search, mail.id)
        return await _view(session, house, mail) | (words or {})


async def settle(
    house: House, actor: Actor, reply_id: str, made: Settled, until: date | None = None
) -> dict[str, Any]:
    """What the office made of it counts as the doctor's answer by plain mail, or changes nothing.

    Raises NotFound, Conflict ``settled`` where a colleague was faster, Invalid, or what the protocol refuses.
    """
    require(actor, OFFICE)
    if made is Settled.PAUSE and (until is None or until < house.now().date()):
        raise Invalid({"until": "Indiquez jusqu’à quand, une date à venir."})
    async with house.sessions.begin() as session:
        mail = await _mail(session, actor, reply_id)
        if made is not Settled.NOTHING:
            if mail.doctor is None or mail.kind != "reply":
                raise Invalid({"answer": "Ce message n’est pas la réponse d’un médecin."})
            await _count(session, house, actor, mail, Says(made), until)
        if not await received.settle(session, actor.territory, reply_id, actor.id, house.now()):
            raise Conflict("settled", "Ce message vient d’être traité.")
        await journal.append(
            session,
            house.entry(actor, "reply_settled", search=mail.search, doctor=mail.doctor, purpose=made),
        )
        seen = await _mail(session, actor, reply_id)
        view = await _view(session, house, seen)
    house.bell.ring(actor.territory)
    return view


async def _count(
    session: AsyncSession, house: House, actor: Actor, mail: Mail, says: Says, until: date | None
) -> None:
    assert mail.doctor is not None
    before = await turn.locked(session, actor, mail.search)
    around = await turn.around(session, house, before, actor.territory)
    step = by_mail(DoctorId(mail.doctor), says, house.now(), until)(before, around)
    await turn.carry_out(session, house, actor, before, step, Event.ANSWER, doctor=mail.doctor, purpose=says)


async def forget(session: AsyncSession, territory: str, now: datetime, kept: timedelta) -> None:
    """Texts that were dealt with go after a week, what is known of a mail when ``kept`` is over."""
    for mail in await received.settled_before(session, territory, now - READABLE_AFTER):
        await vaulted.forget_reply(session, territory, mail.search, mail.id)
    await received.purge(session, territory, before=now - kept)


async def _mail(session: AsyncSession, actor: Actor, reply_id: str) -> Mail:
    mail = await received.get(session, actor.territory, reply_id)
    if mail is None or mail.state not in ("waiting", "settled"):
        raise NotFound
    return mail


async def _view(session: AsyncSession, house: House, mail: Mail) -> dict[str, Any]:
    owned = await searches.get(session, mail.territory, mail.search)
    assert owned is not None
    view: dict[str, Any] = {
        "id": mail.id,
        "at": mail.at,
        "kind": mail.kind,
        "reading": mail.reading,
        "counted": mail.counted,
        "sender": mail.sender,
        "letter": mail.letter,
        "state": mail.state,
        "search": {"id": owned.search.id, "reference": owned.reference, "state": owned.search.state},
    }
    if mail.doctor is not None:
        card = await doctors.get(session, mail.territory, mail.doctor)
        view["doctor"] = {"id": mail.doctor, "name": "" if card is None else card.name}
        if card is not None and card.phone is not None and not card.phone_flagged:
            view["phone"] = card.phone
    elif owned.structure is not None:
        structure = await people.structure(session, mail.territory, owned.structure)
        view["structure"] = "" if structure is None else structure.name
    contact = await vaulted.contact(session, house, mail.territory, owned.search.id)
    if contact is not None:
        view["label"] = contact["label"]
    return view
