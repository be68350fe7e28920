"""What came back by mail, each once: all the SQL of its table."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.storage.sql import anywhere, changed, insert
from matcher.storage.tables import ReceivedRow, table

_RECEIVED = table(ReceivedRow)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail that came back."""

    territory: str
    id: str
    at: datetime
    letter: str
    search: str
    run: int | None
    doctor: str | None
    kind: str
    reading: str
    sender: str
    state: str
    counted: bool
    settled_at: datetime | None = None


async def add(
    session: AsyncSession,
    territory: str,
    key: str,
    *,
    at: datetime,
    letter: str,
    search: str,
    run: int | None,
    doctor: str | None,
    kind: str,
    reading: str,
    sender: str,
) -> str | None:
    """Note a mail; its id, or None where a copy of it was here before. What comes of it is ``mark``'s."""
    require_transaction(session)
    fresh = insert(session, _RECEIVED).values(
        territory_id=territory,
        id=uuid4().hex,
        key=key,
        at=at,
        letter=letter,
        search_id=search,
        run=run,
        doctor_id=doctor,
        kind=kind,
        reading=reading,
        sender=sender,
        state="noted",
        counted=False,
    )
    statement = fresh.on_conflict_do_nothing(index_elements=["territory_id", "key"]).returning(_RECEIVED.c.id)
    found: str | None = (await session.execute(statement)).scalar_one_or_none()
    return found


async def mark(session: AsyncSession, territory: str, id: str, *, counted: bool, waiting: bool) -> None:
    """Say what came of it: whether it took effect, and whether a person must read it."""
    require_transaction(session)
    await session.execute(
        update(_RECEIVED)
        .where(_RECEIVED.c.territory_id == territory, _RECEIVED.c.id == id)
        .values(counted=counted, state="waiting" if waiting else "noted")
    )


async def settle(session: AsyncSession, territory: str, id: str, by: str, at: datetime) -> bool:
    """A person has dealt with it; False where somebody had already."""
    require_transaction(session)
    statement = (
        update(_RECEIVED)
        .where(_RECEIVED.c.territory_id == territory, _RECEIVED.c.id == id, _RECEIVED.c.state == "waiting")
        .values(state="settled", settled_at=at, settled_by=by)
    )
    return await changed(session, statement) == 1


async def waiting(session: AsyncSession, territory: str) -> list[Mail]:
    """Those that a person must read, oldest first."""
    return await _mails(session, territory, "waiting")


async def settled_before(session: AsyncSession, territory: str, at: datetime) -> list[Mail]:
    """Those that a person dealt with before then."""
    return [
        mail
        for mail in await _mails(session, territory, "settled")
        if mail.settled_at and mail.settled_at < at
    ]


async def get(session: AsyncSession, territory: str, id: str) -> Mail | None:
    """One mail of the territory."""
    found = await session.execute(
        select(*_RECEIVED.c).where(_RECEIVED.c.territory_id == territory, _RECEIVED.c.id == id)
    )
    row = found.mappings().one_or_none()
    return None if row is None else _mail(row)


async def of_search(session: AsyncSession, territory: str, search: str) -> list[Mail]:
    """Everything that came back about one search, oldest first."""
    rows = await session.execute(
        select(*_RECEIVED.c)
        .where(_RECEIVED.c.territory_id == territory, _RECEIVED.c.search_id == search)
        .order_by(_RECEIVED.c.at, _RECEIVED.c.id)
    )
    return [_mail(row) for row in rows.mappings()]


async def purge(session: AsyncSession, territory: str, *, before: datetime) -> int:
    """Forget those that came before then, but for what still waits. Returns how many."""
    require_transaction(session)
    old = (
        (_RECEIVED.c.territory_id == territory) & (_RECEIVED.c.at < before) & (_RECEIVED.c.state != "waiting")
    )
    return await changed(session, _RECEIVED.delete().where(old))


async def counts(session: AsyncSession) -> Counter[tuple[str, str]]:
    """How many there are, by kind and reading."""
    rows = await session.execute(
        select(_RECEIVED.c.kind, _RECEIVED.c.reading, func.count()).group_by(
            _RECEIVED.c.kind, _RECEIVED.c.reading
        )
    )
    return Counter({(kind, reading): number for kind, reading, number in rows})


async def bounces(session: AsyncSession, since: datetime) -> dict[str, int]:
    """How many mails came back undelivered since then, by territory."""
    rows = await session.execute(
        select(_RECEIVED.c.territory_id, func.count())
        .where(
            _RECEIVED.c.kind == "bounce",
            _RECEIVED.c.reading.in_(("permanent", "undelivered")),
            _RECEIVED.c.at >= since,
        )
        .group_by(_RECEIVED.c.territory_id)
    )
    return {row[0]: row[1] for row in rows}


async def to_read(session: AsyncSession) -> int:
    """How many wait for a person, in all territories."""
    number: int | None = await session.scalar(
        select(func.count()).where(anywhere(_RECEIVED.c.territory_id), _RECEIVED.c.state == "waiting")
    )
    return number or 0


async def _mails(session: AsyncSession, territory: str, state: str) -> list[Mail]:
    rows = await session.execute(
        select(*_RECEIVED.c)
        .where(_RECEIVED.c.territory_id == territory, _RECEIVED.c.state == state)
        .order_by(_RECEIVED.c.at, _RECEIVED.c.id)
    )
    return [_mail(row) for row in rows.mappings()]


def _mail(row: RowMapping) -> Mail:
    return Mail(
        territory=row["territory_id"],
        id=row["id"],
        at=row["at"],
        letter=row["letter"],
        search=row["search_id"],
        run=row["run"],
        doctor=row["doctor_id"],
        kind=row["kind"],
        reading=row["reading"],
        sender=row["sender"],
        state=row["state"],
        counted=row["counted"],
        settled_at=row["settled_at"],
    )
