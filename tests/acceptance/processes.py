"""Services in processes of their own, for tests that kill, end or part them; and a relay that takes long."""

import asyncio
import json
import urllib.request
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.settings import Settings, load_settings
from matcher import app
from matcher.demo.catcher import Catcher
from matcher.service import house, installation, people
from matcher.service.actors import Role
from tests import protocols_delays
from tests.acceptance.api_world import HERE
from tests.faults import process
from tests.faults.clock import FastClock, started
from tests.faults.process import Part


class SlowRelay(Catcher):
    """Keeps a mail, waits, and only then says so: a kill finds some taken and not acknowledged."""

    #: Seconds that it takes over one mail.
    slowly = 0.1

    async def handle_DATA(self, *asked: Any) -> str:
        """Keep one mail, slowly."""
        said = await super().handle_DATA(*asked)
        await asyncio.sleep(self.slowly)
        return said

    def announcements(self) -> dict[str, set[str]]:
        """Whom an announcement reached, under which Message-IDs."""
        found: dict[str, set[str]] = defaultdict(set)
        for mail, raw in zip(self.messages(), self.raw(), strict=True):
            head = raw.partition(b"\r\n\r\n")[0]
            ids = [line for line in head.split(b"\r\n") if line.lower().startswith(b"message-id:")]
            found[mail.to].add(ids[0].decode())
        return found


@dataclass(frozen=True)
class Site:
    """Where an installation is: its database, keys and relay. Each process is started on it by name."""

    folder: Path
    environment: Mapping[str, str]
    #: The same for all processes; it goes at the wall's pace, and moves on when the test says so.
    clock: FastClock

    @property
    def settings(self) -> Settings:
        """As a process of it reads them."""
        return load_settings(self.environment)

    @asynccontextmanager
    async def serving(
        self, name: str, does: house.Part = house.Part.ALL, **more: str
    ) -> AsyncIterator[tuple[Part, str]]:
        """A ``serve``, with ``more`` settings, and its address; killed at the end."""
        async with self._running(
            Part(name, 0, {**self.environment, **more}, self.folder, self.clock, does)
        ) as at:
            yield at

    @asynccontextmanager
    async def working(self, name: str) -> AsyncIterator[Part]:
        """A ``worker``; killed at the end."""
        async with self._running(Part(name, None, dict(self.environment), self.folder, self.clock)) as (
            part,
            _,
        ):
            yield part

    @asynccontextmanager
    async def _running(self, part: Part) -> AsyncIterator[tuple[Part, str]]:
        part.start()
        try:
            yield part, await part.up()
        finally:
            await part.kill()


def site(folder: Path, database_url: str, relay: int = 1, **more: str) -> Site:
    """A place for an installation with PROTOCOL.md's delays; nobody listens where no ``relay`` is named."""
    process.prepare()
    environment = {
        "TRAIT_UNION_DATABASE_URL": database_url,
        "TRAIT_UNION_SMTP_URL": f"smtp://127.0.0.1:{relay}",
        "TRAIT_UNION_KEYS_DIR": str(folder / "keys"),
        "TRAIT_UNION_TERRITORIES": str(protocols_delays.territories(folder)),
    }
    return Site(folder, environment | more, started(1.0, folder))


async def installed(place: Site) -> str:
    """Keys and a territory, on a migrated database; the office's key of the API."""
    async with app.open_house(place.settings, now=place.clock) as empty:
        await installation.init(empty, place.settings.territories / HERE)
    async with app.open_house(place.settings, now=place.clock) as made:
        return await people.add_key(made, HERE, "bureau", Role.COORDINATRICE)


async def until(condition: Callable[[], bool], within: float = 120) -> None:
    """Wait for what happens in another process."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - nothing here can be told by the other process
            await asyncio.sleep(0.01)


async def ask(address: str, key: str, body: object = None) -> Any:
    """One request, a POST where it has a body; the JSON that came back."""
    return json.loads(await fetched(address, key, body))


async def fetched(address: str, key: str, body: object = None) -> bytes:
    """One request, a POST where it has a body; what came back."""

    def send() -> bytes:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(
            urllib.request.Request(address, data=sent, headers=headers), timeout=30
        ) as reply:
            content: bytes = reply.read()
            return content

    return await asyncio.to_thread(send)
