"""How often a caller may ask, over all replicas; and that nobody pays for another."""

import pytest

from config.settings import load_settings
from matcher import app
from matcher.web.limits import Meter
from matcher.web.pace import BETWEEN, DAILY, SHARED, WINDOW, Pace, volume


@pytest.fixture
async def house(database_url, tmp_path):
    settings = load_settings(
        {"TRAIT_UNION_DATABASE_URL": database_url, "TRAIT_UNION_KEYS_DIR": str(tmp_path / "keys")}
    )
    async with app.open_house(settings) as opened:
        opened.keyring.prepare(opened.now())
        yield opened


def replica(house, clock):
    """One more process: a bucket of its own that never refuses, and the common clock."""
    wide = Meter(sustained=1e9, burst=1e9, seconds=lambda: clock[0])
    return Pace(house, meter=wide, wall=lambda: clock[0])


async def taken(pace, caller, times):
    return sum([await pace.take(caller) for _ in range(times)])


async def test_replicas_count_one_caller_together_and_the_others_are_let_be(house):
    clock = [1_000_000.0]
    one, two = replica(house, clock), replica(house, clock)
    # What the contract promises: 20 a second, here over both replicas, for ten seconds.
    assert await taken(one, "urgences", 100) + await taken(two, "urgences", 100) == 200
    assert await taken(one, "flood", SHARED // 2) == SHARED // 2
    assert await taken(two, "flood", SHARED) < SHARED
    assert not await one.take("flood") or not await two.take("flood")
    assert await taken(two, "urgences", 20) == 20
    clock[0] += WINDOW
    assert await taken(one, "flood", BETWEEN) == BETWEEN


async def test_who_asks_seldom_costs_no_write(house):
    clock = [1_000_000.0]
    pace = replica(house, clock)
    await house.engine.dispose()

    async def refuse(*_):
        raise AssertionError("no look at the database is needed")

    pace._all._together = refuse
    for _ in range(5):
        assert await taken(pace, "urgences", BETWEEN - 1) == BETWEEN - 1
        clock[0] += WINDOW


async def test_what_one_caller_sends_in_a_day_is_counted_over_all_replicas_and_bounded(house):
    clock = [1_000_000.0]
    one, two = (volume(house, wall=lambda: clock[0]) for _ in range(2))
    largest = 8 * 1024
    taken = [await replica.take("stolen", largest) for _ in range(DAILY // largest) for replica in (one, two)]
    assert 0 <= sum(taken) - DAILY // largest <= 1
    assert not await one.take("stolen")
    assert await one.take("urgences", largest)
    clock[0] += one.seconds_left()
    assert await one.take("stolen", largest)
