"""Mails that died, and of which nobody took note yet. More SQL of ``messaging.outbox``'s table."""

from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from messaging.outbox import OutboxRow, Sent


async def dead(session: AsyncSession, territory: str, *, limit: int = 50) -> list[tuple[Sent, datetime]]:
    """The mails that died and that nobody took note of, with when they died, oldest first."""
    found = await session.execute(
        select(OutboxRow.id, OutboxRow.letter, OutboxRow.ids, OutboxRow.settled_at)
        # Literally, as in the index.
        .where(OutboxRow.territory_id == territory, text("state = 'dead' AND seen_at IS NULL"))
        .order_by(OutboxRow.settled_at)
        .limit(limit)
    )
    return [
        (Sent(territory=territory, id=row.id, letter=row.letter, ids=row.ids), row.settled_at)
        for row in found
        if row.settled_at is not None
    ]


async def take_note(session: AsyncSession, territory: str, id: str, *, now: datetime) -> Sent | None:
    """Somebody saw that this mail died; None where no such mail waits for it."""
    require_transaction(session)
    found = await session.execute(
        update(OutboxRow)
        .where(
            OutboxRow.territory_id == territory,
            OutboxRow.id == id,
            OutboxRow.state == "dead",
            OutboxRow.seen_at.is_(None),
        )
        .values(seen_at=now)
        .returning(OutboxRow.letter, OutboxRow.ids)
        .execution_options(synchronize_session=False)
    )
    row = found.one_or_none()
    return None if row is None else Sent(territory=territory, id=id, letter=row[0], ids=row[1])
