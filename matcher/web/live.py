"""``/direct``: tells the open pages of the office that something changed in their territory."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from aiohttp import web

from matcher.service.actors import OFFICE
from matcher.web.keys import actor_of, house_of
from matcher.web.route import Route

#: A line now and then, so that no proxy takes the silence for an end. Seconds.
BREATH: Final = 20.0
#: Then the browser comes again, and has to be logged in still. Seconds.
LIFE: Final = 600.0

#: Set once the service ends, so that no page keeps it up.
ENDING: Final = web.AppKey("ending", set[asyncio.Task[None]])

_HEADERS: Final = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}


async def direct(request: web.Request) -> web.StreamResponse:
    """Server-sent events with a mark alone: a page of another mark is worth reading again."""
    house, territory = house_of(request), actor_of(request).territory
    answer = web.StreamResponse(headers=_HEADERS)
    # Closed already, before its first line: there is nobody to tell.
    with contextlib.suppress(ConnectionResetError), house.bell.watching(territory) as changed:
        await answer.prepare(request)
        telling = asyncio.create_task(_tell(answer, changed, lambda: house.bell.mark(territory)))
        request.app[ENDING].add(telling)
        try:
            await asyncio.wait({telling}, timeout=LIFE)
        finally:
            request.app[ENDING].discard(telling)
            telling.cancel()
    return answer


async def _tell(answer: web.StreamResponse, changed: asyncio.Event, mark: Callable[[], str]) -> None:
    try:
        await answer.write(b"retry: 2000\n\n")
        # At once for the first time: something may have changed since the page was read.
        changed.set()
        while True:
            try:
                async with asyncio.timeout(BREATH):
                    await changed.wait()
            except TimeoutError:
                await answer.write(b":\n\n")
                continue
            changed.clear()
            await answer.write(f"data: {mark()}\n\n".encode())
    except ConnectionResetError:
        # The page was closed.
        return


async def end(app: web.Application) -> None:
    """A signal of aiohttp: the service ends, and so do its streams."""
    for telling in app[ENDING]:
        telling.cancel()


def install(app: web.Application) -> None:
    """Give ``app`` what the streams need."""
    app[ENDING] = set()
    app.on_shutdown.append(end)


ROUTES: Final = (Route("GET", "/direct", direct, allowed=OFFICE),)
