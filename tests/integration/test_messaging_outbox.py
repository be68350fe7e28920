"""Mails to be sent: none is lost, none is taken twice, and the table tells a thief nothing."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from config.database import OutsideTransaction
from messaging import claims, outbox
from messaging.claims import Kind, Lane, Outcome, Stale
from messaging.outbox import OutboxRow, derive_message_id

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
LEASE = timedelta(seconds=60)
ACCEPTED = Outcome(kind=Kind.ACCEPTED, detail="250")
RETRY = Outcome(kind=Kind.RETRY, detail="connection")


async def put(sessions, number=1, *, now=NOW, territory="t", **more):
    async with sessions.begin() as session:
        return await outbox.enqueue(
            session,
            territory=territory,
            letter="announcement",
            ids={"search": "s1", "doctor": f"d{number}"},
            message_id=f"<{number}@x.example>",
            now=now,
            **more,
        )


async def take(sessions, *, now=NOW, limit=100, lane=None):
    async with sessions.begin() as session:
        return await claims.claim(session, now=now, lease=LEASE, limit=limit, lane=lane)


async def settle(sessions, row, outcome=ACCEPTED, *, at=NOW, again_at=None):
    async with sessions.begin() as session:
        return await claims.settle(session, [(row, outcome, again_at)], at=at)


async def stored(sessions):
    async with sessions.begin() as session:
        return list((await session.execute(select(OutboxRow))).scalars())


async def test_the_same_mail_is_enqueued_once(mail_sessions):
    assert await put(mail_sessions)
    assert not await put(mail_sessions)
    assert await put(mail_sessions, territory="other")
    assert len(await stored(mail_sessions)) == 2


async def test_a_mail_commits_or_vanishes_with_what_it_speaks_of(mail_sessions):
    async with mail_sessions() as session:
        with pytest.raises(OutsideTransaction):
            await outbox.enqueue(session, territory="t", letter="x", ids={}, message_id="<1@x>", now=NOW)
    async with mail_sessions.begin() as session:
        await outbox.enqueue(session, territory="t", letter="x", ids={}, message_id="<1@x>", now=NOW)
        await session.rollback()
    assert await stored(mail_sessions) == []


async def test_a_claimed_mail_knows_what_it_is(mail_sessions):
    await put(mail_sessions)
    (row,) = await take(mail_sessions)
    assert (row.territory, row.letter, row.message_id) == ("t", "announcement", "<1@x.example>")
    assert row.ids == {"search": "s1", "doctor": "d1"}
    assert (row.attempts, row.fence, row.may_have_left, row.items, row.outcome) == (1, 1, False, None, None)
    assert row.enqueued_at == row.first_attempt_at == NOW


async def test_a_mail_is_not_taken_before_its_time(mail_sessions):
    await put(mail_sessions, not_before=NOW + LEASE)
    assert await take(mail_sessions) == []
    assert len(await take(mail_sessions, now=NOW + LEASE)) == 1


async def test_a_claimed_mail_is_nobody_else_s_until_the_lease_ends(mail_sessions):
    await put(mail_sessions)
    (first,) = await take(mail_sessions)
    assert await take(mail_sessions, now=NOW + LEASE - timedelta(seconds=1)) == []
    (second,) = await take(mail_sessions, now=NOW + LEASE)
    assert second.id == first.id
    assert second.first_attempt_at == NOW
    assert (second.attempts, second.may_have_left) == (2, True)


async def test_the_late_word_of_a_worker_that_slept_is_refused(mail_sessions):
    await put(mail_sessions)
    (slept,) = await take(mail_sessions)
    (other,) = await take(mail_sessions, now=NOW + LEASE)
    late = (
        lambda s: claims.freeze(s, slept, ["s1"]),
        lambda s: claims.postpone_telling(s, slept, ACCEPTED, again_at=NOW),
    )
    for word in late:
        with pytest.raises(Stale):
            async with mail_sessions.begin() as session:
                await word(session)
    assert await settle(mail_sessions, slept) == set()
    async with mail_sessions.begin() as session:
        assert await claims.release(session, [(slept, NOW)]) == set()
    assert await settle(mail_sessions, other) == {other.id}
    assert await settle(mail_sessions, other) == set()


async def test_of_mails_settled_together_only_a_sleeper_s_is_refused(mail_sessions):
    await put(mail_sessions, 1)
    (slept,) = await take(mail_sessions)
    await take(mail_sessions, now=NOW + LEASE)
    await put(mail_sessions, 2)
    await put(mail_sessions, 3)
    second, third = sorted(await take(mail_sessions), key=lambda row: row.message_id)
    settled = [(slept, ACCEPTED, None), (second, ACCEPTED, None), (third, RETRY, NOW + LEASE)]
    async with mail_sessions.begin() as session:
        assert await claims.settle(session, settled, at=NOW) == {second.id, third.id}
    states = {row.message_id: row.state for row in await stored(mail_sessions)}
    assert states == {"<1@x.example>": "sending", "<2@x.example>": "accepted", "<3@x.example>": "queued"}


@pytest.mark.parametrize("kind", [Kind.ACCEPTED, Kind.DEAD, Kind.DROPPED])
async def test_a_mail_that_is_done_stays_done(mail_sessions, kind):
    await put(mail_sessions)
    (row,) = await take(mail_sessions)
    await settle(mail_sessions, row, Outcome(kind=kind, detail="x"))
    assert await take(mail_sessions, now=NOW + timedelta(days=365)) == []
    (found,) = await stored(mail_sessions)
    assert (found.state, found.detail, found.settled_at, found.next_attempt_at) == (kind, "x", NOW, None)


async def test_a_failed_mail_comes_back_when_it_was_said_to(mail_sessions):
    await put(mail_sessions)
    (row,) = await take(mail_sessions)
    await settle(mail_sessions, row, RETRY, again_at=NOW + timedelta(seconds=5))
    assert await take(mail_sessions, now=NOW + timedelta(seconds=4)) == []
    (row,) = await take(mail_sessions, now=NOW + timedelta(seconds=5))
    assert (row.attempts, row.may_have_left) == (2, False)


async def test_a_mail_that_may_have_left_is_never_taken_for_one_that_did_not(mail_sessions):
    await put(mail_sessions)
    (row,) = await take(mail_sessions)
    await settle(mail_sessions, row, Outcome(kind=Kind.AMBIGUOUS), again_at=NOW)
    (row,) = await take(mail_sessions)
    assert row.may_have_left
    await settle(mail_sessions, row, RETRY, again_at=NOW)
    assert (await stored(mail_sessions))[0].state == "ambiguous"
    (row,) = await take(mail_sessions)
    async with mail_sessions.begin() as session:
        assert await claims.release(session, [(row, NOW)]) == {row.id}
    (row,) = await take(mail_sessions)
    assert (row.may_have_left, row.attempts) == (True, 3)


async def test_a_mail_given_back_was_not_tried(mail_sessions):
    await put(mail_sessions)
    (row,) = await take(mail_sessions)
    async with mail_sessions.begin() as session:
        assert await claims.release(session, [(row, NOW)]) == {row.id}
    (again,) = await take(mail_sessions, lane=Lane.FRESH)
    assert (again.attempts, again.may_have_left) == (1, False)


async def test_what_a_gathered_mail_spoke_of_at_first_it_speaks_of_again(mail_sessions):
    await put(mail_sessions)
    (row,) = await take(mail_sessions)
    async with mail_sessions.begin() as session:
        assert (await claims.freeze(session, row, ("s1", "s2"))).items == ("s1", "s2")
    (row,) = await take(mail_sessions, now=NOW + LEASE)
    assert row.items == ("s1", "s2")


async def test_an_outcome_that_could_not_be_told_waits_to_be_told(mail_sessions):
    await put(mail_sessions)
    (row,) = await take(mail_sessions)
    async with mail_sessions.begin() as session:
        await claims.postpone_telling(session, row, ACCEPTED, again_at=NOW + LEASE)
    (row,) = await take(mail_sessions, now=NOW + LEASE)
    assert (row.outcome, row.attempts) == (ACCEPTED, 1)
    (row,) = await take(mail_sessions, now=NOW + LEASE * 2)
    assert row.outcome == ACCEPTED
    await settle(mail_sessions, row)
    assert (await stored(mail_sessions))[0].state == "accepted"


async def test_mails_never_tried_have_a_lane_of_their_own(mail_sessions):
    for number in range(5):
        await put(mail_sessions, number)
    for row in await take(mail_sessions):
        await settle(mail_sessions, row, RETRY, again_at=NOW)
    await put(mail_sessions, 9, now=NOW + timedelta(seconds=1))
    later = NOW + timedelta(seconds=1)
    assert [row.message_id for row in await take(mail_sessions, now=later, lane=Lane.FRESH, limit=1)] == [
        "<9@x.example>"
    ]
    assert len(await take(mail_sessions, now=later, lane=Lane.AGAIN)) == 5


async def test_the_longest_due_go_first(mail_sessions):
    for number in (3, 1, 2):
        await put(mail_sessions, number, now=NOW + timedelta(seconds=number))
    rows = await take(mail_sessions, now=NOW + timedelta(minutes=1), limit=2)
    assert {row.message_id for row in rows} == {"<1@x.example>", "<2@x.example>"}


async def test_parallel_workers_never_take_the_same_mail(mail_sessions):
    for number in range(60):
        await put(mail_sessions, number)
    taken = await asyncio.gather(*(take(mail_sessions, limit=7) for _ in range(10)))
    ids = [row.id for rows in taken for row in rows]
    assert len(ids) == len(set(ids))
    while rows := await take(mail_sessions, limit=7):
        ids += [row.id for row in rows]
    assert sorted(set(ids)) == sorted(ids)
    assert len(ids) == 60


async def test_health_knows_how_long_the_oldest_mail_has_waited(mail_sessions):
    async with mail_sessions.begin() as session:
        assert await outbox.oldest_unsent(session, NOW) is None
        assert await outbox.unsent(session) == 0
    await put(mail_sessions, 1)
    await put(mail_sessions, 2, now=NOW + LEASE)
    (row,) = await take(mail_sessions)
    async with mail_sessions.begin() as session:
        assert await outbox.oldest_unsent(session, NOW + 3 * LEASE) == NOW
        assert await outbox.oldest_unsent(session, NOW, {"t"}) is None
        assert await outbox.unsent(session) == 2
    await settle(mail_sessions, row)
    async with mail_sessions.begin() as session:
        assert await outbox.oldest_unsent(session, NOW + LEASE) == NOW + LEASE
        # It shall leave only then: until then nobody waits.
        assert await outbox.oldest_unsent(session, NOW) is None


async def test_settled_mails_are_forgotten_territory_by_territory(mail_sessions):
    await put(mail_sessions, 1)
    await put(mail_sessions, 2)
    await put(mail_sessions, 3, territory="other")
    for row in await take(mail_sessions):
        if row.message_id != "<2@x.example>":
            await settle(mail_sessions, row)
    async with mail_sessions.begin() as session:
        assert await outbox.purge(session, "t", before=NOW) == 0
        assert await outbox.purge(session, "t", before=NOW + LEASE) == 1
    assert {row.message_id for row in await stored(mail_sessions)} == {"<2@x.example>", "<3@x.example>"}


async def test_the_database_itself_refuses_a_mail_that_is_done_and_due(mail_sessions):
    await put(mail_sessions)
    for change in ("state = 'accepted'", "next_attempt_at = NULL", "state = 'gone'"):
        with pytest.raises(IntegrityError):
            async with mail_sessions.begin() as session:
                await session.execute(text(f"UPDATE outbox SET {change}"))


def test_a_message_id_is_always_the_same_and_says_nothing():
    one = derive_message_id(b"k" * 32, "retour.example", "t", "s1", "1", "d1", "announcement", "1")
    assert one == derive_message_id(b"k" * 32, "retour.example", "t", "s1", "1", "d1", "announcement", "1")
    assert one.startswith("<")
    assert one.endswith("@retour.example>")
    assert "s1" not in one.removesuffix("@retour.example>")
    others = {
        derive_message_id(b"k" * 32, "retour.example", "t", "s", "11", "d1", "announcement", "1"),
        derive_message_id(b"k" * 32, "retour.example", "t", "s1", "2", "d1", "announcement", "1"),
        derive_message_id(b"l" * 32, "retour.example", "t", "s1", "1", "d1", "announcement", "1"),
    }
    assert len(others | {one}) == 4
