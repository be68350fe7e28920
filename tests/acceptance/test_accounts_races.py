"""Many who come in at once, on both databases: nobody slips through between two looks."""

import asyncio

from matcher.service import factors, logins
from matcher.service.errors import TooMany
from tests.acceptance.api_world import World
from tests.acceptance.browsing import EMAIL, PASSWORD, Browser, add_app, person


async def test_of_many_guesses_at_once_no_more_are_looked_at_than_one_by_one(world: World) -> None:
    await person(world)

    async def guess(number: int) -> int:
        form = {"email": EMAIL, "password": f"essai {number}"}
        async with world.client.post("/connexion", data=form, allow_redirects=False) as reply:
            return reply.status

    statuses = await asyncio.gather(*(guess(number) for number in range(25)))
    assert sorted(statuses) == [401] * 10 + [429] * 15
    # Who asks while it has to wait does not wait longer.
    await world.later(minutes=16)
    assert await Browser(world).login() == "/bureau"


async def test_one_code_that_comes_many_times_at_once_opens_once(world: World) -> None:
    await person(world)
    browser = Browser(world)
    await browser.login()
    app, codes = await add_app(browser)
    (actor,) = await logins.login(world.house, EMAIL, PASSWORD)
    await world.later(seconds=60)

    async def show(code: str) -> str | None:
        try:
            return await factors.check_code(world.house, actor, code, "192.0.2.1")
        except TooMany:
            return None

    for code, kind in ((app.at(world.clock.at), "totp"), (codes[0], "recovery")):
        seen = await asyncio.gather(*(show(code) for _ in range(4)))
        assert sorted(seen, key=str) == [None, None, None, kind]
