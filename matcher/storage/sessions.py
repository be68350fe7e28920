"""Open sessions of the pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.storage.sql import insert
from matcher.storage.tables import SessionRow, table

_SESSIONS = table(SessionRow)
#: How exactly it is known when a session was last used: not every page writes.
_SEEN = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Open:
    """A session as its owner sees it in a list."""

    #: The hash of what the cookie holds: names the session, opens nothing.
    key_hash: str
    agent: str
    opened_at: datetime | None
    seen_at: datetime | None
    expires_at: datetime


async def put(
    session: AsyncSession,
    territory: str,
    key_hash: str,
    *,
    user: str | None,
    data: Mapping[str, Any],
    agent: str = "",
    now: datetime,
    expires_at: datetime,
) -> None:
    """Begin a session, or keep what one holds now: its end stays where it was."""
    require_transaction(session)
    statement = insert(session, _SESSIONS).values(
        territory_id=territory,
        key_hash=key_hash,
        user_id=user,
        data=dict(data),
        agent=agent,
        opened_at=now,
        seen_at=now,
        expires_at=expires_at,
    )
    kept = {name: statement.excluded[name] for name in ("user_id", "data", "seen_at")}
    await session.execute(
        statement.on_conflict_do_update(index_elements=["territory_id", "key_hash"], set_=kept)
    )


async def data(
    session: AsyncSession, territory: str, key_hash: str, now: datetime, idle: timedelta
) -> dict[str, Any] | None:
    """What the session holds; None where it ended, was left alone for ``idle``, or never was."""
    place = and_(_SESSIONS.c.territory_id == territory, _SESSIONS.c.key_hash == key_hash)
    found = (
        await session.execute(
            select(_SESSIONS.c.data, _SESSIONS.c.seen_at).where(
                place,
                _SESSIONS.c.expires_at > now,
                or_(_SESSIONS.c.seen_at.is_(None), _SESSIONS.c.seen_at > now - idle),
            )
        )
    ).one_or_none()
    if found is None:
        return None
    if found.seen_at is None or found.seen_at <= now - _SEEN:
        await session.execute(update(_SESSIONS).where(place).values(seen_at=now))
    held: dict[str, Any] = found.data
    return held


async def of_user(session: AsyncSession, territory: str, user_id: str, now: datetime) -> list[Open]:
    """The sessions of a user that are not over, the last used first."""
    rows = await session.execute(
        select(*_SESSIONS.c)
        .where(
            _SESSIONS.c.territory_id == territory,
            _SESSIONS.c.user_id == user_id,
            _SESSIONS.c.expires_at > now,
        )
        .order_by(_SESSIONS.c.seen_at.desc(), _SESSIONS.c.key_hash)
    )
    return [
        Open(
            key_hash=row["key_hash"],
            agent=row["agent"] or "",
            opened_at=row["opened_at"],
            seen_at=row["seen_at"],
            expires_at=row["expires_at"],
        )
        for row in rows.mappings()
    ]


async def end(session: AsyncSession, territory: str, key_hash: str) -> None:
    """The session is over."""
    await session.execute(
        delete(_SESSIONS).where(_SESSIONS.c.territory_id == territory, _SESSIONS.c.key_hash == key_hash)
    )


async def end_of(
    session: AsyncSession,
    territory: str,
    user_id: str,
    *,
    only: str | None = None,
    but: str | None = None,
) -> None:
    """Every session of the user is over; ``only`` that one, or all ``but`` the one in hand."""
    wanted = [_SESSIONS.c.territory_id == territory, _SESSIONS.c.user_id == user_id]
    if only is not None:
        wanted.append(_SESSIONS.c.key_hash == only)
    if but is not None:
        wanted.append(_SESSIONS.c.key_hash != but)
    await session.execute(delete(_SESSIONS).where(*wanted))


async def sweep(session: AsyncSession, territory: str, now: datetime) -> None:
    """Remove the sessions that expired."""
    await session.execute(
        delete(_SESSIONS).where(_SESSIONS.c.territory_id == territory, _SESSIONS.c.expires_at <= now)
    )
