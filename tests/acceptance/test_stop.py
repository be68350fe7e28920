"""A process that is asked to end is gone within ten seconds, whatever hangs, and loses nothing by it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select

from matcher import app
from matcher.service import people
from matcher.service.actors import Role
from matcher.service.house import House
from messaging.outbox import OutboxRow
from tests.acceptance.house import HERE, request
from tests.acceptance.processes import SlowRelay, ask, installed, site, until
from tests.faults.process import Part

#: From SIGTERM to the end of the process, and a little for a machine with other things to do.
WITHIN = 10 + 5


class HangingRelay(SlowRelay):
    """Takes a few mails, then says no more until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    async def handle_DATA(self, *asked: Any) -> str:
        """Take one mail; from the fourth on, without a word."""
        if len(self.messages()) >= 3:
            await self.go_on.wait()
        return await super().handle_DATA(*asked)


async def ended(part: Part) -> int | None:
    """Ask the process to end, and see that it does in time; its exit status."""
    await part.end()
    assert part.slowest_end <= WITHIN
    return part.ended[-1]


@asynccontextmanager
async def stalled(port: int, key: str) -> AsyncIterator[None]:
    """A client that sends the beginning of a request, and no more."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /api/v1/searches HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\nAuthorization: Bearer {key}"
    writer.write(f"{head}\r\n\r\n{{".encode())
    await writer.drain()
    try:
        yield
    finally:
        writer.close()


@asynccontextmanager
async def streaming(house: House, address: str) -> AsyncIterator[None]:
    """A page of the office that is open, and listens."""
    email, password = "page@cpts.example", "une phrase assez longue"
    await people.add_user(house, HERE, email, Role.COORDINATRICE, name="Essai")
    await people.set_password(house, HERE, email, password)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as page:
        async with page.post(f"{address}/connexion", data={"email": email, "password": password}) as reply:
            assert reply.status == 200
        async with page.get(f"{address}/direct") as stream:
            assert stream.content_type == "text/event-stream"
            await stream.content.readline()
            yield


@pytest.mark.slow
@pytest.mark.postgres
async def test_a_process_asked_to_end_is_gone_in_time_whatever_hangs(
    fresh_postgresql: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> None:
    """Two at once, since both take their time: one whose relay, page and client hang, and one whose database
    does.
    """
    for name in ("hanging", "held"):
        (tmp_path / name).mkdir()
    with fresh_postgresql() as one, fresh_postgresql() as other:
        async with asyncio.TaskGroup() as both:
            both.create_task(_in_mid_wave(one, tmp_path / "hanging"))
            both.create_task(_with_its_rows_held(other, tmp_path / "held"))


async def _in_mid_wave(database_url: str, folder: Path) -> None:
    relay = HangingRelay()
    async with relay.listening() as smtp:
        place = site(folder, database_url, smtp)
        key = await installed(place)
        async with app.open_house(place.settings, now=place.clock) as house:
            async with place.serving("serve") as (serve, address):
                searches = f"{address}/api/v1/searches"
                made = await ask(searches, key, request(wishes=[]))
                search = made["id"]
                await ask(f"{searches}/{search}/validate", key, {})
                wave = (await ask(f"{searches}/{search}/launch", key, {}))["solicitations"]
                await until(lambda: len(relay.messages()) >= 3)
                async with stalled(int(address.rpartition(":")[2]), key), streaming(house, address):
                    assert await ended(serve) == 0
            async with house.sessions.begin() as session:
                left = (await session.execute(select(OutboxRow.state, OutboxRow.letter))).all()
            # What hung may have left; the rest was given back, and nobody has to wait for a lease.
            assert {state for state, _ in left} <= {"accepted", "ambiguous", "queued"}
            relay.go_on.set()
            # The pause of what may have left is over.
            place.clock.shift(timedelta(minutes=1))
            async with place.working("worker") as worker:
                await until(lambda: len(relay.announcements()) >= len(wave))
                assert await ended(worker) == 0
    assert all(len(ids) == 1 for ids in relay.announcements().values())


async def _with_its_rows_held(database_url: str, folder: Path) -> None:
    """Whoever holds the rows does not let go: the mails of the worker's claims cannot be settled."""
    place = site(folder, database_url)
    await installed(place)
    async with (
        app.open_house(place.settings, now=place.clock) as house,
        house.engine.connect() as holder,
        place.working("worker") as worker,
    ):
        await holder.exec_driver_sql("LOCK TABLE outbox, timers IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(1)
        await ended(worker)
        assert "ended_in_haste" in worker.written()
