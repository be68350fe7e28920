"""What was tried, counted by window: failed logins and codes, and the pace of callers. And from where an
account is known to come. Subjects are keyed hashes or opaque ids, never an account or an address itself.
"""

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from matcher.storage.sql import insert, upsert
from matcher.storage.tables import FailureRow, KnownPlaceRow, table

_COUNTS = table(FailureRow)
_PLACES = table(KnownPlaceRow)


async def count(
    session: AsyncSession, territory: str, kind: str, subject: str, window: datetime, by: int = 1
) -> int:
    """Add to what the subject tried in the window; how much it is now, whoever counts beside us."""
    statement = insert(session, _COUNTS).values(
        territory_id=territory, kind=kind, subject=subject, window=window, count=by
    )
    counted = await session.execute(
        statement.on_conflict_do_update(
            index_elements=["territory_id", "kind", "subject", "window"],
            set_={"count": _COUNTS.c.count + by},
        ).returning(_COUNTS.c.count)
    )
    return int(counted.scalar_one())


async def since(session: AsyncSession, territory: str, kind: str, subject: str, start: datetime) -> int:
    """How much the subject tried in the windows that began after ``start``."""
    counted = await session.scalar(
        select(func.coalesce(func.sum(_COUNTS.c.count), 0)).where(
            _COUNTS.c.territory_id == territory,
            _COUNTS.c.kind == kind,
            _COUNTS.c.subject == subject,
            _COUNTS.c.window > start,
        )
    )
    return int(counted or 0)


async def came_from(session: AsyncSession, territory: str, account: str, place: str, now: datetime) -> None:
    """Remember that the account came in from there."""
    await upsert(
        session, _PLACES, [{"territory_id": territory, "account": account, "place": place, "at": now}]
    )


async def is_known(session: AsyncSession, territory: str, account: str, place: str, start: datetime) -> bool:
    """Whether the account came in from there since ``start``."""
    found = await session.scalar(
        select(_PLACES.c.at).where(
            _PLACES.c.territory_id == territory,
            _PLACES.c.account == account,
            _PLACES.c.place == place,
            _PLACES.c.at > start,
        )
    )
    return found is not None


async def sweep(session: AsyncSession, territory: str, before: datetime, places_before: datetime) -> None:
    """Remove counts that no limit looks at any more, and places not come from for long."""
    await session.execute(
        delete(_COUNTS).where(_COUNTS.c.territory_id == territory, _COUNTS.c.window < before)
    )
    await session.execute(
        delete(_PLACES).where(_PLACES.c.territory_id == territory, _PLACES.c.at < places_before)
    )
