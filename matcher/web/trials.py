"""The trials of settings that run beside the service: one at a time, each in a process that can be ended.

What came of a territory's last trial is kept in memory, by the process that serves the page.
"""

import asyncio
import multiprocessing
import time
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Final

from aiohttp import web

from matcher.simulation.terrain import Terrain
from matcher.simulation.trial import SEARCHES, Found, Wanted, play_both

#: Seconds that a trial may take; then it is ended.
LONGEST: Final = 300.0
_LOOK: Final = 0.2


@dataclass(kw_only=True)
class Trial:
    """One trial: what is tried, how far it is, and what came of it."""

    territory: str
    wanted: Wanted
    share: float = 0.0
    found: Found | None = None
    #: It was stopped, took too long or failed.
    ended: str | None = None

    def runs(self) -> bool:
        """Whether it is still under way."""
        return self.found is None and self.ended is None


@dataclass
class Trials:
    """The last trial of each territory, and the one that runs."""

    last: dict[str, Trial] = field(default_factory=dict)
    #: Searches played for each seed of a trial.
    played: int = SEARCHES
    _process: SpawnProcess | None = None
    _following: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether one runs, for whichever territory."""
        return any(trial.runs() for trial in self.last.values())

    async def begin(self, terrain: Terrain, wanted: Wanted) -> Trial:
        """Start one. Only when nothing is ``busy``."""
        wanted = replace(wanted, played=self.played)
        trial = self.last[terrain.id] = Trial(territory=terrain.id, wanted=wanted)
        ours, theirs = multiprocessing.get_context("spawn").Pipe(duplex=False)
        process = multiprocessing.get_context("spawn").Process(
            target=play_both, args=(terrain, wanted, theirs), daemon=True
        )
        self._process = process
        # Starting hands a territory over, some hundred kilobytes: not on the loop.
        await asyncio.to_thread(process.start)
        theirs.close()
        self._following = asyncio.create_task(self._follow(trial, process, ours))
        return trial

    async def stop(self, territory: str) -> None:
        """End a territory's trial, if it runs."""
        trial = self.last.get(territory)
        if trial is not None and trial.runs() and self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    async def close(self, _: web.Application) -> None:
        """A signal of aiohttp: the service ends, and so does what runs beside it."""
        for territory in list(self.last):
            await self.stop(territory)

    async def _follow(self, trial: Trial, process: SpawnProcess, pipe: Connection) -> None:
        begun = time.monotonic()
        try:
            while trial.runs():
                await asyncio.sleep(_LOOK)
                try:
                    while trial.runs() and pipe.poll():
                        self._hear(trial, pipe.recv())
                except EOFError:
                    trial.ended = "Le calcul n’a pas abouti."
                if trial.runs() and time.monotonic() - begun > LONGEST:
                    trial.ended = "Le calcul prenait trop de temps : il a été arrêté."
        except asyncio.CancelledError:
            trial.ended = "Le calcul a été arrêté."
            raise
        finally:
            process.kill()
            pipe.close()
            await asyncio.to_thread(process.join)

    @staticmethod
    def _hear(trial: Trial, said: object) -> None:
        if isinstance(said, Found):
            trial.found = said
        elif isinstance(said, float):
            trial.share = said


TRIALS: Final = web.AppKey("trials", Trials)


def install(app: web.Application) -> None:
    """Give ``app`` its trials."""
    app[TRIALS] = Trials()
    app.on_shutdown.append(app[TRIALS].close)
