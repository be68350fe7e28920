"""What the outbox still knows of the mails about one thing: to tell whom it concerns, and to forget it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from messaging.outbox import OutboxRow


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What is known of a mail: never what it said, nor the address it went to."""

    message_id: str
    letter: str
    ids: Mapping[str, str]
    state: str
    enqueued_at: datetime
    #: Not decided yet: it may still leave.
    waits: bool


async def naming(session: AsyncSession, territory: str, name: str, value: str) -> list[Trace]:
    """The mails whose ids say so (``search`` = …), oldest first."""
    return await _traces(session, territory, OutboxRow.ids[name].as_string() == value)


async def of_ids(session: AsyncSession, territory: str, ids: Collection[str]) -> list[Trace]:
    """These mails, oldest first."""
    return await _traces(session, territory, OutboxRow.id.in_(ids))


async def _traces(session: AsyncSession, territory: str, which: ColumnElement[bool]) -> list[Trace]:
    rows = await session.execute(
        select(*OutboxRow.__table__.columns)
        .where(OutboxRow.territory_id == territory, which)
        .order_by(OutboxRow.enqueued_at, OutboxRow.id)
    )
    return [
        Trace(
            message_id=row.message_id,
            letter=row.letter,
            ids=row.ids,
            state=row.state,
            enqueued_at=row.enqueued_at,
            waits=row.next_attempt_at is not None,
        )
        for row in rows
    ]


async def forget_naming(session: AsyncSession, territory: str, name: str, value: str) -> None:
    """Forget those mails, whatever became of them; one that is on its way is told of no more."""
    require_transaction(session)
    await session.execute(
        delete(OutboxRow).where(OutboxRow.territory_id == territory, OutboxRow.ids[name].as_string() == value)
    )
