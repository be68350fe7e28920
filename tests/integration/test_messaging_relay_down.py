"""A relay that is down, or a domain that must not be rushed: no mail pays for it with its attempts."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from messaging.claims import Kind
from messaging.letters import Obsolete
from messaging.outbox import OutboxRow
from messaging.retry import PATIENCE
from tests.integration.relay import Catcher, listening
from tests.integration.test_messaging_dispatcher import NOW, Clock, House, until


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def away(mail_sessions, clock):
    """A house whose relay does not listen yet; ``listening(house.catcher, port=…)`` brings it up."""
    async with listening(Catcher()) as catcher:
        pass
    house = House(mail_sessions, catcher, clock)
    house.catcher = catcher
    yield house
    await house.pool.close()


async def rows(house):
    async with house.sessions.begin() as session:
        return (await session.execute(select(OutboxRow))).scalars().all()


async def test_an_outage_uses_up_no_attempt_and_ends_at_once(away, clock):
    await away.put(*(f"d{number}" for number in range(40)))
    while clock.at < NOW + timedelta(hours=1):
        await away.dispatcher.run_once()
        clock.move(seconds=20)
    assert away.dispatcher.relay_down
    assert {row.attempts for row in await rows(away)} == {0}
    assert away.told == []
    async with listening(away.catcher, port=away.catcher.port):
        clock.move(seconds=7)
        for _ in range(2):
            await away.dispatcher.run_once()
        assert len(away.catcher.mails) == 40
    assert not away.dispatcher.relay_down
    assert {row.attempts for row in await rows(away)} == {1}


async def test_while_the_relay_is_down_nothing_is_claimed_between_two_probes(away, clock):
    await away.put("d1")
    while not away.dispatcher.relay_down:
        await away.dispatcher.run_once()
        clock.move(seconds=3)
    async with listening(away.catcher, port=away.catcher.port):
        assert await away.dispatcher.run_once() in (0, 1)
        clock.move(seconds=7)
        await away.dispatcher.run_once()
        assert away.catcher.recipients() == ["d1@doctors.example"]


async def test_a_relay_down_for_longer_than_a_mail_may_wait_is_told_as_a_death(away, clock):
    await away.put("d1")
    await away.dispatcher.run_once()
    clock.move(seconds=PATIENCE.total_seconds())
    await away.dispatcher.run_once()
    assert away.told == [("d1", Kind.DEAD, "connection")]


async def test_the_loop_finds_the_relay_by_itself(away, mail_sessions):
    class Quick(Clock):
        """Every look is two seconds later."""

        def __call__(self):
            self.move(seconds=2)
            return self.at

    house = House(mail_sessions, away.catcher, Quick(), lease=timedelta(hours=1))
    await house.put("d1", "d2", "d3", "d4")
    stop = asyncio.Event()
    running = asyncio.create_task(house.dispatcher.run(stop))
    await until(lambda: house.dispatcher.relay_down)
    async with listening(away.catcher, port=away.catcher.port):
        await until(lambda: len(house.told) == 4)
        stop.set()
        await asyncio.wait_for(running, 10)
        await house.pool.close()
    assert {kind for _, kind, _ in house.told} == {Kind.ACCEPTED}


async def test_a_domain_is_not_written_to_in_a_rush(mail_sessions, clock):
    async with listening(Catcher()) as catcher:
        house = House(mail_sessions, catcher, clock, pace=10)
        await house.put(*(f"d{number}" for number in range(14)))
        for _ in range(3):
            await house.dispatcher.run_once()
        assert len(catcher.mails) == 10
        for late in range(1, 5):
            clock.move(seconds=6)
            await house.dispatcher.run_once()
            assert len(catcher.mails) == 10 + late
        assert {row.attempts for row in await rows(house)} == {1}
        await house.pool.close()


async def test_a_thousand_mails_that_fail_for_good_leave_a_new_one_leaving_at_once(mail_sessions, clock):
    async with listening(Catcher()) as catcher:
        house = House(mail_sessions, catcher, clock)
        kinds = ("never", "later", "broken")
        await house.put(*(f"{kinds[number % 3]}+{number}" for number in range(1000)))
        house.answer = lambda row: 1 / 0 if row.ids["to"].startswith("broken") else house.mail_of(row)
        while await house.dispatcher.run_once():
            pass
        assert len(house.told) == 1000
        for _ in range(3):
            clock.move(hours=1)
            await house.put(f"good{_}")
            await house.dispatcher.run_once()
            assert catcher.recipients()[-1] == f"good{_}@doctors.example"
        await house.pool.close()


async def test_what_waits_long_for_the_relay_is_looked_at_again_all_of_it_at_once(
    mail_sessions, clock, monkeypatch
):
    async with listening(Catcher()) as catcher:
        house = House(mail_sessions, catcher, clock)
        real, looks = house.pool.send, []

        async def slowly(message, *, within):
            if len(catcher.mails) >= 5:
                house.answer = lambda row: Obsolete(reason="ended")
            clock.move(seconds=1)
            return await real(message, within=within)

        async def composed(rows):
            looks.append(len(rows))
            return await House.compose(house, rows)

        monkeypatch.setattr(house.pool, "send", slowly)
        monkeypatch.setattr(house.dispatcher, "_compose", composed)
        await house.put(*(f"d{number}" for number in range(20)))
        await house.dispatcher.run_once()
        assert len(catcher.mails) < 12
        assert [kind for _, kind, _ in house.told].count(Kind.DROPPED) == 20 - len(catcher.mails)
        # One look costs as much for many as for one, or nearly.
        assert looks[0] == 20
        assert 1 < len(looks) < 8
        assert looks == sorted(looks, reverse=True)
        await house.pool.close()


async def test_what_took_too_long_to_look_at_is_given_back_rather_than_sent_late(
    mail_sessions, clock, monkeypatch
):
    async with listening(Catcher()) as catcher:
        house = House(mail_sessions, catcher, clock)
        real, looks = house.pool.send, []

        async def slowly(message, *, within):
            clock.move(seconds=3)
            return await real(message, within=within)

        async def composed(rows):
            looks.append(len(rows))
            clock.move(seconds=0 if len(looks) == 1 else 40)
            return await House.compose(house, rows)

        monkeypatch.setattr(house.pool, "send", slowly)
        monkeypatch.setattr(house.dispatcher, "_compose", composed)
        await house.put(*(f"d{number}" for number in range(12)))
        await house.dispatcher.run_once()
        # When the second look was over the lease could be, too, for all that had not begun.
        assert len(catcher.mails) == 1
        assert sorted((await house.states()).values()) == ["accepted"] + ["queued"] * 11
        assert len(looks) == 2
        await house.pool.close()
