"""Figures for the operator: is the database there, what is late, how much waits. Read only, no patient."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from matcher.storage.tables.searches import SearchRow, TimerRow


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """What the timers and the searches say, over all territories of the installation."""

    #: The longest overdue step that nobody is doing; None when none is.
    oldest_due: datetime | None
    #: (territory, state) → how many searches.
    searches: dict[tuple[str, str], int]


async def revision(session: AsyncSession) -> str | None:
    """The migration that the database stands at; fails where there is no schema at all."""
    found = await session.execute(text("SELECT version_num FROM alembic_version"))
    return found.scalar_one_or_none()


async def pulse(session: AsyncSession, now: datetime) -> Pulse:
    """What is due and not yet taken, and how many searches stand where."""
    free = (TimerRow.lease_until.is_(None)) | (TimerRow.lease_until <= now)
    oldest = await session.scalar(select(func.min(TimerRow.due_at)).where(TimerRow.due_at <= now, free))
    counted = await session.execute(
        select(SearchRow.territory_id, SearchRow.state, func.count()).group_by(
            SearchRow.territory_id, SearchRow.state
        )
    )
    return Pulse(oldest_due=oldest, searches={(t, state): n for t, state, n in counted})
