"""A ring is heard by those who watch the territory, in this process and in the others, by nobody else."""

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy.engine import make_url

from config.database import make_engine
from matcher.service import live
from matcher.service.live import Bell
from matcher.storage import notices


async def _never(event: asyncio.Event) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(event.wait(), 0.3)


async def test_a_ring_wakes_its_own_territory_alone() -> None:
    bell = Bell()
    dispatcher = bell.listen()
    with bell.watching("ici") as here, bell.watching("ailleurs") as elsewhere:
        bell.ring("ici")
        assert here.is_set()
        assert dispatcher.is_set()
        assert not elsewhere.is_set()


async def test_a_mark_changes_with_its_own_territory_alone_and_is_never_that_of_another_process() -> None:
    bell = Bell()
    before, elsewhere = bell.mark("ici"), bell.mark("ailleurs")
    bell.ring("ici")
    assert bell.mark("ici") != before
    assert bell.mark("ailleurs") == elsewhere
    assert Bell().mark("ici") != Bell().mark("ici")


async def test_a_page_that_was_closed_is_forgotten() -> None:
    bell = Bell()
    with bell.watching("ici") as closed:
        pass
    bell.ring("ici")
    assert not closed.is_set()


async def test_nobody_is_told_on_sqlite_where_there_is_one_process(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    await asyncio.wait_for(live.relay(Bell(), engine), 1)
    await engine.dispose()


@pytest.mark.postgres
async def test_a_ring_in_one_replica_is_heard_in_the_other(postgresql_url: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        bells = []
        for _ in range(2):
            engine, bell = make_engine(postgresql_url), Bell()
            stack.push_async_callback(engine.dispose)
            relaying = asyncio.create_task(live.relay(bell, engine))
            stack.push_async_callback(_ended, relaying)
            bells.append(bell)
        one, other = bells
        with other.watching("ici") as heard, other.watching("ailleurs") as elsewhere:
            # Listening takes a moment to begin.
            for _ in range(50):
                one.ring("ici")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(heard.wait(), 0.2)
                    break
            assert heard.is_set()
            await _never(elsewhere)
            heard.clear()
            one.ring("ici")
            await asyncio.wait_for(heard.wait(), 2)


@pytest.mark.postgres
async def test_a_connection_that_says_nothing_any_more_is_left_and_what_was_missed_is_made_up_for(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "SILENCE", 0.5)
    monkeypatch.setattr(live, "AGAIN_SECONDS", 0.05)
    url = make_url(postgresql_url)
    server = Path(str(url.query["host"])) / ".s.PGSQL.5432"
    through = url.update_query_dict({"host": str(tmp_path)}).render_as_string(hide_password=False)
    async with contextlib.AsyncExitStack() as stack:
        network = await stack.enter_async_context(_Network.between(tmp_path, server))
        engine, bell = make_engine(through), Bell()
        stack.push_async_callback(engine.dispose)
        relaying = asyncio.create_task(live.relay(bell, engine))
        stack.push_async_callback(_ended, relaying)
        with bell.watching("ici") as heard:
            async with asyncio.timeout(30):
                await network.listened.wait()
                network.forget()
                await heard.wait()


class _Network:
    """Between PostgreSQL and whoever talks to it; forgets connections without a word to either."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._carrying: list[asyncio.Task[None]] = []
        self._open: list[StreamWriter] = []
        self._clients: list[StreamWriter] = []
        #: The server has said to somebody that it will tell.
        self.listened = asyncio.Event()

    @classmethod
    @contextlib.asynccontextmanager
    async def between(cls, folder: Path, server: Path) -> AsyncIterator[Self]:
        made = cls(server)
        async with await asyncio.start_unix_server(made._met, folder / server.name):
            try:
                yield made
            finally:
                made.forget()
                for writer in made._open:
                    writer.close()

    def forget(self) -> None:
        for task in self._carrying:
            task.cancel()

    async def _met(self, reader: StreamReader, writer: StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._server)
        self._open += [writer, back]
        self._clients.append(writer)
        self._carrying += [
            asyncio.create_task(self._carry(source, target))
            for source, target in ((reader, back), (there, writer))
        ]

    async def _carry(self, source: StreamReader, target: StreamWriter) -> None:
        while data := await source.read(1 << 16):
            target.write(data)
            if target in self._clients and b"LISTEN" in data:
                self.listened.set()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
