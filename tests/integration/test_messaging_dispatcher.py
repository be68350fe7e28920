"""From the outbox to the relay: nothing is lost, or sent as two mails, or kept waiting by a bad one."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from messaging import claims, outbox
from messaging.claims import Kind
from messaging.dispatcher import Dispatcher
from messaging.letters import Mailbox, Message, Obsolete, Rendered, compose
from messaging.outbox import OutboxRow
from messaging.retry import PATIENCE
from messaging.smtp import Pool
from tests.integration.relay import Catcher, listening

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
LEASE = timedelta(seconds=60)


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.at = NOW

    def __call__(self):
        return self.at

    def move(self, **delta):
        self.at += timedelta(**delta)


class House:
    """What the application gives a dispatcher, and what it heard from it."""

    def __init__(self, sessions, catcher, clock, connections=4, lease=LEASE, pace=0):
        self.sessions = sessions
        self.clock = clock
        self.told = []
        self.composed = 0
        self.pool = Pool(catcher.relay(connections=connections))
        self.answer = self.mail_of
        self.trouble = None
        self.dispatcher = Dispatcher(
            sessions=sessions,
            smtp=self.pool,
            compose=self.compose,
            on_settled=self.on_settled,
            now=clock,
            lease=lease,
            pace=pace,
            chance=lambda: 0.5,
        )

    async def compose(self, rows):
        self.composed += len(rows)
        return [self.worded(row) for row in rows]

    def worded(self, row):
        try:
            return self.answer(row)
        except Exception as slip:  # noqa: BLE001
            return slip

    def mail_of(self, row, items=None):
        return compose(
            Rendered(subject="x", text=f"{row.items or items}\n", html="<p>x</p>\n"),
            sender=Mailbox(address="office@cpts.example"),
            recipient=Mailbox(address=f"{row.ids['to']}@doctors.example"),
            return_path="bounces@cpts.example",
            message_id=row.message_id,
            date=row.first_attempt_at,
            items=items,
        )

    async def on_settled(self, session, settled, at):
        if self.trouble:
            raise self.trouble
        assert session.in_transaction()
        self.told += [(row.ids["to"], outcome.kind, outcome.detail) for row, outcome in settled]

    async def put(self, *names):
        async with self.sessions.begin() as session:
            for name in names:
                await outbox.enqueue(
                    session,
                    territory="t",
                    letter="announcement",
                    ids={"to": name},
                    message_id=f"<{name}.{self.clock.at.timestamp():.0f}@cpts.example>",
                    now=self.clock.at,
                )

    async def states(self):
        async with self.sessions.begin() as session:
            return {row.ids["to"]: row.state for row in (await session.execute(select(OutboxRow))).scalars()}

    def kinds(self, name):
        return [kind for to, kind, _ in self.told if to == name]


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (what is waited for happens behind a socket)
            await asyncio.sleep(0.005)


@pytest.fixture
async def catcher():
    async with listening(Catcher()) as catcher:
        yield catcher


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def house(mail_sessions, catcher, clock):
    house = House(mail_sessions, catcher, clock)
    yield house
    await house.pool.close()


async def test_what_is_in_the_outbox_reaches_the_relay_and_is_told(house, catcher):
    names = [f"d{number}" for number in range(38)]
    await house.put(*names)
    while await house.dispatcher.run_once():
        pass
    assert sorted(catcher.recipients()) == sorted(f"{name}@doctors.example" for name in names)
    assert sorted(house.told) == sorted((name, Kind.ACCEPTED, "250") for name in names)
    assert set((await house.states()).values()) == {"accepted"}
    assert await house.dispatcher.run_once() == 0


async def test_a_refused_mail_is_dead_at_once_and_told(house, catcher):
    await house.put("never")
    await house.dispatcher.run_once()
    assert house.told == [("never", Kind.DEAD, "550 5.1.1")]
    assert await house.states() == {"never": "dead"}


async def test_a_mail_put_off_goes_again_later_with_a_pause_that_grows(house, catcher, clock):
    await house.put("later")
    for pause in (60, 120, 240):
        assert await house.dispatcher.run_once() == 1
        clock.move(seconds=pause - 1)
        assert await house.dispatcher.run_once() == 0
        clock.move(seconds=1)
    assert house.kinds("later") == [Kind.RETRY] * 3


async def test_a_relay_away_for_a_day_loses_no_mail(mail_sessions, clock):
    async with listening(Catcher()) as catcher:
        pass
    house = House(mail_sessions, catcher, clock)
    await house.put("d1", "d2")
    while clock.at < NOW + timedelta(days=1):
        await house.dispatcher.run_once()
        clock.move(minutes=31)
    assert set((await house.states()).values()) == {"queued"}
    async with listening(catcher, port=catcher.port):
        clock.move(minutes=31)
        await house.dispatcher.run_once()
        assert sorted(catcher.recipients()) == ["d1@doctors.example", "d2@doctors.example"]
        await house.pool.close()


async def test_a_mail_nobody_takes_for_days_is_given_up_and_told(house, clock):
    await house.put("later")
    await house.dispatcher.run_once()
    clock.move(seconds=PATIENCE.total_seconds())
    await house.dispatcher.run_once()
    assert house.told == [("later", kind, "451 4.7.1") for kind in (Kind.RETRY, Kind.DEAD)]


async def test_a_mail_that_nobody_could_send_for_days_has_the_patience_of_a_new_one(house, clock):
    await house.put("later")
    # The service was stopped, or waited for its office after a restore.
    clock.move(seconds=2 * PATIENCE.total_seconds())
    await house.dispatcher.run_once()
    assert house.kinds("later") == [Kind.RETRY]


async def test_a_mail_whose_answer_was_lost_goes_again_as_the_same(house, catcher, clock):
    await house.put("lost")
    await house.dispatcher.run_once()
    assert house.told == [("lost", Kind.AMBIGUOUS, "connection")]
    clock.move(minutes=1)
    await house.dispatcher.run_once()
    first, second = (mail for _, _, mail in catcher.mails)
    assert first.as_bytes() == second.as_bytes()


async def test_an_obsolete_mail_is_dropped_unsent(house, catcher):
    house.answer = lambda row: Obsolete(reason="ended")
    await house.put("d1")
    await house.dispatcher.run_once()
    assert house.told == [("d1", Kind.DROPPED, "ended")]
    assert catcher.mails == []


async def test_a_mail_that_may_have_left_is_given_up_and_never_said_to_be_unsent(house, catcher, clock):
    await house.put("d1")
    async with house.sessions.begin() as session:
        await claims.claim(session, now=clock(), lease=LEASE, limit=1)
    # Whoever claimed it died, and nobody knows whether it was sent; then its reason went away.
    clock.move(minutes=2)
    house.answer = lambda row: Obsolete(reason="no_mailbox")
    await house.dispatcher.run_once()
    assert house.told == [("d1", Kind.DEAD, "no_mailbox")]
    assert await house.states() == {"d1": "dead"}


async def test_a_mail_that_cannot_be_composed_waits_for_someone_to_mend_it(house, catcher, clock):
    house.answer = lambda row: 1 / 0
    await house.put("d1")
    await house.dispatcher.run_once()
    assert house.told == [("d1", Kind.RETRY, "compose ZeroDivisionError")]
    house.answer = house.mail_of
    clock.move(minutes=2)
    await house.dispatcher.run_once()
    assert catcher.recipients() == ["d1@doctors.example"]


async def test_a_batch_that_cannot_be_looked_up_is_looked_up_one_by_one(house, catcher, monkeypatch):
    async def composed(rows):
        if any(row.ids["to"] == "odd" for row in rows):
            raise LookupError
        return await House.compose(house, rows)

    monkeypatch.setattr(house.dispatcher, "_compose", composed)
    await house.put("d1", "odd", "d2")
    await house.dispatcher.run_once()
    assert sorted(catcher.recipients()) == ["d1@doctors.example", "d2@doctors.example"]
    assert house.kinds("odd") == [Kind.RETRY]


async def test_a_gathered_mail_keeps_to_what_it_spoke_of_at_first(house, catcher, clock):
    house.answer = lambda row: house.mail_of(row, items=("s1", "s2"))
    await house.put("lost")
    await house.dispatcher.run_once()
    house.answer = lambda row: house.mail_of(row, items=("s3",))
    clock.move(minutes=1)
    await house.dispatcher.run_once()
    first, second = (mail.as_bytes() for _, _, mail in catcher.mails)
    assert first == second


async def test_bad_mails_keep_no_good_one_waiting(mail_sessions, catcher, clock):
    house = House(mail_sessions, catcher, clock, lease=timedelta(seconds=1))
    await house.put(*(f"slow+{number}" for number in range(6)), *(f"broken{number}" for number in range(60)))
    house.answer = lambda row: 1 / 0 if row.ids["to"].startswith("broken") else house.mail_of(row)
    while await house.dispatcher.run_once():
        pass
    assert {kind for _, kind, _ in house.told} == {Kind.RETRY}
    clock.move(hours=1)
    await house.put("good")
    running = asyncio.create_task(house.dispatcher.run_once())
    await until(lambda: catcher.recipients() == ["good@doctors.example"])
    assert not running.done()
    await running
    await house.pool.close()


async def test_a_worker_past_half_its_lease_gives_the_mail_back(house, catcher, clock):
    def slowly(row):
        clock.move(seconds=31)
        return house.mail_of(row)

    house.answer = slowly
    await house.put("d1")
    await house.dispatcher.run_once()
    assert catcher.mails == []
    assert house.told == []
    house.answer = house.mail_of
    await house.dispatcher.run_once()
    assert catcher.recipients() == ["d1@doctors.example"]
    assert house.told == [("d1", Kind.ACCEPTED, "250")]


async def test_the_word_of_a_worker_whose_lease_ended_is_not_heard(house, catcher, clock):
    def overtaken(row):
        """Another worker claims the mail while this one composes; this one then tells of a failure."""
        house.answer = house.mail_of
        raise RuntimeError

    house.answer = overtaken
    await house.put("d1")
    other = House(house.sessions, catcher, lambda: NOW + LEASE)
    compose_first = house.compose

    async def and_then_sleep(rows):
        if house.answer is overtaken:
            await other.dispatcher.run_once()
        return await compose_first(rows)

    house.dispatcher._compose = and_then_sleep
    await house.dispatcher.run_once()
    assert house.told == []
    assert other.told == [("d1", Kind.ACCEPTED, "250")]
    assert await house.states() == {"d1": "accepted"}
    await other.pool.close()


async def test_a_mail_is_not_sent_again_because_its_end_could_not_be_told(house, catcher, clock):
    house.trouble = RuntimeError("the search could not be saved")
    await house.put("d1")
    await house.dispatcher.run_once()
    assert await house.states() == {"d1": "settling"}
    clock.move(minutes=2)
    await house.dispatcher.run_once()
    house.trouble = None
    clock.move(minutes=2)
    await house.dispatcher.run_once()
    assert house.told == [("d1", Kind.ACCEPTED, "250")]
    assert await house.states() == {"d1": "accepted"}
    assert len(catcher.mails) == 1


async def test_a_delay_that_could_not_be_told_is_a_delay_all_the_same(house, catcher, clock):
    house.trouble = RuntimeError()
    await house.put("later")
    await house.dispatcher.run_once()
    assert await house.states() == {"later": "queued"}
    house.trouble = None
    clock.move(minutes=2)
    await house.dispatcher.run_once()
    assert house.kinds("later") == [Kind.RETRY]


async def test_a_database_that_fails_in_the_middle_loses_no_mail(house, catcher, clock):
    async def nowhere(session, settled, *, at):
        raise OSError

    async def nowhere_either(session, row, outcome, *, again_at):
        raise OSError

    await house.put("d1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims, "settle", nowhere)
        patch.setattr(claims, "postpone_telling", nowhere_either)
        await house.dispatcher.run_once()
    clock.move(seconds=61)
    await house.dispatcher.run_once()
    assert house.told == [("d1", Kind.ACCEPTED, "250")]
    assert len(set(catcher.message_ids())) == 1


async def test_two_dispatchers_send_each_mail_once(house, catcher, mail_sessions, clock):
    other = House(mail_sessions, catcher, clock)
    await house.put(*(f"d{number}" for number in range(60)))
    for _ in range(6):
        await asyncio.gather(house.dispatcher.run_once(), other.dispatcher.run_once())
    assert len(catcher.mails) == len(set(catcher.message_ids())) == 60
    await other.pool.close()


async def test_the_loop_sends_what_it_is_woken_for_and_stops_when_told(house, catcher):
    stop = asyncio.Event()
    running = asyncio.create_task(house.dispatcher.run(stop))
    await house.put("d1")
    house.dispatcher.wake()
    await until(lambda: house.told)
    # Without a call too, since another process may have enqueued.
    await house.put("d2")
    await until(lambda: len(house.told) == 2)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert len(catcher.mails) == 2


async def test_on_stopping_what_was_not_sent_is_given_back(house, catcher):
    stop = asyncio.Event()

    async def stop_first(rows):
        stop.set()
        await until(lambda: house.dispatcher._stopping)
        return [house.mail_of(row) for row in rows]

    house.dispatcher._compose = stop_first
    await house.put("d1")
    await asyncio.wait_for(house.dispatcher.run(stop), 5)
    assert catcher.mails == []
    assert await house.states() == {"d1": "queued"}


async def test_the_loop_survives_a_database_that_is_away(house, catcher, monkeypatch):
    real, calls = claims.claim, []

    async def away(*args, **kwargs):
        calls.append(1)
        if len(calls) < 4:
            raise OSError("the database is away")
        return await real(*args, **kwargs)

    monkeypatch.setattr(claims, "claim", away)
    await house.put("d1")
    stop = asyncio.Event()
    running = asyncio.create_task(house.dispatcher.run(stop))
    await until(lambda: house.told)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert catcher.recipients() == ["d1@doctors.example"]


async def test_the_table_holds_no_address_no_token_and_no_text(house, catcher):
    def planted(row):
        made = house.mail_of(row)
        return Message(sender=made.sender, recipient="canary@doctors.example", raw=made.raw + b"canary\r\n")

    house.answer = planted
    await house.put("d1")
    await house.dispatcher.run_once()
    assert catcher.recipients() == ["canary@doctors.example"]
    async with house.sessions.begin() as session:
        rows = (await session.execute(select(*OutboxRow.__table__.columns))).all()
    assert "canary" not in repr(rows)
