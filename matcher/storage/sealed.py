"""Sealed sections of records, as the vault made them. Nothing here can open one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.protocol.ids import SearchId
from matcher.storage.sql import anywhere, changed, upsert
from matcher.storage.tables import DestroyedKeyRow, SealedRow, SearchRow, table
from messaging.vault import Sealed

_SEALED = table(SealedRow)
_DESTROYED = table(DestroyedKeyRow)
_SEARCHES = table(SearchRow)


class Destroyed(Exception):
    """The section was destroyed; nothing is sealed in its place."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A sealed section and where it belongs."""

    territory: str
    search: SearchId
    section: str
    sealed: Sealed


async def put(session: AsyncSession, territory: str, search: str, section: str, sealed: Sealed) -> None:
    """Keep a section, in place of the one before. Raises Destroyed: what was erased does not come back."""
    require_transaction(session)
    gone = await session.scalar(
        select(_SEALED.c.destroyed).where(_is(territory, search, section)).with_for_update()
    )
    if gone:
        raise Destroyed
    row = {
        "territory_id": territory,
        "search_id": search,
        "section": section,
        **_columns(sealed),
        "destroyed": False,
    }
    await upsert(session, _SEALED, [row])


async def get(
    session: AsyncSession, territory: str, search: str, section: str, *, closed: bool = False
) -> Sealed | None:
    """The section; None where there is none, it was destroyed, or it is closed (but for ``closed``)."""
    return (await sections(session, territory, search, [section], closed=closed)).get(section)


async def sections(
    session: AsyncSession, territory: str, search: str, wanted: Collection[str], *, closed: bool = False
) -> dict[str, Sealed]:
    """Several sections of one search, where ``get`` would give one."""
    rows = await session.execute(_alive(territory, [search], wanted, closed=closed))
    return {row["section"]: _sealed(row) for row in rows.mappings()}


async def get_many(
    session: AsyncSession, territory: str, searches: Sequence[str], section: str
) -> dict[SearchId, Sealed]:
    """The same section of several searches, where ``get`` would give one."""
    rows = await session.execute(_alive(territory, searches, [section], closed=False))
    return {row["search_id"]: _sealed(row) for row in rows.mappings()}


def _alive(
    territory: str, searches: Sequence[str], sections: Collection[str], *, closed: bool
) -> Select[tuple[Any, ...]]:
    """What was not destroyed, nor closed but for ``closed``."""
    wanted = select(*_SEALED.c).where(
        _SEALED.c.territory_id == territory,
        _SEALED.c.search_id.in_(searches),
        _SEALED.c.section.in_(sections),
        _SEALED.c.destroyed.is_(False),
    )
    return wanted if closed else wanted.where(_SEALED.c.closed_at.is_(None))


async def delete(session: AsyncSession, territory: str, search: str, section: str) -> None:
    """Remove a section that another has replaced (a draft once submitted)."""
    await session.execute(_SEALED.delete().where(_is(territory, search, section)))


async def close(session: AsyncSession, territory: str, search: str, at: datetime | None) -> None:
    """Nobody opens the record's sections any more; None opens them again, within the grace."""
    await session.execute(update(_SEALED).where(_of(territory, search)).values(closed_at=at))


async def destroy(session: AsyncSession, territory: str, search: str, *, but: Collection[str] = ()) -> int:
    """Destroy every section of a record: the sealed data keys go, and the texts with them (P9).

    The row stays, empty, so that nothing can be sealed there again. ``but``: sections that another process
    has to read once more. How many there were.
    """
    require_transaction(session)
    return await changed(
        session,
        update(_SEALED)
        .where(_of(territory, search), _SEALED.c.destroyed.is_(False), _SEALED.c.section.not_in(but))
        .values(sealed_key=None, commitment=None, nonce=None, ciphertext=None, destroyed=True),
    )


async def left(session: AsyncSession, territory: str, section: str) -> list[SearchId]:
    """The searches whose record is destroyed but for this section."""
    found = await session.scalars(
        select(_SEALED.c.search_id)
        .join(
            _SEARCHES,
            and_(_SEARCHES.c.territory_id == _SEALED.c.territory_id, _SEARCHES.c.id == _SEALED.c.search_id),
        )
        .where(
            _SEALED.c.territory_id == territory,
            _SEALED.c.section == section,
            _SEALED.c.destroyed.is_(False),
            _SEARCHES.c.record_destroyed.is_(True),
        )
        .order_by(_SEALED.c.search_id)
    )
    return [SearchId(one) for one in found]


async def under_key(
    session: AsyncSession, key: str, *, after: Section | None = None, limit: int = 100
) -> list[Section]:
    """Sections of all territories that are sealed to that key pair, from ``after`` on: to be re-sealed."""
    place = tuple_(_SEALED.c.territory_id, _SEALED.c.search_id, _SEALED.c.section)
    wanted = select(*_SEALED.c).where(
        anywhere(_SEALED.c.territory_id), _SEALED.c.key_name == key, _SEALED.c.destroyed.is_(False)
    )
    if after is not None:
        wanted = wanted.where(place > tuple_(after.territory, after.search, after.section))
    rows = await session.execute(
        wanted.order_by(_SEALED.c.territory_id, _SEALED.c.search_id, _SEALED.c.section).limit(limit)
    )
    return [
        Section(
            territory=row["territory_id"],
            search=row["search_id"],
            section=row["section"],
            sealed=_sealed(row),
        )
        for row in rows.mappings()
    ]


async def keys_in_use(session: AsyncSession) -> dict[str, int]:
    """How many sections each key pair still seals: one in use must not be destroyed."""
    rows = await session.execute(
        select(_SEALED.c.key_name, func.count().label("number"))
        .where(_SEALED.c.destroyed.is_(False))
        .group_by(_SEALED.c.key_name)
    )
    return {row.key_name: row.number for row in rows}


async def mark_destroyed(
    session: AsyncSession, territories: Collection[str], names: Collection[str], at: datetime
) -> None:
    """These pairs are destroyed now: who still has a public half seals nothing to it (``is_destroyed``)."""
    require_transaction(session)
    rows = [{"territory_id": one, "key_name": name, "at": at} for one in territories for name in names]
    await upsert(session, _DESTROYED, rows)


async def is_destroyed(session: AsyncSession, territory: str, name: str) -> bool:
    """Whether that pair was destroyed, here or by another process."""
    found = select(_DESTROYED.c.at).where(
        _DESTROYED.c.territory_id == territory, _DESTROYED.c.key_name == name
    )
    return await session.scalar(found) is not None


async def rewrapped(session: AsyncSession, before: Section, after: Sealed) -> bool:
    """Keep the section under its new key; False where it changed meanwhile, and then nothing is written."""
    require_transaction(session)
    return (
        await changed(
            session,
            update(_SEALED)
            .where(
                _is(before.territory, before.search, before.section),
                _SEALED.c.sealed_key == before.sealed.wrapped,
            )
            .values(_columns(after)),
        )
        == 1
    )


def _of(territory: str, search: str) -> ColumnElement[bool]:
    return and_(_SEALED.c.territory_id == territory, _SEALED.c.search_id == search)


def _is(territory: str, search: str, section: str) -> ColumnElement[bool]:
    return and_(_of(territory, search), _SEALED.c.section == section)


def _columns(sealed: Sealed) -> dict[str, object]:
    return {
        "key_name": sealed.key,
        "version": sealed.version,
        "sealed_key": sealed.wrapped,
        "commitment": sealed.commitment,
        "nonce": sealed.nonce,
        "ciphertext": sealed.ciphertext,
    }


def _sealed(row: RowMapping) -> Sealed:
    return Sealed(
        key=row["key_name"],
        version=row["version"],
        wrapped=row["sealed_key"],
        commitment=row["commitment"],
        nonce=row["nonce"],
        ciphertext=row["ciphertext"],
    )
