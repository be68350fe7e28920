"""Each due step is given to one claimant, in order, and never lost."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from matcher.protocol.search import State, TimerKind
from matcher.storage import pulse, searches, territories, timers
from tests.integration.storage_world import DOCTORS, HERE, NOW, THERE, add, asking, due, settle_in

LEASE = timedelta(seconds=60)


@pytest.fixture
async def world(sessions):
    await settle_in(sessions)
    return sessions


async def claim(world, now=NOW, limit=50):
    async with world.begin() as session:
        return await timers.claim_due(session, now, LEASE, limit)


async def insert(world, *made):
    async with world.begin() as session:
        for search in made:
            await add(session, search)


async def test_only_what_is_due_is_claimed_the_longest_due_first(world):
    late, later, not_yet = due(-1, TimerKind.REMINDER), due(-5, TimerKind.NEXT_WAVE), due(1, TimerKind.CALLS)
    search = asking(timers=(late, later, not_yet))
    await insert(world, search)
    assert [one.timer for one in await claim(world)] == [later, late]


async def test_a_step_that_is_due_this_very_instant_is_due(world):
    await insert(world, asking(timers=(due(0),)))
    assert len(await claim(world)) == 1


async def test_two_claimants_never_get_the_same_step(world):
    await insert(world, *(asking(timers=(due(-n),)) for n in range(40)))
    rounds = [await asyncio.gather(*(claim(world, limit=5) for _ in range(4))) for _ in range(6)]
    taken = [one.search for batches in rounds for batch in batches for one in batch]
    assert len(taken) == len(set(taken)) == 40
    assert await claim(world) == []


async def test_a_step_whose_claimant_died_comes_back_once_the_lease_is_over(world):
    await insert(world, asking(timers=(due(0),)))
    (first,) = await claim(world)
    assert await claim(world, NOW + LEASE - timedelta(seconds=1)) == []
    (second,) = await claim(world, NOW + LEASE)
    assert second.fence > first.fence
    async with world.begin() as session:
        assert not await timers.holds(session, first)
        assert await timers.holds(session, second)


async def test_a_claimant_that_slept_past_its_lease_does_nothing_and_the_step_is_done_once(world):
    search = asking(timers=(due(0),))
    await insert(world, search)
    (sleeper,) = await claim(world)
    (other,) = await claim(world, NOW + LEASE)
    done = []

    async def carry_out(one):
        async with world.begin() as session:
            held = (await searches.lock(session, one.territory, one.search)).search
            if await timers.holds(session, one):
                await searches.save(session, held, replace(held, timers=()))
                done.append(one.fence)

    await asyncio.gather(carry_out(other), carry_out(sleeper), carry_out(other))
    assert done == [other.fence]
    assert await claim(world, NOW + timedelta(days=1)) == []


async def test_a_step_that_was_put_off_is_no_longer_the_claimants(world):
    search = asking(timers=(due(0),))
    await insert(world, search)
    (early,) = await claim(world)
    async with world.begin() as session:
        await searches.save(session, search, replace(search, timers=(due(10),)))
        assert not await timers.holds(session, early)
    # And nobody waits for the lease of the former claim.
    (again,) = await claim(world, NOW + timedelta(minutes=10))
    assert again.timer == due(10)


async def test_a_claim_is_kept_when_the_search_is_saved_for_another_reason(world):
    search = asking(timers=(due(0), due(5, TimerKind.CALLS)))
    await insert(world, search)
    (one,) = await claim(world)
    async with world.begin() as session:
        await searches.save(session, search, replace(search, urgent=True, timers=(due(0),)))
        assert await timers.holds(session, one)


async def test_timers_of_one_kind_are_told_apart_by_their_doctor(world):
    await insert(world, asking(timers=tuple(due(0, TimerKind.SETTLE, doctor) for doctor in DOCTORS)))
    assert {one.timer.doctor for one in await claim(world)} == set(DOCTORS)


async def test_a_territory_with_a_thousand_steps_does_not_hold_up_another(world):
    await insert(
        world, *(asking(timers=(due(-60),)) for _ in range(30)), asking(territory=THERE, timers=(due(0),))
    )
    first = await claim(world, limit=10)
    assert THERE in {one.territory for one in first}
    assert len(first) == 6


async def test_a_stopped_territory_rests_until_its_office_resumes(world):
    await insert(world, asking(timers=(due(-1),)), asking(territory=THERE, timers=(due(-1),)))
    async with world.begin() as session:
        await territories.stop(session, HERE, NOW)
        assert await territories.stopped(session) == {HERE}
        assert await timers.next_due_at(session) == due(-1).at
    assert [one.territory for one in await claim(world)] == [THERE]
    async with world.begin() as session:
        assert await timers.next_due_at(session) is None
        await territories.stop(session, HERE, None)
    assert [one.territory for one in await claim(world)] == [HERE]


async def test_the_next_hour_is_that_of_the_first_step_over_all_territories(world):
    async with world.begin() as session:
        assert await timers.next_due_at(session) is None
    await insert(
        world, asking(timers=(due(9), due(7, TimerKind.CALLS))), asking(territory=THERE, timers=(due(8),))
    )
    async with world.begin() as session:
        assert await timers.next_due_at(session) == due(7).at


async def test_the_pulse_tells_the_oldest_due_step_and_counts_searches(world):
    await insert(world, asking(timers=(due(-3),)), asking(timers=(due(3),)), asking(territory=THERE))
    async with world.begin() as session:
        seen = await pulse.pulse(session, NOW)
    assert seen.oldest_due == due(-3).at
    assert seen.searches == {(HERE, State.ASKING): 2, (THERE, State.ASKING): 1}


async def test_a_step_that_is_given_back_is_free_at_once_unless_somebody_else_has_it(world):
    await insert(world, asking(timers=(due(0),)), asking(timers=(due(0),)))
    claimed = await claim(world)
    async with world.begin() as session:
        await timers.give_back(session, claimed[:1])
    (again,) = await claim(world)
    assert again.search == claimed[0].search
    async with world.begin() as session:
        # Too late: the claim that counts is another.
        await timers.give_back(session, claimed[:1])
    assert await claim(world) == []
