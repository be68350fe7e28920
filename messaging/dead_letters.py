"""Mails that died, and of which nobody took note yet. More SQL of ``messaging.outbox``'s table."""

from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select, text, update
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


async def counts(session: AsyncSession) -> dict[str, int]:
    """How many mails died and nobody took note of, by territory."""
    found = await session.execute(
        select(OutboxRow.territory_id, func.count())
        .where(text("state = 'dead' AND seen_at IS NULL"))
        .group_by(OutboxRow.territory_id)
    )
    return {row[0]: row[1] for row in found}


async def take_note(session: AsyncSession, territory: str, id: str, *, now: datetime) -> Sent | None:
    """Somebody saw that this mail died; None where no such mail waits for it."""
    return await _changed(session, territory, id, seen_at=now)


async def send_again(session: AsyncSession, territory: str, id: str, *, now: datetime) -> Sent | None:
    """Put a mail that died back among those to be sent, under the Message-ID that it always had, with the
    patience of a new one; None where no such mail is there.
    """
    return await _changed(
        session,
        territory,
        id,
        state=case((OutboxRow.may_have_left.is_(True), "ambiguous"), else_="queued"),
        attempts=0,
        enqueued_at=now,
        next_attempt_at=now,
        settled_at=None,
        outcome=None,
        detail="",
    )


async def get(session: AsyncSession, territory: str, id: str) -> Sent | None:
    """The mail that died and that nobody took note of; None where there is none of this id."""
    found = await session.execute(select(OutboxRow.letter, OutboxRow.ids).where(*_is(territory, id)))
    row = found.one_or_none()
    return None if row is None else Sent(territory=territory, id=id, letter=row[0], ids=row[1])


def _is(territory: str, id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        OutboxRow.territory_id == territory,
        OutboxRow.id == id,
        OutboxRow.state == "dead",
        OutboxRow.seen_at.is_(None),
    )


async def _changed(session: AsyncSession, territory: str, id: str, **values: object) -> Sent | None:
    require_transaction(session)
    found = await session.execute(
        update(OutboxRow)
        .where(*_is(territory, id))
        .values(**values)
        .returning(OutboxRow.letter, OutboxRow.ids)
        .execution_options(synchronize_session=False)
    )
    row = found.one_or_none()
    return None if row is None else Sent(territory=territory, id=id, letter=row[0], ids=row[1])
