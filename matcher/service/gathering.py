"""Digests: how several announcements to one doctor become one mail.

The first few announcements of a window go to a doctor at once, each by itself. What comes on top of them
waits for the window's end and goes as one mail, in which each keeps its own link. The same holds for
reminders, not for urgent searches. Which searches a digest speaks of is frozen at its first attempt
(``claims.freeze``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import digests
from matcher.protocol.effects import Letter
from matcher.protocol.ids import DoctorId
from matcher.protocol.search import Search
from matcher.service.house import House
from matcher.storage import gathered
from matcher.storage.gathered import Item
from messaging import outbox
from messaging.claims import Kind, Outcome, Row

#: The moment that counts how many of a kind went lately.
_COUNTED: Final[Mapping[Letter, Literal["at", "reminded_at"]]] = {
    Letter.ANNOUNCEMENT: "at",
    Letter.REMINDER: "reminded_at",
}


async def until(
    session: AsyncSession, house: House, search: Search, letter: Letter, doctors: Collection[DoctorId]
) -> dict[DoctorId, datetime]:
    """Until when this letter waits for others to the same doctor; without those to whom it goes at once, by
    itself.
    """
    territory, now = house.territory(search.territory), house.now()
    window = digests.window(search, letter, territory.rules, now)
    if window is None:
        return {}
    lately = await gathered.lately(session, territory.id, doctors, _COUNTED[letter], now - window)
    found = {
        doctor: digests.until(territory.rules, window, *lately.get(doctor, (0, None))) for doctor in doctors
    }
    return {doctor: waits for doctor, waits in found.items() if waits is not None}


async def gather(
    session: AsyncSession,
    house: House,
    search: Search,
    letter: Letter,
    doctor: DoctorId,
    number: int,
    purpose: str,
    message_id: str,
    not_before: datetime,
) -> None:
    """Put the letter into the digest that waits for this doctor, else into a new one for ``not_before``.

    ``message_id`` is the digest's, should one begin here.
    """
    territory = search.territory
    begun = await gathered.mails_for(session, territory, doctor, purpose, letter)
    mail = await outbox.still_waiting(session, territory, begun) if begun else None
    if mail is None:
        mail = await outbox.begin(
            session,
            territory=territory,
            letter=Letter.DIGEST,
            ids={"doctor": doctor, "purpose": purpose, "letter": letter},
            message_id=message_id,
            now=house.now(),
            not_before=not_before,
        )
    if mail is not None:
        item = Item(search=search.id, run=search.run, number=number)
        await gathered.add(session, territory, mail, doctor, purpose, letter, item)


async def spoken_of(session: AsyncSession, rows: Sequence[Row]) -> dict[str, list[Row]]:
    """By digest: the mails it stands for, as the rows that they would have been, in one order for ever."""
    digests = [row for row in rows if row.letter == Letter.DIGEST]
    found: dict[str, list[Row]] = {}
    for territory in sorted({row.territory for row in digests}):
        theirs = [row for row in digests if row.territory == territory]
        items = await gathered.items_of(session, territory, [row.id for row in theirs])
        found |= {row.id: [_as_row(row, item) for item in items.get(row.id, ())] for row in theirs}
    return found


def _as_row(row: Row, item: Item) -> Row:
    ids = {"search": item.search, "run": str(item.run), "number": str(item.number)}
    told = {"doctor": row.ids["doctor"], "purpose": row.ids["purpose"]}
    return replace(row, letter=row.ids["letter"], ids={**ids, **told})


def key_of(row: Row) -> str:
    """How the outbox keeps one item of a digest."""
    return f"{row.ids['search']}/{row.ids['run']}"


async def apart(session: AsyncSession, settled: Sequence[tuple[Row, Outcome]]) -> list[tuple[Row, Outcome]]:
    """What became of each mail, digests taken apart: an item that was left out of it was dropped."""
    items = await spoken_of(session, [row for row, _ in settled])
    told: list[tuple[Row, Outcome]] = []
    for row, outcome in settled:
        if row.letter != Letter.DIGEST:
            told.append((row, outcome))
            continue
        for item in items[row.id]:
            left_out = row.items is not None and key_of(item) not in row.items
            told.append((item, Outcome(kind=Kind.DROPPED, detail="left_out") if left_out else outcome))
    return told
