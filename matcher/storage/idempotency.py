"""What a POST that creates answered, kept for the same key again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.storage.sql import insert
from matcher.storage.tables import IdempotencyRow, table

_KEPT = table(IdempotencyRow)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The first request under a key, and what it was answered."""

    request_hash: str
    response: dict[str, Any]


async def begin(
    session: AsyncSession, territory: str, actor: str, key_hash: str, request_hash: str, now: datetime
) -> Kept | None:
    """Take the key, first thing in the transaction that creates; None where it was free.

    Two requests that come together with one key: the second waits here until the first commits (and then
    gets its answer) or rolls back (and then takes the key).
    """
    require_transaction(session)
    taken = await session.scalar(
        insert(session, _KEPT)
        .values(
            territory_id=territory,
            actor_id=actor,
            key_hash=key_hash,
            request_hash=request_hash,
            response=None,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(_KEPT.c.key_hash)
    )
    if taken is not None:
        return None
    row = (
        await session.execute(
            select(_KEPT.c.request_hash, _KEPT.c.response).where(_is(territory, actor, key_hash))
        )
    ).one()
    return Kept(request_hash=row.request_hash, response=row.response)


async def end(
    session: AsyncSession, territory: str, actor: str, key_hash: str, response: Mapping[str, Any]
) -> None:
    """Keep the answer, in the same transaction. It holds ids and states, nothing of a record."""
    await session.execute(
        update(_KEPT).where(_is(territory, actor, key_hash)).values(response=dict(response))
    )


async def sweep(session: AsyncSession, territory: str, before: datetime) -> None:
    """Forget the keys of that long ago."""
    await session.execute(delete(_KEPT).where(_KEPT.c.territory_id == territory, _KEPT.c.created_at < before))


def _is(territory: str, actor: str, key_hash: str) -> ColumnElement[bool]:
    return and_(_KEPT.c.territory_id == territory, _KEPT.c.actor_id == actor, _KEPT.c.key_hash == key_hash)
