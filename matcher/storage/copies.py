"""A copy of the whole database, as it is at one moment, while people go on working; and back from it.

SQLite: the file itself, copied by SQLite. PostgreSQL: a text of COPY blocks, in the order in which they can
be taken in again, read in one snapshot; no program beside this one is needed, and psql reads it too. The
keys are not in it: it opens nothing.
"""

import asyncio
import os
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from psycopg import AsyncConnection as Driver
from psycopg import AsyncCopy
from sqlalchemy import inspect, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from config.database import make_engine
from matcher.storage import migrate
from matcher.storage.tables import TerritoryRow, metadata, table

_TERRITORIES = table(TerritoryRow)
_HEAD = "-- trait-union, revision "
_END = "-- whole\n"
_COPY = re.compile(r'COPY public\.([a-z_]+) \(([a-z_0-9", ]+)\) FROM stdin;\n')
_BLOCK = 1 << 16


class BadCopy(Exception):
    """Not a copy of ours, cut short, of another kind of database, or of a newer program."""


class NotEmpty(Exception):
    """There is something in the database already: nothing is ever overwritten."""


async def save(engine: AsyncEngine, path: Path) -> None:
    """Write a copy to ``path``, readable by its owner alone; there whole or not at all.

    Raises FileExistsError. The writers of SQLite wait while it is copied, those of PostgreSQL do not.
    """
    part = _beside(path)
    try:
        with _private(part) as file:
            if engine.dialect.name == "sqlite":
                await asyncio.to_thread(_copy_sqlite, _file(engine), part)
            else:
                await _write(engine, file)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


async def load(engine: AsyncEngine, path: Path, stopped_at: datetime) -> None:
    """Fill an empty database from a copy, every territory stopped, and bring its schema up to date.

    Raises BadCopy or NotEmpty, and then nothing was changed.
    """
    if engine.dialect.name == "sqlite":
        await _load_sqlite(engine, path, stopped_at)
    else:
        await _load_postgresql(engine, path, stopped_at)
    await migrate.upgrade(engine)


def _beside(path: Path) -> Path:
    if path.exists():
        raise FileExistsError(path)
    return path.with_name(f".{path.name}.part")


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _file(engine: AsyncEngine) -> Path:
    assert engine.url.database is not None
    return Path(engine.url.database)


def _copy_sqlite(source: Path, target: Path) -> None:
    read = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
    written = sqlite3.connect(target)
    try:
        # In one step: the copy is of one moment.
        read.backup(written, pages=-1)
    finally:
        written.close()
        read.close()


async def _load_sqlite(engine: AsyncEngine, path: Path, stopped_at: datetime) -> None:
    target = _file(engine)
    if target.exists() and target.stat().st_size:
        raise NotEmpty
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        with _private(part) as file:
            await asyncio.to_thread(_take_sqlite, path, part)
            os.fsync(file.fileno())
        copied = make_engine(f"sqlite:///{part}")
        try:
            async with copied.begin() as connection:
                _known(await _revision(connection))
                await connection.execute(update(_TERRITORIES).values(stopped_at=stopped_at))
        finally:
            await copied.dispose()
        # Whoever holds the target's name holds a database in which nothing goes on.
        await engine.dispose()
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _take_sqlite(path: Path, part: Path) -> None:
    try:
        source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            if source.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BadCopy("damaged")
            written = sqlite3.connect(part)
            try:
                source.backup(written)
            finally:
                written.close()
        finally:
            source.close()
    except sqlite3.DatabaseError:
        raise BadCopy("not a SQLite database") from None


async def _load_postgresql(engine: AsyncEngine, path: Path, stopped_at: datetime) -> None:
    with path.open("rb") as file:
        head = file.readline().decode("utf-8", "replace")
        if not head.startswith(_HEAD) or not _whole(file):
            raise BadCopy("not a whole copy of a PostgreSQL database")
        revision = head.removeprefix(_HEAD).strip()
        async with engine.begin() as connection:
            if await connection.run_sync(lambda sync: inspect(sync).get_table_names()):
                raise NotEmpty
            _known(revision)
            await connection.run_sync(lambda sync: migrate.upgrade_to(sync, revision))
            file.seek(len(head))
            for name, columns, block in _blocks(file):
                async with _copying(connection, f"COPY public.{name} ({columns}) FROM STDIN") as copy:
                    for data in block:
                        await copy.write(data)
            await connection.execute(update(_TERRITORIES).values(stopped_at=stopped_at))


async def _write(engine: AsyncEngine, file: IO[bytes]) -> None:
    quoted = engine.dialect.identifier_preparer.quote
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="REPEATABLE READ")
        async with connection.begin():
            file.write(f"{_HEAD}{await _revision(connection)}\n".encode())
            for each in metadata.sorted_tables:
                columns = ", ".join(quoted(column.name) for column in each.columns)
                file.write(f"COPY public.{each.name} ({columns}) FROM stdin;\n".encode())
                async with _copying(connection, f"COPY public.{each.name} ({columns}) TO STDOUT") as copy:
                    async for data in copy:
                        file.write(data)
                file.write(b"\\.\n")
            file.write(_END.encode())


@asynccontextmanager
async def _copying(connection: AsyncConnection, statement: str) -> AsyncIterator[AsyncCopy]:
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, Driver)
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        yield copy


def _whole(file: IO[bytes]) -> bool:
    file.seek(-len(_END), os.SEEK_END)
    return file.read() == _END.encode()


def _blocks(file: IO[bytes]) -> Iterator[tuple[str, str, Iterator[bytes]]]:
    """Each table with its columns and its lines. Names are checked: they become part of a statement."""
    known = {each.name for each in metadata.sorted_tables}
    while (line := file.readline().decode("utf-8", "replace")) != _END:
        found = _COPY.fullmatch(line)
        if found is None or found[1] not in known:
            raise BadCopy("not a copy of ours")
        yield found[1], found[2], _lines(file)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for line in file:
        if line == b"\\.\n":
            break
        gathered.append(line)
        size += len(line)
        if size > _BLOCK:
            yield b"".join(gathered)
            gathered, size = [], 0
    yield b"".join(gathered)


async def _revision(connection: AsyncConnection) -> str:
    found = await connection.run_sync(migrate.revision_of)
    if found is None:
        raise BadCopy("a database without our schema")
    return found


def _known(revision: str) -> None:
    if revision not in migrate.revisions():
        raise BadCopy(f"made by another program: revision {revision}")
