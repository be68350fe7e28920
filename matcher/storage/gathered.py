"""What a digest speaks of: announcements, or reminders, of several searches in one mail to one doctor."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.protocol.ids import DoctorId, SearchId
from matcher.storage.sql import insert
from matcher.storage.tables import GatheredRow, SolicitationRow, table

_GATHERED = table(GatheredRow)
_SOLICITATIONS = table(SolicitationRow)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One search in a digest, as the mail that it would have had of its own."""

    search: SearchId
    run: int
    number: int

    @property
    def key(self) -> str:
        """How the outbox keeps it once the digest's items are frozen."""
        return f"{self.search}/{self.run}"


async def lately(
    session: AsyncSession,
    territory: str,
    doctors: Collection[str],
    what: Literal["at", "reminded_at"],
    since: datetime,
) -> dict[str, tuple[int, datetime | None]]:
    """How many announcements (``at``) or reminders went to each doctor since then, and when the first did;
    without those to whom none went.
    """
    moment = _SOLICITATIONS.c[what]
    rows = await session.execute(
        select(_SOLICITATIONS.c.doctor_id, func.count(), func.min(moment))
        .where(
            _SOLICITATIONS.c.territory_id == territory,
            _SOLICITATIONS.c.doctor_id.in_(doctors),
            _SOLICITATIONS.c.channel == "mail",
            moment > since,
        )
        .group_by(_SOLICITATIONS.c.doctor_id)
    )
    return {doctor: (count, first) for doctor, count, first in rows}


async def add(
    session: AsyncSession, territory: str, mail: str, doctor: str, purpose: str, letter: str, item: Item
) -> None:
    """Put a search into a digest; once, however often it is put."""
    require_transaction(session)
    fresh = insert(session, _GATHERED).values(
        territory_id=territory,
        mail_id=mail,
        search_id=item.search,
        run=item.run,
        number=item.number,
        doctor_id=doctor,
        purpose=purpose,
        letter=letter,
    )
    await session.execute(fresh.on_conflict_do_nothing())


async def mails_for(
    session: AsyncSession, territory: str, doctor: DoctorId, purpose: str, letter: str
) -> list[str]:
    """The digests of this kind that were ever begun for a doctor; the outbox knows which still waits."""
    found = await session.scalars(
        select(_GATHERED.c.mail_id)
        .where(
            _GATHERED.c.territory_id == territory,
            _GATHERED.c.doctor_id == doctor,
            _GATHERED.c.purpose == purpose,
            _GATHERED.c.letter == letter,
        )
        .distinct()
    )
    return list(found)


async def digests_of(session: AsyncSession, territory: str, search: str) -> list[str]:
    """The digests that a search was ever put into."""
    mails = select(_GATHERED.c.mail_id).where(
        _GATHERED.c.territory_id == territory, _GATHERED.c.search_id == search
    )
    return sorted(await session.scalars(mails.distinct()))


async def items_of(session: AsyncSession, territory: str, mails: Collection[str]) -> dict[str, list[Item]]:
    """By digest: what was put into it, in one order for ever."""
    rows = await session.execute(
        select(_GATHERED.c.mail_id, _GATHERED.c.search_id, _GATHERED.c.run, _GATHERED.c.number)
        .where(_GATHERED.c.territory_id == territory, _GATHERED.c.mail_id.in_(mails))
        .order_by(_GATHERED.c.mail_id, _GATHERED.c.search_id, _GATHERED.c.run)
    )
    found: dict[str, list[Item]] = defaultdict(list)
    for row in rows:
        found[row.mail_id].append(Item(search=SearchId(row.search_id), run=row.run, number=row.number))
    return found
