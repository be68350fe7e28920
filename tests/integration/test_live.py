"""A ring is heard by those who watch the territory, in this process and in the others, by nobody else."""

import asyncio
import contextlib

import pytest

from config.database import make_engine
from matcher.service import live
from matcher.service.live import Bell


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


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
