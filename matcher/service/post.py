"""Putting mails into the outbox: which letter, about what, never to which address."""

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.effects import Letter
from matcher.protocol.ids import DoctorId
from matcher.protocol.search import Search
from matcher.service import gathering
from matcher.service.house import House
from matcher.storage import doctors, links
from matcher.storage.links import Row
from messaging import outbox
from messaging.keyring import Mac
from messaging.links import Purpose
from messaging.outbox import derive_message_id

#: Letters that a delegate whom the doctor named gets too, under her own link; never the record's.
FOR_THE_DELEGATE = frozenset({Letter.ANNOUNCEMENT, Letter.REMINDER})
#: Letters that open the record.
WITH_THE_RECORD = frozenset({Letter.CHOSEN, Letter.NOT_OPENED})


async def to_doctor(
    session: AsyncSession, house: House, search: Search, letter: Letter, doctor: DoctorId, number: int
) -> None:
    """Enqueue one letter to one doctor, and to the delegate where the letter is for her too."""
    purpose = Purpose.RECORD if letter in WITH_THE_RECORD else Purpose.ANSWER
    await _enqueue(session, house, search, letter, doctor, number, purpose)
    if letter not in FOR_THE_DELEGATE:
        return
    card = await doctors.get(session, search.territory, doctor)
    if card is not None and card.delegate_email is not None:
        await _enqueue(session, house, search, letter, doctor, number, Purpose.DELEGATE)


async def to_delegate(
    session: AsyncSession, house: House, search: Search, letter: Letter, doctor: DoctorId, number: int
) -> None:
    """Enqueue one letter to the delegate alone: it was she who wrote."""
    await _enqueue(session, house, search, letter, doctor, number, Purpose.DELEGATE)


async def to_requester(
    session: AsyncSession, house: House, search: Search, letter: Letter, number: int
) -> None:
    """Enqueue news to the structure that submitted; composing drops it where there is none."""
    # The state makes two pieces of news two mails, and a repeated one the same.
    part = f"{search.state}-{number}"
    await outbox.enqueue(
        session,
        territory=search.territory,
        letter=letter,
        ids={"search": search.id, "run": str(search.run), "state": search.state, "number": str(number)},
        message_id=_message_id(house, search, "requester", letter, part),
        now=house.now(),
    )


async def set_up(session: AsyncSession, house: House, territory: str, doctor: DoctorId, link: Row) -> None:
    """Enqueue the link under which a doctor sets an authenticator up: it belongs to no search."""
    await outbox.enqueue(
        session,
        territory=territory,
        letter=Letter.SECOND_FACTOR,
        ids={"doctor": doctor, "link": link.id, "purpose": Purpose.FACTOR.value},
        message_id=derive_message_id(
            house.keyring.mac(Mac.MESSAGE_ID, 1),
            house.territory(territory).settings.return_domain,
            territory,
            doctor,
            Letter.SECOND_FACTOR,
            # Another for each link that is sent.
            link.nonce,
        ),
        now=house.now(),
    )


def message_id(
    house: House,
    search: Search,
    doctor: DoctorId,
    letter: Letter,
    number: int = 1,
    *,
    delegate: bool = False,
    of: Letter | None = None,
) -> str:
    """The Message-ID of a letter: the same for ever for the same letter, after a restored backup too.

    A digest has that of the search it begins with, and of what it gathers (``of``).
    """
    to = f"{doctor}/delegate" if delegate else doctor
    if of is not None:
        to = f"{to}/{of}"
    return _message_id(house, search, to, letter, str(number))


async def _enqueue(
    session: AsyncSession,
    house: House,
    search: Search,
    letter: Letter,
    doctor: DoctorId,
    number: int,
    purpose: Purpose,
) -> None:
    territory = house.territory(search.territory)
    await links.ensure(
        session,
        search.territory,
        search.id,
        search.run,
        doctor,
        purpose,
        now=house.now(),
        expires_at=house.now() + territory.rules.link_life,
    )
    delegate = purpose is Purpose.DELEGATE
    waits = await gathering.until(session, house, search, letter, doctor)
    if waits is not None:
        digest = message_id(house, search, doctor, Letter.DIGEST, number, delegate=delegate, of=letter)
        await gathering.gather(session, house, search, letter, doctor, number, purpose, digest, waits)
        return
    ids = {"search": search.id, "run": str(search.run), "doctor": doctor, "number": str(number)}
    await outbox.enqueue(
        session,
        territory=search.territory,
        letter=letter,
        ids=ids | {"purpose": purpose.value},
        message_id=message_id(house, search, doctor, letter, number, delegate=delegate),
        now=house.now(),
    )


def _message_id(house: House, search: Search, to: str, letter: Letter, part: str) -> str:
    return derive_message_id(
        house.keyring.mac(Mac.MESSAGE_ID, 1),
        house.territory(search.territory).settings.return_domain,
        search.territory,
        search.id,
        str(search.run),
        to,
        letter,
        part,
    )
