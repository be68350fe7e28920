"""The journal shows any later change to itself, and raises no false alarm."""

import asyncio
import hashlib
import hmac
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from config.database import OutsideTransaction, make_engine, make_sessions
from matcher.storage import doctors, journal, journal_chain
from matcher.storage.journal import Entry
from tests.integration.storage_world import DOCTORS, HERE, NOW, THERE, settle_in


def sign(message):
    return hmac.new(b"stands for Ed25519", message, hashlib.sha256).digest()


def check(message, signature):
    return hmac.compare_digest(sign(message), signature)


@pytest.fixture
async def world(sessions):
    await settle_in(sessions)
    return sessions


def entry(number=0, territory=HERE, at=None):
    return Entry(
        territory=territory,
        at=at or NOW + timedelta(seconds=number),
        actor_kind="coordinatrice",
        actor_id="user1",
        action="open_record_staff",
        search=f"search{number % 3}",
        doctor="doctor1",
        purpose="calling_back",
        state="released",
    )


async def write(world, *entries):
    async with world.begin() as session:
        for one in entries:
            await journal.append(session, one)


async def broken(world, **given):
    async with world.begin() as session:
        return await journal_chain.verify(session, **given)


async def by_hand(world, *statements):
    """What somebody with the database's password does, triggers or not."""
    async with world.begin() as session:
        if session.get_bind().dialect.name == "sqlite":
            names = await session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            for name in names.all():
                await session.execute(text(f"DROP TRIGGER {name}"))
        else:
            await session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            await session.execute(text(statement))


async def test_entries_come_back_as_they_were_written_newest_first_and_by_search(world):
    made = [entry(n) for n in range(5)]
    await write(world, *made, entry(0, THERE))
    async with world.begin() as session:
        whole = await journal.list_(session, HERE)
        assert whole == [replace(one, seq=n + 1) for n, one in reversed(list(enumerate(made)))]
        assert await journal.list_(session, HERE, after=3, limit=1) == [replace(made[1], seq=2)]
        assert [e.seq for e in await journal.of_search(session, HERE, "search1")] == [2, 5]
        assert [
            e.seq
            for e in await journal.between(
                session, HERE, NOW + timedelta(seconds=1), NOW + timedelta(seconds=3)
            )
        ] == [2, 3]
    assert await broken(world) is None


async def test_a_journal_without_entries_holds(world):
    assert await broken(world) is None


async def test_an_entry_is_written_with_what_it_tells_or_not_at_all(world):
    async with world() as session:
        with pytest.raises(OutsideTransaction):
            await journal.append(session, entry())
    async with world() as session:
        transaction = await session.begin()
        await journal.append(session, entry(1))
        await transaction.rollback()
        async with session.begin():
            await journal.append(session, entry(2))
    await write(world, entry(3), entry(4))
    async with world.begin() as session:
        assert [e.at for e in await journal.list_(session, HERE)] == [entry(n).at for n in (4, 3, 2)]
    assert await broken(world) is None


async def test_a_transaction_without_entries_does_not_touch_the_head(world):
    async with world.begin():
        pass
    async with world.begin() as session:
        assert (await session.scalars(text("SELECT seq FROM journal_heads"))).all() == []


async def test_writers_who_also_change_the_same_doctor_do_not_lock_each_other_out(world):
    async def first_the_entry():
        async with world.begin() as session:
            await journal.append(session, entry())
            await asyncio.sleep(0.02)
            await doctors.never_call(session, HERE, DOCTORS[0])

    async def first_the_doctor():
        async with world.begin() as session:
            await doctors.phoned(session, HERE, DOCTORS[0], NOW)
            await asyncio.sleep(0.02)
            await journal.append(session, entry())

    async def two_territories(*names):
        await write(world, *(entry(0, name) for name in names))

    async with asyncio.timeout(20):
        await asyncio.gather(
            *(one() for _ in range(5) for one in (first_the_entry, first_the_doctor)),
            *(two_territories(*names) for _ in range(5) for names in ((HERE, THERE), (THERE, HERE))),
        )
    assert await broken(world) is None


async def test_fifty_writers_at_once_raise_no_false_alarm(world):
    await asyncio.gather(*(write(world, entry(n), entry(n)) for n in range(50)))
    assert await broken(world) is None
    async with world.begin() as session:
        assert Counter(e.seq for e in await journal.list_(session, HERE, limit=200)) == Counter(range(1, 101))


async def test_nobody_changes_or_deletes_an_entry_the_head_or_a_sealed_month(world):
    await write(world, entry(at=datetime(2026, 9, 1, tzinfo=UTC)), entry())
    async with world.begin() as session:
        await journal_chain.seal_months(session, HERE, NOW, sign)
    for statement in (
        "UPDATE journal SET purpose = 'other' WHERE seq = 1",
        "UPDATE journal SET seq = seq",
        "DELETE FROM journal WHERE seq = 2",
        "DELETE FROM journal",
        "UPDATE journal_heads SET seq = 1",
        "UPDATE journal_heads SET hash = 'x'",
        "DELETE FROM journal_heads",
        "DELETE FROM journal_segments",
        "UPDATE journal_segments SET last_seq = 2",
        "UPDATE journal_segments SET last_seq = 2, pruned_at = '2026-11-23'",
    ):
        with pytest.raises(DBAPIError, match=r"takes new entries only|only moves on|is pruned once"):
            async with world.begin() as session:
                await session.execute(text(statement))
    assert await broken(world, check=check) is None


async def test_postgresql_does_not_let_the_journal_be_emptied(postgresql_url):
    engine = make_engine(postgresql_url)
    with pytest.raises(DBAPIError, match="takes new entries only"):
        async with engine.begin() as connection:
            await connection.execute(text("TRUNCATE journal"))
    await engine.dispose()


@pytest.mark.parametrize(
    "change",
    [
        "territory_id = 'bron'",
        "seq = 40",
        "at = replace(at, '2026', '2025')",
        "actor_kind = 'secretaire'",
        "actor_id = 'user2'",
        "action = ''",
        "search_id = 'search9'",
        "search_id = NULL",
        "doctor_id = ''",
        "purpose = 'calling_back '",
        "state = 'Released'",
        "previous = replace(previous, substr(previous, 1, 1), 'x')",
        "hash = replace(hash, substr(hash, 64, 1), 'x')",
        "hash = upper(hash)",
    ],
)
async def test_any_column_changed_by_hand_is_found(world, change):
    await write(world, *(entry(n) for n in range(5)))
    await by_hand(world, f"UPDATE journal SET {change} WHERE territory_id = 'venissieux' AND seq = 3")
    found = await broken(world)
    assert found is not None
    assert found.territory in (HERE, THERE)


@pytest.mark.parametrize("seq", [1, 3, 5])
async def test_an_entry_changed_or_cut_out_is_named(world, seq):
    await write(world, *(entry(n) for n in range(5)))
    await by_hand(world, f"UPDATE journal SET purpose = 'other' WHERE seq = {seq}")
    assert (await broken(world)).seq == seq
    await by_hand(world, f"DELETE FROM journal WHERE seq = {seq}")
    assert (await broken(world)).seq == seq


async def test_two_entries_that_changed_places_are_found(world):
    await write(world, *(entry(n) for n in range(5)))
    await by_hand(
        world,
        "UPDATE journal SET seq = 100 WHERE seq = 2",
        "UPDATE journal SET seq = 2 WHERE seq = 3",
        "UPDATE journal SET seq = 3 WHERE seq = 100",
    )
    assert (await broken(world)).seq == 2


async def test_an_entry_put_in_by_hand_is_found(world):
    await write(world, entry(0), entry(1))
    columns = "territory_id, seq, at, actor_kind, actor_id, action, previous, hash"
    await by_hand(
        world,
        f"INSERT INTO journal ({columns})"
        " SELECT territory_id, 3, at, actor_kind, actor_id, action, hash, previous FROM journal"
        " WHERE seq = 2",
    )
    assert (await broken(world)).seq == 3


async def test_the_end_cut_off_is_found_by_the_head(world):
    await write(world, *(entry(n) for n in range(5)))
    await by_hand(world, "DELETE FROM journal WHERE seq >= 4")
    assert (await broken(world)).seq == 4
    await by_hand(world, "DELETE FROM journal_heads")
    assert await broken(world) is not None


async def test_the_end_cut_off_with_a_head_that_matches_is_found_by_an_exported_head(world):
    await write(world, *(entry(n) for n in range(5)))
    async with world.begin() as session:
        head = await journal_chain.signed_head(session, HERE, NOW, sign)
        assert await journal_chain.signed_head(session, THERE, NOW, sign) is None
    await write(world, entry(5))
    assert await broken(world, heads=[head], check=check) is None
    await by_hand(
        world,
        "DELETE FROM journal WHERE seq >= 4",
        "UPDATE journal_heads SET seq = 3, hash = (SELECT hash FROM journal WHERE seq = 3)",
    )
    assert await broken(world) is None
    assert (await broken(world, heads=[head], check=check)).seq == 4
    await by_hand(world, "DELETE FROM journal", "DELETE FROM journal_heads")
    assert (await broken(world, heads=[head], check=check)).seq == 1


async def test_a_chain_written_anew_is_found_by_an_exported_head(world):
    await write(world, *(entry(n) for n in range(3)))
    async with world.begin() as session:
        head = await journal_chain.signed_head(session, HERE, NOW, sign)
    await by_hand(world, "DELETE FROM journal", "DELETE FROM journal_heads")
    await write(world, *(entry(n + 1) for n in range(4)))
    assert await broken(world) is None
    assert (await broken(world, heads=[head], check=check)).seq == 3
    forged = replace(head, hash="0" * 64)
    assert (await broken(world, heads=[forged], check=check)).why == "the exported head's signature"


def months(*numbers):
    return [entry(n, at=datetime(2026, n, 15, tzinfo=UTC)) for n in numbers]


async def test_months_that_are_over_are_sealed_once(world):
    await write(world, *months(8, 8, 9, 11))
    async with world.begin() as session:
        made = await journal_chain.seal_months(session, HERE, NOW, sign)
        assert [(s.month, s.first_seq, s.last_seq) for s in made] == [("2026-08", 1, 2), ("2026-09", 3, 3)]
        assert await journal_chain.seal_months(session, HERE, NOW, sign) == []
        assert await journal_chain.segments(session, HERE) == made
    assert await broken(world, check=check) is None


async def test_a_clock_that_was_set_back_does_not_stop_the_sealing(world):
    await write(world, *months(8, 9, 8, 9, 10), entry())
    async with world.begin() as session:
        made = await journal_chain.seal_months(session, HERE, NOW, sign)
        assert [(s.first_seq, s.last_seq) for s in made] == [(1, 1), (2, 4), (5, 5)]
        # The second stretch holds an entry of September, though it also holds one of August.
        assert await journal_chain.prune(session, HERE, datetime(2026, 9, 1, tzinfo=UTC), NOW, sign) == 1
    assert await broken(world, check=check) is None


async def test_pruning_takes_whole_months_and_what_is_left_still_holds(world):
    await write(world, *months(7, 8, 8, 9, 11))
    async with world.begin() as session:
        head = await journal_chain.signed_head(session, HERE, NOW, sign)
        await journal_chain.seal_months(session, HERE, NOW, sign)
        assert await journal_chain.prune(session, HERE, datetime(2026, 9, 1, tzinfo=UTC), NOW, sign) == 2
        assert await journal_chain.prune(session, HERE, datetime(2026, 9, 1, tzinfo=UTC), NOW, sign) == 0
        assert [e.seq for e in await journal.list_(session, HERE)] == [5, 4]
    assert await broken(world, heads=[head], check=check) is None
    await write(world, entry())
    assert await broken(world, heads=[head], check=check) is None


async def test_what_is_not_sealed_is_not_pruned(world):
    await write(world, *months(7, 8))
    async with world.begin() as session:
        assert await journal_chain.prune(session, HERE, NOW, NOW, sign) == 0
        assert len(await journal.list_(session, HERE)) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM journal_segments WHERE month = '2026-07'",
        "DELETE FROM journal_segments WHERE month = '2026-08'",
        "UPDATE journal_segments SET closes_on = opens_on WHERE month = '2026-08'",
        "UPDATE journal_segments SET last_seq = 4 WHERE month = '2026-09'",
        "UPDATE journal_segments SET month = '2026-06' WHERE month = '2026-07'",
        "UPDATE journal_segments SET pruned_at = '2026-11-23 00:00:00' WHERE month = '2026-09'",
        "UPDATE journal_segments SET pruned_at = NULL",
        "DELETE FROM journal WHERE seq = 2",
    ],
)
async def test_a_pruning_that_is_forged_is_found(world, statement):
    await write(world, *months(7, 8, 9, 11))
    async with world.begin() as session:
        await journal_chain.seal_months(session, HERE, NOW, sign)
        await journal_chain.prune(session, HERE, datetime(2026, 8, 1, tzinfo=UTC), NOW, sign)
    assert await broken(world, check=check) is None
    await by_hand(world, statement)
    assert await broken(world, check=check) is not None


async def test_a_month_pruned_by_whoever_writes_to_the_database_is_found(world):
    """The database's own triggers let it be: they cannot know for how long a journal is kept."""
    await write(world, *months(7, 8, 9, 11))
    async with world.begin() as session:
        await journal_chain.seal_months(session, HERE, NOW, sign)
        await journal_chain.prune(session, HERE, datetime(2026, 8, 1, tzinfo=UTC), NOW, sign)
    async with world.begin() as session:
        await session.execute(
            text(
                "UPDATE journal_segments SET pruned_at = '2026-11-23 00:00:00', pruned_signature = signature"
                " WHERE month = '2026-08'"
            )
        )
        assert [e.seq for e in await journal.list_(session, HERE)] == [4, 3]
    found = await broken(world, check=check)
    assert (found.seq, found.why) == (2, "pruned by another hand")


async def test_a_byte_changed_in_the_file_is_found(sqlite_url, tmp_path):
    engine = make_engine(sqlite_url)
    sessions = make_sessions(engine)
    await settle_in(sessions)
    await write(sessions, *(entry(n) for n in range(4)))
    async with sessions.begin() as session:
        stored = (await session.execute(text("SELECT * FROM journal WHERE seq = 2"))).one()
    await engine.dispose()
    path = tmp_path / "trait-union.sqlite3"
    whole = path.read_bytes()
    # Where the second entry's row is in the file: its texts follow each other.
    row = "".join(str(value) for value in stored if isinstance(value, str)).encode()
    start = whole.find(row)
    if start < 0:
        row = "".join(str(value) for value in stored[2:]).encode()
        start = whole.index(row)
    for place in range(start, start + len(row), 7):
        for bit in (1, 128):
            spoiled = bytearray(whole)
            spoiled[place] ^= bit
            path.write_bytes(spoiled)
            engine = make_engine(sqlite_url)
            found = await broken(make_sessions(engine))
            await engine.dispose()
            assert found is not None, place - start
