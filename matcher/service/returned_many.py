"""A digest, or the mail of a list, that came back undelivered: every search that it spoke of is told."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.effects import Letter
from matcher.service import list_mails
from matcher.service.house import House
from matcher.service.telling import Telling
from matcher.storage import doctors
from messaging.bounces import Fate
from messaging.claims import Kind, Outcome, Row
from messaging.links import Purpose
from messaging.outbox import Sent

#: Letters of which a row names no search.
SEVERAL = frozenset({Letter.DIGEST, Letter.LIST})
#: An address is flagged only where the server said that it is at fault.
_DETAILS = {Fate.PERMANENT: "550", Fate.UNDELIVERED: "450"}


async def take(session: AsyncSession, house: House, sent: Sent, fate: Fate | None, mark: str) -> bool:
    """Let a bounce take effect; False where it tells nothing, or was of an address corrected since."""
    card = await doctors.get(session, sent.territory, sent.ids["doctor"])
    detail = None if fate is None else _DETAILS.get(fate)
    delegate = sent.ids.get("purpose") == Purpose.DELEGATE
    if card is None or card.email is None or detail is None or delegate or not mark:
        return False
    if house.links.address_mark(card.email) != mark:
        return False
    row, outcome = _as_row(sent, house.now()), Outcome(kind=Kind.DEAD, detail=detail)
    if sent.letter == Letter.LIST:
        await list_mails.settled(session, row, outcome)
    else:
        await Telling(house).on_settled(session, [(row, outcome)], house.now())
    return True


def _as_row(sent: Sent, at: datetime) -> Row:
    return Row(
        territory=sent.territory,
        id=sent.id,
        letter=sent.letter,
        ids=sent.ids,
        message_id="",
        attempts=1,
        fence=0,
        enqueued_at=at,
        first_attempt_at=at,
        may_have_left=True,
        items=sent.items,
        outcome=None,
    )
