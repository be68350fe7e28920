"""The one mail that a doctor gets for a list of patients: worded, and what became of it."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.effects import Letter
from matcher.service import asking, lists
from matcher.service.house import House
from matcher.service.phrases import frame
from matcher.storage import doctors, links, origins
from matcher.storage.doctors import Card
from messaging.bounces import blames_address
from messaging.claims import Kind, Outcome, Row
from messaging.letters import Letters, Mailbox, Message, Obsolete, compose
from messaging.links import Link, Purpose

_STATES = {
    Kind.ACCEPTED: "asked",
    # It may have arrived: an ambiguous attempt counts as asked.
    Kind.AMBIGUOUS: "asked",
    Kind.DROPPED: "dropped",
    Kind.DEAD: "unreached",
}


async def compose_for(house: House, letters: Letters, row: Row) -> Message | Obsolete:
    """The mail as it must be now: a count, a place, a link; nothing else is known of anybody here (P3)."""
    territory, origin_id, doctor = house.territory(row.territory), row.ids["origin"], row.ids["doctor"]
    async with house.sessions.begin() as session:
        origin = await origins.get(session, territory.id, origin_id)
        card = await doctors.get(session, territory.id, doctor)
        link = await _link(session, house, territory.id, origin_id, doctor, Purpose.LIST)
        pause = await _link(session, house, territory.id, origin_id, doctor, Purpose.PAUSE)
        data = await _link(session, house, territory.id, origin_id, doctor, Purpose.DATA)
    if origin is None or origin.persons is None or origin.place is None:
        return Obsolete("no_list")
    if card is None or card.mailbox is None:
        return Obsolete("no_mailbox")
    if _away(card, asking.today(house, territory.id)) and not row.may_have_left:
        return Obsolete("paused")
    page = f"{house.public_url}/places#{link}"
    words = {
        "doctor": {"title_name": card.title_name},
        "persons": origin.persons,
        "sentence": lists.sentence(origin.persons, origin.place),
        "link": page,
        "data_link": f"{house.public_url}/mes-reponses#{data}",
    }
    office = Mailbox(address=territory.mail, name=territory.name)
    return compose(
        letters.render(Letter.LIST, {**frame(territory), **words}),
        sender=office,
        recipient=Mailbox(address=card.mailbox, name=card.name),
        return_path=house.links.return_path(
            row.id + house.links.address_mark(card.mailbox), territory.settings.return_domain
        ),
        message_id=row.message_id,
        date=row.first_attempt_at,
        reply_to=office,
        unsubscribe=f"{house.public_url}/u/{pause}",
    )


async def settled(session: AsyncSession, row: Row, outcome: Outcome) -> None:
    """What became of an attempt; an address that the relay refuses for good is flagged."""
    state = _STATES.get(outcome.kind)
    if state is None:
        return
    await origins.settled(session, row.territory, row.ids["origin"], row.ids["doctor"], state)
    if outcome.kind is Kind.DEAD and blames_address(outcome.detail):
        await doctors.flag_mailbox(session, row.territory, row.ids["doctor"])


async def _link(
    session: AsyncSession, house: House, territory: str, origin_id: str, doctor: str, purpose: Purpose
) -> str:
    word = lists.purpose_of(origin_id) if purpose is Purpose.LIST else purpose
    row = await links.of_doctor(session, territory, doctor, word, now=house.now())
    return house.links.token(Link(territory=row.territory, purpose=row.purpose, id=row.id, nonce=row.nonce))


def _away(card: Card, today: date) -> bool:
    return card.away_until is not None and card.away_until >= today
