"""The clock's side of the searches: which steps are due, and whose turn it is to do each, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, func, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import among, require_transaction
from matcher.protocol.ids import SearchId
from matcher.protocol.search import Timer
from matcher.storage.parts import timer_of
from matcher.storage.tables import TerritoryRow, TimerRow, table

_TERRITORIES = table(TerritoryRow)
_TIMERS = table(TimerRow)
_KEY = (_TIMERS.c.territory_id, _TIMERS.c.search_id, _TIMERS.c.kind, _TIMERS.c.doctor_id)


@dataclass(frozen=True, kw_only=True)
class Due:
    """A due step, claimed."""

    territory: str
    search: SearchId
    timer: Timer
    #: Which claim this is; only the last one holds.
    fence: int


async def claim_due(session: AsyncSession, now: datetime, lease: timedelta, limit: int = 50) -> list[Due]:
    """Take up to ``limit`` due steps until ``now + lease``, longest due first in each territory.

    Every territory with something due gets its share of ``limit``, so that none waits behind another's
    thousand steps. Stopped territories are left alone. Two claimants never get the same step; a step
    whose claimant died comes back once the lease is over.
    """
    require_transaction(session)
    free = or_(_TIMERS.c.lease_until.is_(None), _TIMERS.c.lease_until <= now)
    ready = (_TIMERS.c.due_at <= now, free)
    some = select(1).where(_TIMERS.c.territory_id == _TERRITORIES.c.id, *ready).exists()
    territories = (
        await session.scalars(
            select(_TERRITORIES.c.id)
            .where(_TERRITORIES.c.stopped_at.is_(None), some)
            .order_by(_TERRITORIES.c.id)
        )
    ).all()
    share = max(1, limit // len(territories)) if territories else 0
    found: list[RowMapping] = []
    for territory in territories:
        rows = await session.execute(
            select(*_TIMERS.c)
            .where(_TIMERS.c.territory_id == territory, *ready)
            .order_by(_TIMERS.c.due_at)
            .limit(share)
            .with_for_update(skip_locked=True)
        )
        found += rows.mappings().all()
    if not found:
        return []
    await session.execute(
        update(_TIMERS)
        .where(among(_KEY, [tuple(row[column.name] for column in _KEY) for row in found]))
        .values(lease_until=now + lease, fence=_TIMERS.c.fence + 1)
    )
    return [
        Due(
            territory=row["territory_id"],
            search=SearchId(row["search_id"]),
            timer=timer_of(row),
            fence=row["fence"] + 1,
        )
        for row in sorted(found, key=lambda row: row["due_at"])
    ]


async def give_back(session: AsyncSession, unused: Sequence[Due]) -> None:
    """Let anybody claim these steps at once, as far as these claims are still the last ones."""
    require_transaction(session)
    ours = [
        (due.territory, due.search, due.timer.kind.value, due.timer.doctor or "", due.fence) for due in unused
    ]
    await session.execute(
        update(_TIMERS).where(among((*_KEY, _TIMERS.c.fence), ours)).values(lease_until=None)
    )


async def holds(session: AsyncSession, due: Due) -> bool:
    """Whether this claim is still the last one. Asked after the search was locked, before it is moved:
    a worker that slept past its lease, or a step that was meanwhile done or put off, gets False.
    """
    require_transaction(session)
    fence = await session.scalar(
        select(_TIMERS.c.fence).where(
            _TIMERS.c.territory_id == due.territory,
            _TIMERS.c.search_id == due.search,
            _TIMERS.c.kind == due.timer.kind.value,
            _TIMERS.c.doctor_id == (due.timer.doctor or ""),
            _TIMERS.c.due_at == due.timer.at,
        )
    )
    return fence == due.fence


async def next_due_at(session: AsyncSession) -> datetime | None:
    """When the next step is due that nobody has claimed, over all territories; None where none is set."""
    first = (
        select(_TIMERS.c.due_at)
        .where(_TIMERS.c.territory_id == _TERRITORIES.c.id, _TIMERS.c.lease_until.is_(None))
        .order_by(_TIMERS.c.due_at)
        .limit(1)
        .scalar_subquery()
    )
    found: datetime | None = await session.scalar(
        select(func.min(first)).where(_TERRITORIES.c.stopped_at.is_(None))
    )
    return found


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A step that waits for its hour, or is late."""

    search: SearchId
    timer: Timer


async def waiting(
    session: AsyncSession, territory: str, *, after: Waiting | None = None, limit: int
) -> list[Waiting]:
    """The steps of a territory, soonest first; ``after`` is the last one of the page before."""
    order = (_TIMERS.c.due_at, _TIMERS.c.search_id, _TIMERS.c.kind, _TIMERS.c.doctor_id)
    wanted = select(*_TIMERS.c).where(_TIMERS.c.territory_id == territory)
    if after is not None:
        one = after.timer
        last = (one.at, after.search, one.kind.value, one.doctor or "")
        # Said apart as well: SQLite finds its place in the index by the first column alone.
        values = tuple_(*(literal(value, column.type) for value, column in zip(last, order, strict=True)))
        wanted = wanted.where(_TIMERS.c.due_at >= one.at, tuple_(*order) > values)
    rows = await session.execute(wanted.order_by(*order).limit(limit))
    return [Waiting(search=SearchId(row["search_id"]), timer=timer_of(row)) for row in rows.mappings()]


async def late(session: AsyncSession, territory: str, before: datetime) -> int:
    """How many steps of a territory were due before then."""
    counted = select(func.count()).where(_TIMERS.c.territory_id == territory, _TIMERS.c.due_at < before)
    return (await session.scalar(counted)) or 0
