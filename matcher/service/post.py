"""Putting mails into the outbox: which letter, about what, never to which address."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.effects import Letter, SendToDoctor
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


#: A letter, and under which link it is read.
Post = tuple[SendToDoctor, Purpose]


async def to_doctors(
    session: AsyncSession, house: House, search: Search, letters: Sequence[SendToDoctor]
) -> None:
    """Enqueue letters to doctors, and to the delegates where they are for them too; in a few statements,
    however many they are.
    """
    shared = {one.doctor for one in letters if one.letter in FOR_THE_DELEGATE}
    cards = await doctors.cards(session, search.territory, shared)
    posts: list[Post] = []
    for one in letters:
        posts.append((one, Purpose.RECORD if one.letter in WITH_THE_RECORD else Purpose.ANSWER))
        card = cards.get(one.doctor)
        if one.letter in FOR_THE_DELEGATE and card is not None and card.delegate_email is not None:
            posts.append((one, Purpose.DELEGATE))
    await _enqueue(session, house, search, posts)


async def to_delegate(session: AsyncSession, house: House, search: Search, letter: SendToDoctor) -> None:
    """Enqueue one letter to the delegate alone: it was she who wrote."""
    await _enqueue(session, house, search, [(letter, Purpose.DELEGATE)])


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


async def _enqueue(session: AsyncSession, house: House, search: Search, posts: Sequence[Post]) -> None:
    now, territory = house.now(), search.territory
    expires_at = now + house.territory(territory).rules.link_life
    for purpose in sorted({purpose for _, purpose in posts}):
        whose = {one.doctor for one, under in posts if under is purpose}
        await links.ensure(
            session, territory, search.id, search.run, whose, purpose, now=now, expires_at=expires_at
        )
    waiting = {
        letter: await gathering.until(
            session, house, search, letter, {one.doctor for one, _ in posts if one.letter is letter}
        )
        for letter in sorted({one.letter for one, _ in posts})
    }
    at_once: list[outbox.Fresh] = []
    for one, purpose in posts:
        waits, delegate = waiting[one.letter].get(one.doctor), purpose is Purpose.DELEGATE
        if waits is None:
            at_once.append(_mail(house, search, one, purpose))
            continue
        digest = message_id(
            house, search, one.doctor, Letter.DIGEST, one.number, delegate=delegate, of=one.letter
        )
        await gathering.gather(
            session, house, search, one.letter, one.doctor, one.number, purpose, digest, waits
        )
    await outbox.enqueue_all(session, territory, at_once, now)


def _mail(house: House, search: Search, one: SendToDoctor, purpose: Purpose) -> outbox.Fresh:
    delegate = purpose is Purpose.DELEGATE
    return outbox.Fresh(
        letter=one.letter,
        ids={
            "search": search.id,
            "run": str(search.run),
            "doctor": one.doctor,
            "number": str(one.number),
            "purpose": purpose.value,
        },
        message_id=message_id(house, search, one.doctor, one.letter, one.number, delegate=delegate),
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
