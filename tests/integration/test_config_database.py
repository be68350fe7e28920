"""Times come back as they went in, on both databases, and a transaction is one."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from config.database import (
    OutsideTransaction,
    UTCDateTime,
    among,
    database_url,
    make_engine,
    make_sessions,
    require_transaction,
)
from messaging.outbox import OutboxRow, enqueue

NOW = datetime(2026, 11, 23, 8, 30, 0, 123456, tzinfo=UTC)


async def put(session, now, number=1):
    await enqueue(session, territory="t", letter="x", ids={}, message_id=f"<{number}@x>", now=now)


async def test_a_time_of_any_zone_comes_back_as_the_same_instant_in_utc(mail_sessions):
    paris = NOW.astimezone(timezone(timedelta(hours=1)))
    async with mail_sessions.begin() as session:
        await put(session, paris)
    async with mail_sessions.begin() as session:
        (found,) = (await session.execute(select(OutboxRow))).scalars()
        assert found.enqueued_at == NOW
        assert found.enqueued_at.tzinfo is UTC
        assert found.settled_at is None
        earlier = select(OutboxRow.id).where(OutboxRow.enqueued_at < paris + timedelta(microseconds=1))
        assert len((await session.execute(earlier)).all()) == 1


async def test_a_time_without_zone_is_refused(mail_sessions):
    async with mail_sessions.begin() as session:
        with pytest.raises(StatementError, match="zone"):
            await put(session, NOW.replace(tzinfo=None))
        await session.rollback()


async def test_only_a_transaction_begun_on_purpose_counts(mail_sessions):
    async with mail_sessions() as session:
        with pytest.raises(OutsideTransaction):
            require_transaction(session)
        await session.execute(text("SELECT 1"))
        with pytest.raises(OutsideTransaction):
            require_transaction(session)
    async with mail_sessions.begin() as session:
        require_transaction(session)
        async with session.begin_nested():
            require_transaction(session)


async def test_what_is_rolled_back_was_never_there(mail_sessions):
    async with mail_sessions.begin() as session:
        await put(session, NOW)
        await session.rollback()
    async with mail_sessions.begin() as session:
        assert (await session.execute(select(OutboxRow))).all() == []


async def test_sqlite_is_set_to_keep_what_it_was_told_and_to_forget_what_it_was_not(tmp_path, as_installed):
    engine = make_engine(f"sqlite:///{tmp_path}/new/folder/x.sqlite3")
    async with engine.begin() as connection:
        found = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    await engine.dispose()
    assert found == {"journal_mode": "truncate", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


async def test_sqlite_in_memory_is_one_database():
    engine = make_engine("sqlite://")
    sessions = make_sessions(engine)
    async with sessions.begin() as session:
        await session.execute(text("CREATE TABLE x (n INTEGER)"))
    async with sessions.begin() as session:
        await session.execute(text("SELECT n FROM x"))
    await engine.dispose()


async def test_rows_are_found_by_their_keys_and_never_by_looking_through_the_table(mail_sessions):
    keys = (OutboxRow.territory_id, OutboxRow.message_id)
    async with mail_sessions.begin() as session:
        for number in range(3):
            await put(session, NOW, number)
        wanted = select(OutboxRow.message_id).where(
            among(keys, [("t", "<0@x>"), ("t", "<2@x>"), ("u", "<1@x>")])
        )
        assert set(await session.scalars(wanted)) == {"<0@x>", "<2@x>"}
        assert (await session.scalars(select(OutboxRow.id).where(among(keys, [])))).all() == []
        if session.get_bind().dialect.name == "sqlite":
            # However few rows there are; PostgreSQL would choose by their number.
            literal = wanted.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
            plan = (await session.execute(text(f"EXPLAIN QUERY PLAN {literal}"))).all()
            assert "SEARCH outbox" in plan[0].detail, plan


async def test_writers_queue_up_on_sqlite(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path}/x.sqlite3")
    sessions = make_sessions(engine)
    async with sessions.begin() as session:
        await session.execute(text("CREATE TABLE x (n INTEGER)"))
        await session.execute(text("INSERT INTO x VALUES (0)"))

    async def add():
        async with sessions.begin() as session:
            value = (await session.execute(text("SELECT n FROM x"))).scalar_one()
            await asyncio.sleep(0)
            await session.execute(text("UPDATE x SET n = :n"), {"n": value + 1})

    await asyncio.gather(*(add() for _ in range(30)))
    async with sessions.begin() as session:
        assert (await session.execute(text("SELECT n FROM x"))).scalar_one() == 30
    await engine.dispose()


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///x", "sqlite+aiosqlite"),
        ("sqlite+pysqlite:///x", "sqlite+aiosqlite"),
        ("postgres://h/d", "postgresql+psycopg"),
        ("postgresql://h/d", "postgresql+psycopg"),
        ("postgresql+asyncpg://h/d", "postgresql+psycopg"),
    ],
)
def test_each_way_to_write_an_address_gets_our_driver(url, driver):
    assert database_url(url).drivername == driver


def test_nothing_is_stored_as_nothing():
    kind = UTCDateTime()
    dialect = make_engine("sqlite://").dialect
    assert kind.process_bind_param(None, dialect) is None
    assert kind.process_result_value(None, dialect) is None
