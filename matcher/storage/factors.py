"""What users have beside a password."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.storage.sql import anywhere, changed, insert
from matcher.storage.tables import FactorRow, table

_FACTORS = table(FactorRow)


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One thing that a user has."""

    territory: str
    id: str
    user: str
    #: ``totp``, ``passkey``, ``psc``, ``recovery``.
    kind: str
    name: str
    subject: str
    held: bytes | None
    counter: int
    created_at: datetime
    confirmed_at: datetime | None
    used_at: datetime | None


async def put(
    session: AsyncSession,
    territory: str,
    *,
    factor_id: str,
    user: str,
    kind: str,
    name: str,
    subject: str,
    held: bytes | None,
    counter: int = 0,
    now: datetime,
    confirmed: bool,
) -> bool:
    """A new factor; of one that waits for its confirmation the newest counts. False where it is taken."""
    require_transaction(session)
    await session.execute(
        delete(_FACTORS).where(
            _FACTORS.c.territory_id == territory,
            _FACTORS.c.user_id == user,
            _FACTORS.c.kind == kind,
            _FACTORS.c.confirmed_at.is_(None),
        )
    )
    made = await session.execute(
        insert(session, _FACTORS)
        .values(
            territory_id=territory,
            id=factor_id,
            user_id=user,
            kind=kind,
            name=name,
            subject=subject,
            held=held,
            counter=counter,
            created_at=now,
            confirmed_at=now if confirmed else None,
        )
        .on_conflict_do_nothing(index_elements=["territory_id", "kind", "subject"])
        .returning(_FACTORS.c.id)
    )
    return made.scalar_one_or_none() is not None


async def of_user(session: AsyncSession, territory: str, user_id: str) -> list[Factor]:
    """Everything the user has, what waits for its confirmation too, the oldest first."""
    return await _factors(session, _FACTORS.c.territory_id == territory, _FACTORS.c.user_id == user_id)


async def holders(session: AsyncSession, territory: str) -> frozenset[str]:
    """The users of the territory that have a second factor."""
    rows = await session.scalars(
        select(_FACTORS.c.user_id).where(
            _FACTORS.c.territory_id == territory,
            _FACTORS.c.kind != "recovery",
            _FACTORS.c.confirmed_at.is_not(None),
        )
    )
    return frozenset(rows)


async def by_subject(session: AsyncSession, kind: str, subject: str) -> list[Factor]:
    """Confirmed factors of that subject, in each territory that knows it."""
    return await _factors(
        session,
        anywhere(_FACTORS.c.territory_id),
        _FACTORS.c.kind == kind,
        _FACTORS.c.subject == subject,
        _FACTORS.c.confirmed_at.is_not(None),
    )


async def advance(session: AsyncSession, factor: Factor, counter: int, now: datetime, *, beyond: int) -> bool:
    """Note a use, and confirm. False where the counter is past ``beyond`` by now: somebody was first."""
    statement = (
        update(_FACTORS)
        .where(
            _FACTORS.c.territory_id == factor.territory,
            _FACTORS.c.id == factor.id,
            _FACTORS.c.counter <= beyond,
        )
        .values(
            counter=counter,
            used_at=now,
            confirmed_at=now if factor.confirmed_at is None else factor.confirmed_at,
        )
    )
    return await changed(session, statement) == 1


async def spend(session: AsyncSession, territory: str, user_id: str, kind: str, subject: str) -> bool:
    """Use up a factor that serves once; False where there is no such one."""
    statement = delete(_FACTORS).where(
        _FACTORS.c.territory_id == territory,
        _FACTORS.c.user_id == user_id,
        _FACTORS.c.kind == kind,
        _FACTORS.c.subject == subject,
    )
    return await changed(session, statement) == 1


async def remove(
    session: AsyncSession, territory: str, user_id: str, *, id: str | None = None, kind: str | None = None
) -> int:
    """Remove one factor of the user, those of a kind, or all of them; how many there were."""
    wanted = [_FACTORS.c.territory_id == territory, _FACTORS.c.user_id == user_id]
    if id is not None:
        wanted.append(_FACTORS.c.id == id)
    if kind is not None:
        wanted.append(_FACTORS.c.kind == kind)
    return await changed(session, delete(_FACTORS).where(*wanted))


async def _factors(session: AsyncSession, *wanted: ColumnElement[bool]) -> list[Factor]:
    rows = await session.execute(
        select(*_FACTORS.c)
        .where(*wanted)
        .order_by(_FACTORS.c.territory_id, _FACTORS.c.created_at, _FACTORS.c.id)
    )
    return [
        Factor(
            territory=row["territory_id"],
            id=row["id"],
            user=row["user_id"],
            kind=row["kind"],
            name=row["name"],
            subject=row["subject"],
            held=row["held"],
            counter=row["counter"],
            created_at=row["created_at"],
            confirmed_at=row["confirmed_at"],
            used_at=row["used_at"],
        )
        for row in rows.mappings()
    ]
