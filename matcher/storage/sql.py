"""What the statements of every table share."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, CursorResult, Executable, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from matcher.storage.tables import TerritoryRow, table

_T = TypeVar("_T")
_TERRITORIES = table(TerritoryRow)


def insert(session: AsyncSession | Session, into: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, in the dialect of the session's database."""
    return _insert(session.get_bind().dialect.name, into)


def _insert(dialect: str, into: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(into) if dialect == "sqlite" else postgresql.insert(into)


async def upsert(
    session: AsyncSession,
    into: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    besides: Mapping[str, Any] | None = None,
) -> None:
    """Insert rows, or overwrite those with the same primary key. Keys of ``rows`` are column names.

    ``besides`` are further assignments for the rows that were there, as expressions of the table.
    """
    if not rows:
        return
    of = (session.get_bind().dialect.name, into, tuple(rows[0]))
    statement = _upserting(*of) if besides is None else _built(*of, besides)
    await session.execute(statement, [dict(row) for row in rows])


def _built(
    dialect: str, into: Table, columns: tuple[str, ...], besides: Mapping[str, Any]
) -> sqlite.Insert | postgresql.Insert:
    statement = _insert(dialect, into)
    key = [column.name for column in into.primary_key]
    changes = {name: statement.excluded[name] for name in columns if name not in key}
    changes.update(besides)
    if changes:
        return statement.on_conflict_do_update(index_elements=key, set_=changes)
    return statement.on_conflict_do_nothing(index_elements=key)


@lru_cache(maxsize=256)
def _upserting(dialect: str, into: Table, columns: tuple[str, ...]) -> sqlite.Insert | postgresql.Insert:
    """The same statement each time, since building it takes longer than the database does."""
    return _built(dialect, into, columns, {})


async def changed(session: AsyncSession, statement: Executable) -> int:
    """Execute an UPDATE or DELETE; how many rows it changed. Of an INSERT drivers do not always tell."""
    return cast("CursorResult[Any]", await session.execute(statement)).rowcount


async def change_one(
    session: AsyncSession, of: Table, territory: str, row_id: str, *still: ColumnElement[bool], **values: Any
) -> bool:
    """Change one row of a territory as long as it ``still`` is so; whether it was."""
    statement = update(of).where(of.c.territory_id == territory, of.c.id == row_id, *still).values(**values)
    return await changed(session, statement) == 1


def anywhere(territory_id: ColumnElement[str]) -> ColumnElement[bool]:
    """For what is looked up before its territory is known (a token, a key): one probe of the index per
    territory, since every index leads with it.
    """
    return territory_id.in_(select(_TERRITORIES.c.id))


def batches(values: Iterable[_T], size: int = 500) -> Iterator[list[_T]]:
    """The values in lists of at most ``size``: a statement takes a limited number of parameters."""
    batch: list[_T] = []
    for value in values:
        batch.append(value)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
