"""The database engine and the column types that every table shares. SQLite by default, PostgreSQL by URL."""

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Dialect,
    MetaData,
    SQLColumnExpression,
    and_,
    event,
    tuple_,
)
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, SessionTransactionOrigin
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.types import TypeDecorator

#: How long a connection waits for SQLite's one writer, or for a free place in the pool, in seconds.
PATIENCE = 30

#: Rows of each index that SQLite looks at: enough to tell them apart, in milliseconds.
_LOOKED_AT = 400

_PRAGMAS = (
    # Some SQLite releases corrupt a WAL that two connections reset at once; this mode has no such trap.
    "PRAGMA journal_mode=TRUNCATE",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    # Deleted bytes are overwritten, so that erasure does not leave them in the file.
    "PRAGMA secure_delete=ON",
    f"PRAGMA busy_timeout={PATIENCE * 1000}",
)


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. Takes aware datetimes only and gives them back in UTC, on SQLite as on PostgreSQL."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a datetime without zone (ValueError): nobody could say later which hour it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs its zone")
        value = value.astimezone(UTC)
        # SQLite keeps text: without the zone the texts sort as the instants do.
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the instant back, aware and in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables of the project. Constraints have predictable names, which migrations need."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UTCDateTime()}


class OutsideTransaction(RuntimeError):
    """Something that must commit or vanish with the rest was asked for outside a transaction."""


def database_url(url: str) -> URL:
    """The URL with the driver that we use: ``sqlite:…``, ``postgres:…`` and ``postgresql:…`` are taken.

    Raises ValueError, without repeating the URL (it may hold a password), for anything else.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError("not a database URL") from None
    kind = parsed.drivername.partition("+")[0]
    if kind == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite")
    if kind in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    raise ValueError("a database URL begins with sqlite: or postgresql:")


def make_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """The engine for a URL. Whoever makes it disposes of it: an open SQLite connection keeps a process up.

    Its errors do not repeat what was to be written: an error ends in a log or on a screen.
    """
    parsed = database_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    return create_async_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=PATIENCE,
        pool_pre_ping=True,
        hide_parameters=True,
    )


def _sqlite(url: URL) -> AsyncEngine:
    if url.database and not url.database.startswith((":memory:", "file:")):
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # One connection: sessions queue for it in order, instead of polling a lock that only one can have.
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=PATIENCE,
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # The driver would otherwise open transactions by itself, late and deferred.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later could find another writer in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


async def keep_statistics(engine: AsyncEngine) -> None:
    """Let SQLite look at how its rows spread: it chooses between indexes by that, and nobody else tells it.

    Without, it reads the timers of a whole territory to sort those of one search. PostgreSQL does so by
    itself.
    """
    if engine.dialect.name != "sqlite":
        return
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"PRAGMA analysis_limit={_LOOKED_AT}")
        await connection.exec_driver_sql("ANALYZE")


def make_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions of the engine, used as ``async with sessions.begin() as session:``; rows outlive it."""
    return async_sessionmaker(engine, expire_on_commit=False)


def require_transaction(session: AsyncSession) -> None:
    """Raise OutsideTransaction unless somebody began a transaction on purpose and so will commit it."""
    transaction = session.sync_session.get_transaction()
    if transaction is None or transaction.origin is SessionTransactionOrigin.AUTOBEGIN:
        raise OutsideTransaction("needs a transaction: async with sessions.begin() as session")


def among(
    columns: Sequence[SQLColumnExpression[Any]], keys: Sequence[tuple[Hashable, ...]]
) -> ColumnElement[bool]:
    """That the values of these columns are one of these keys, each a value for each column.

    Said of each column by itself as well: SQLite would look through the whole table for a list of tuples.
    """
    apart = [
        column.in_(list(dict.fromkeys(values)))
        for column, values in zip(columns, zip(*keys, strict=True), strict=bool(keys))
    ]
    return and_(*apart, tuple_(*columns).in_(keys))
