"""What the pages cost at full load: 2,000 open searches, 500 doctors. The server's time for each, as a ratio
to a page that reads nothing (/aide behind the same login), and the bytes of each with its style and scripts.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from statistics import median
from typing import Self
from urllib.parse import urlsplit

import pytest

from matcher.service import people
from matcher.service.actors import Role
from matcher.storage import people as stored
from tests.acceptance.api_world import HERE, World, make_world
from tests.bench import crowd
from tests.bench.figures import NAMES, quote

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]

OPEN, DOCTORS = 2_000, 500
ROUNDS = 15
#: A page that needs the session and nothing else.
EMPTY = "/aide"
MOST_TIMES, MOST_BYTES = 5, 100_000
PASSWORD = "une phrase assez longue"
PAGES = {
    Role.COORDINATRICE: ("/bureau", "/recherches", "/recherches/{id}", "/appels", "/medecins"),
    Role.REQUESTER: ("/mes-demandes",),
    Role.DIRECTRICE: ("/journal", "/rapport"),
}


@pytest.fixture
async def crowded(database_url: str, tmp_path) -> AsyncIterator[World]:
    """The territory at full load."""
    async with make_world(database_url, tmp_path) as world:
        async with world.house.sessions.begin() as session:
            structure = await stored.structure_by_name(session, HERE, "Structure requester ")
        assert structure is not None
        started = time.perf_counter()
        await crowd.fill(world.house, open_searches=OPEN, doctors_=DOCTORS, structure=structure)
        print(f"\nfilled in {time.perf_counter() - started:.0f} s")
        yield world


class Browser:
    """A kept connection of somebody who is logged in: as little of our own time as can be."""

    def __init__(self, world: World, cookie: str) -> None:
        self._address, self._cookie = urlsplit(str(world.client.make_url("/"))), cookie

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def get(self, path: str) -> tuple[float, bytes]:
        """The seconds until the last byte of a page, and the page."""
        asked = f"GET {path} HTTP/1.1\r\nHost: {self._address.netloc}\r\nCookie: {self._cookie}\r\n\r\n"
        started = time.perf_counter()
        self._writer.write(asked.encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length is not None
        body = await self._reader.readexactly(int(length[1]))
        spent = time.perf_counter() - started
        assert head.startswith(b"HTTP/1.1 200"), (path, head, body[:2000])
        return spent, body


async def _login(world: World, role: Role) -> str:
    """The cookie of a person of that role."""
    email = f"{role}-page@cpts.example"
    structure = "Structure requester " if role is Role.REQUESTER else None
    await people.add_user(world.house, HERE, email, role, name="Essai", structure=structure)
    await people.set_password(world.house, HERE, email, PASSWORD)
    world.client.session.cookie_jar.clear()
    form = {"email": email, "password": PASSWORD}
    reply = await world.client.post("/connexion", data=form, allow_redirects=False)
    assert reply.status == 303
    return f"session={reply.cookies['session'].value}"


async def _weight(browser: Browser, page: bytes) -> int:
    """Bytes of a page with everything that it loads, as it goes over the line without compression."""
    assets = set(re.findall(rb'(?:src|href)="(/static/[^"]+)"', page))
    return len(page) + sum([len((await browser.get(one.decode()))[1]) for one in sorted(assets)])


async def test_every_page_stays_light_and_near_an_empty_one(crowded: World) -> None:
    kind = crowded.house.engine.dialect.name
    found: dict[str, tuple[float, float, int]] = {}
    for role, paths in PAGES.items():
        async with Browser(crowded, await _login(crowded, role)) as browser:
            pages = [path.format(id="search00345") for path in paths]
            firsts = {page: (await browser.get(page)) for page in (EMPTY, *pages)}
            took: dict[str, list[float]] = {page: [] for page in (EMPTY, *pages)}
            for _ in range(ROUNDS):
                for page, seconds in took.items():
                    seconds.append((await browser.get(page))[0])
            empty = median(took[EMPTY])
            for path, page in zip(paths, pages, strict=True):
                weight = await _weight(browser, firsts[page][1])
                found[path] = (median(took[page]) / empty, firsts[page][0] / empty, weight)
            help_ = await _weight(browser, firsts[EMPTY][1])
            found[f"{EMPTY} {role}"] = (1.0, firsts[EMPTY][0] / empty, help_)
            print(f"\n{kind}: {EMPTY} as {role}: {empty * 1000:.1f} ms", end="")
    for path, (ratio, first, weight) in found.items():
        print(
            f"\n{kind}: {path:24} {ratio:6.1f} × {EMPTY}, first {first:6.1f}, {weight / 1000:6.1f} kB", end=""
        )
    slowest = max(found, key=lambda path: found[path][0])
    heaviest = max(found, key=lambda path: found[path][2])
    quote(
        f"slowest page on {NAMES[kind]}, {OPEN:,} open searches and {DOCTORS} doctors",
        f"{found[slowest][0]:.1f} times {EMPTY} ({slowest})",
        f"{MOST_TIMES} at most",
    )
    quote(
        f"heaviest page on {NAMES[kind]}, with style and scripts",
        f"{found[heaviest][2] / 1000:.0f} kB ({heaviest.partition(' ')[0]})",
        f"{MOST_BYTES / 1000:.0f} kB at most",
    )
    assert {path: told for path, told in found.items() if told[0] > MOST_TIMES or told[2] > MOST_BYTES} == {}
