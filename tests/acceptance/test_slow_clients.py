"""Clients that are slow, lie about lengths, or stay without a word: they get an answer or the door.

Real sockets, on the runner that ``serve`` uses. Limits are shortened, nothing waits for long ones.
"""

import asyncio
import gzip
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from tempfile import SpooledTemporaryFile
from typing import Any

import pytest
from aiohttp import ClientSession, FormData, web

from matcher import app
from matcher.service.actors import Role
from matcher.web import guards
from matcher.web.limits import LARGEST_ANONYMOUS_BODY, LARGEST_BODY, ROOM, ROOM_OF_EACH, Room
from tests.acceptance.api_world import World, request
from tests.acceptance.house import House

MB = 1024 * 1024
#: No wait of these tests is longer, however loaded the machine.
LIMIT = 60


@asynccontextmanager
async def served(world: World, idle: float) -> AsyncIterator[int]:
    """The port of a runner of ``serve`` that closes what says nothing for so long."""
    runner = app.make_runner(world.house, idle)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def sent(port: int, *parts: bytes) -> bytes:
    """What comes back until the server closes, for bytes written one part after another."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(LIMIT):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


async def answers(port: int) -> bool:
    async with ClientSession() as http, http.get(f"http://127.0.0.1:{port}/healthz") as reply:
        return reply.status == 200


def post(world: World, *headers: str) -> bytes:
    key = world.keys["requester"]
    lines = ["POST /api/v1/searches HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", *headers]
    return "\r\n".join([*lines, "Content-Type: application/json", "", ""]).encode()


async def test_a_connection_that_says_nothing_or_never_ends_its_head_is_closed(small_world: World) -> None:
    async with served(small_world, idle=0.3) as port:
        assert await sent(port) == b""
        # A head that grows and never ends; after it was closed the rest falls into the void.
        assert await sent(port, b"GET /healthz HTTP/1.1\r\n", b"X-Slow: 1\r\n") == b""
        # One that was answered, and then stays.
        first = await sent(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert first.startswith(b"HTTP/1.1 200")


async def test_three_hundred_idle_connections_keep_nobody_out(small_world: World) -> None:
    async with served(small_world, idle=LIMIT) as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(300)]
        for _, writer in idle[::2]:
            writer.write(b"POST /api/v1/searches HTTP/1.1\r\nHost: x\r\nX-Half: ")
        assert await answers(port)
        for _, writer in idle:
            writer.close()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X-Many: a\r\n" * 5_000 + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    ],
    ids=[
        "long header",
        "many headers",
        "long address",
        "negative length",
        "two framings",
        "two lengths",
        "tls",
    ],
)
async def test_an_odd_head_gets_a_400_and_the_door(small_world: World, head: bytes) -> None:
    async with served(small_world, idle=1) as port:
        said = await sent(port, head)
        assert said[:12] in (b"HTTP/1.1 400", b"HTTP/1.0 400", b"")
        assert b"Traceback" not in said
        assert await answers(port)


async def test_a_body_longer_than_announced_is_no_request_and_stands_in_no_log(
    small_world: World, logs: io.StringIO
) -> None:
    async with served(small_world, idle=1) as port:
        said = await sent(port, post(small_world, "Content-Length: 2") + b"{}birth_name=Zinzolin\r\n\r\n")
        assert said.startswith(b"HTTP/1.0 400")
        assert b"aiohttp" not in said
        assert await answers(port)
    assert '"exception"' in logs.getvalue()
    assert "Zinzolin" not in logs.getvalue()


def small_world_patience(world: World) -> None:
    world.client.app[guards.WITHIN].seconds = 0.3


async def test_bytes_that_come_one_by_one_are_given_up_in_time(small_world: World) -> None:
    small_world_patience(small_world)
    port = small_world.client.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(post(small_world, "Content-Length: 1000000"))
    answer = asyncio.create_task(reader.readline())
    async with asyncio.timeout(LIMIT):
        while not answer.done():
            writer.write(b"{")
            await asyncio.wait({answer}, timeout=0.05)
    assert answer.result().startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_body_that_grows_when_unpacked_is_bounded_all_the_same(small_world: World) -> None:
    bomb = gzip.compress(b" " * 40 * MB)
    key = {"Authorization": f"Bearer {small_world.keys['requester']}"}
    headers = key | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    reply = await small_world.client.post("/api/v1/searches", data=io.BytesIO(bomb), headers=headers)
    assert reply.status == 413
    async with served(small_world, idle=1) as port:
        odd = post(small_world, "Content-Encoding: deflate", "Content-Length: 20") + b"\xff" * 20
        assert (await sent(port, odd))[:12] in (b"HTTP/1.1 400", b"")
        assert await answers(port)


def test_large_bodies_share_a_room_and_none_takes_it_all() -> None:
    room = Room()
    with room.holding("a", LARGEST_BODY) as one, room.holding("a", LARGEST_BODY) as two:
        with room.holding("a", LARGEST_BODY) as three, room.holding("a", LARGEST_BODY) as four:
            assert (one, two, three, four) == (True, True, True, False)
        with room.holding("a", LARGEST_ANONYMOUS_BODY) as small, room.holding("b", LARGEST_BODY) as other:
            assert small
            assert other
    assert not room._held
    assert 2 * ROOM_OF_EACH < ROOM


async def test_what_large_bodies_take_together_is_bounded_and_small_ones_always_pass(
    small_world: World,
) -> None:
    world = small_world
    world.client.app[guards.HELD].total = 2 * MB
    blocks = []
    for _ in range(2):
        reader, writer = await asyncio.open_connection("127.0.0.1", world.client.port)
        writer.write(post(world, f"Content-Length: {MB}") + b"{")
        blocks.append((reader, writer))
    filled = world.client.app[guards.HELD]
    await until(lambda: filled._held.total() == 2 * MB)
    big = request()
    big["record"]["difficulty"] = "a" * (LARGEST_ANONYMOUS_BODY + 1)
    reply = await world.call("requester2", "POST", "/searches", big)
    assert (reply.status, reply.json["code"], reply.headers["Retry-After"]) == (503, "full", "2")
    await world.submitted("requester2")
    for _, writer in blocks:
        writer.close()
    await until(lambda: not filled._held)


async def test_strangers_take_no_room_from_those_who_are_known(small_world: World) -> None:
    world = small_world
    strangers = world.client.app[guards.STRANGERS]
    head = b"POST /demande HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 8000000\r\n"
    head += b"Content-Type: application/x-www-form-urlencoded\r\n\r\na="
    _, writer = await asyncio.open_connection("127.0.0.1", world.client.port)
    writer.write(head)
    await until(lambda: bool(strangers._held))
    assert not world.client.app[guards.HELD]._held
    writer.close()


async def test_an_upload_never_touches_the_disk(small_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house = small_house
    touched: list[Any] = []
    monkeypatch.setattr(SpooledTemporaryFile, "rollover", touched.append)
    await house.login(Role.REQUESTER)
    page = await (await house.client.get("/demande?etape=tout")).text()
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    form = FormData({"csrf": csrf, "etape": "accord", "do": "draft", "key": "une-cle"})
    form.add_field("file", io.BytesIO(b"%PDF-1.4 " + b"fictif " * (3 * MB // 7)), filename="scan.pdf")
    reply = await house.client.post("/demande", data=form, allow_redirects=False)
    assert reply.status in (303, 400), await reply.text()
    assert not touched
