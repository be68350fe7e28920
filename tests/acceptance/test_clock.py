"""The clock, asked to end in the middle of what is due."""

import asyncio

from matcher import clock
from tests.acceptance.house import House


async def test_asked_to_end_the_clock_stops_after_the_step_at_hand_and_gives_the_others_back(
    house: House, monkeypatch
) -> None:
    for _ in range(2):
        await house.launched()
    await house.work()
    house.clock.at = house.clock.at.replace(day=30)
    stop, really = asyncio.Event(), clock._do

    async def asked_to_end(*step):
        stop.set()
        return await really(*step)

    monkeypatch.setattr(clock, "_do", asked_to_end)
    assert await clock.tick(house.house, stop) == 1
    monkeypatch.setattr(clock, "_do", really)
    # At once: nobody waits for the lease of what was given back.
    assert await clock.tick(house.house) >= 1
