"""Who is told that something happened: the mail dispatcher, the open pages, and the other processes.

Nothing is said of what happened but the territory: whoever is told reads again what they may see. So a
message lost on the way costs a page that is a little older, and never shows anybody too much.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from matcher.storage import notices
from matcher.storage.notices import NoticesLost

#: How long to wait before listening again, where the database went away.
AGAIN_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class Bell:
    """Rings after a commit that left something to do or to see, so that nobody polls in a hurry."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Event] = set()
        self._watchers: dict[str, set[asyncio.Event]] = {}
        #: The territories of which other processes have not been told yet.
        self._untold: set[str] = set()
        self._to_tell = asyncio.Event()
        #: This process among those of the installation.
        self.here = uuid4().hex
        self._heard: Counter[str] = Counter()

    def mark(self, territory: str) -> str:
        """How far this process has heard of the territory; another mark is another process or newer.

        A page that was read carries the mark of before, so that nothing that changed until somebody listens
        for it goes unheard.
        """
        return f"{self.here}-{self._heard[territory]}"

    def listen(self) -> asyncio.Event:
        """A new event that every ring sets; whoever waits on it clears it."""
        event = asyncio.Event()
        self._listeners.add(event)
        return event

    @contextlib.contextmanager
    def watching(self, territory: str) -> Iterator[asyncio.Event]:
        """An event set by every ring for this territory, in whatever process; whoever waits clears it."""
        event = asyncio.Event()
        self._watchers.setdefault(territory, set()).add(event)
        try:
            yield event
        finally:
            self._watchers[territory].discard(event)

    def ring(self, *territories: str) -> None:
        """Wake everybody who listens, and those who watch one of the territories."""
        for event in self._listeners:
            event.set()
        for territory in territories:
            self.heard(territory)
        self._untold.update(territories)
        self._to_tell.set()

    def heard(self, territory: str) -> None:
        """Wake those who watch the territory: it was rung here or in another process."""
        self._heard[territory] += 1
        for event in self._watchers.get(territory, ()):
            event.set()

    def heard_anything(self) -> None:
        """Wake everybody who watches: any territory may have been rung in another process."""
        for territory in self._watchers:
            self.heard(territory)

    async def untold(self) -> set[str]:
        """Wait for rings that other processes do not know of, and take them."""
        await self._to_tell.wait()
        self._to_tell.clear()
        taken, self._untold = self._untold, set()
        return taken


async def relay(bell: Bell, engine: AsyncEngine) -> None:
    """Carry rings to the other processes of the installation and theirs to here, until cancelled.

    SQLite has one process, so there is nobody to tell.
    """
    if engine.dialect.name != "postgresql":
        return
    async with asyncio.TaskGroup() as group:
        group.create_task(_telling(bell, engine))
        group.create_task(_hearing(bell, engine))


async def _telling(bell: Bell, engine: AsyncEngine) -> None:
    while True:
        for territory in sorted(await bell.untold()):
            try:
                await notices.tell(engine, f"{bell.here} {territory}")
            except SQLAlchemyError as problem:
                _log.warning("notice_not_told", problem=type(problem).__name__)


async def _hearing(bell: Bell, engine: AsyncEngine) -> None:
    missed = False
    while True:
        try:
            async with contextlib.aclosing(notices.told(engine)) as heard:
                async for notice in heard:
                    sender, _, territory = notice.partition(" ")
                    if not notice and missed:
                        # Of what was said while nobody listened here, nobody knows whom it concerned.
                        bell.heard_anything()
                    elif notice and sender != bell.here:
                        bell.heard(territory)
        except NoticesLost as problem:
            _log.warning("notices_lost", problem=str(problem))
            missed = True
        await asyncio.sleep(AGAIN_SECONDS)
