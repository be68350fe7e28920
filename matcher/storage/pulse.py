"""How the installation is doing, for health checks and metrics: counts and ages, nobody's name."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import column, func, inspect, select
from sqlalchemy import table as bare
from sqlalchemy.ext.asyncio import AsyncSession

from matcher.storage.tables import SearchRow, TerritoryRow, TimerRow, table

_SEARCHES = table(SearchRow)
_TERRITORIES = table(TerritoryRow)
_TIMERS = table(TimerRow)


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """What waits."""

    #: Since when the oldest due step is due; None where none is.
    oldest_due: datetime | None
    #: How many searches by (territory, state).
    searches: dict[tuple[str, str], int]


async def pulse(session: AsyncSession, now: datetime) -> Pulse:
    """As it is now. Stopped territories' steps do not count: they are meant to wait."""
    first = (
        select(_TIMERS.c.due_at)
        .where(_TIMERS.c.territory_id == _TERRITORIES.c.id, _TIMERS.c.due_at <= now)
        .order_by(_TIMERS.c.due_at)
        .limit(1)
        .scalar_subquery()
    )
    oldest = await session.scalar(select(func.min(first)).where(_TERRITORIES.c.stopped_at.is_(None)))
    rows = await session.execute(
        select(_SEARCHES.c.territory_id, _SEARCHES.c.state, func.count().label("number")).group_by(
            _SEARCHES.c.territory_id, _SEARCHES.c.state
        )
    )
    return Pulse(oldest_due=oldest, searches={(row.territory_id, row.state): row.number for row in rows})


async def revision(session: AsyncSession) -> str | None:
    """The migration that the schema is at; None where there is no schema."""
    connection = await session.connection()
    if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
        return None
    return await session.scalar(select(column("version_num")).select_from(bare("alembic_version")))
