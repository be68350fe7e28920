"""The installation of a run, and the faults that befall it."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from config.database import Base, make_engine
from config.settings import Settings
from tests import postgres
from tests.faults.clock import FastClock
from tests.faults.history import History
from tests.faults.process import Part
from tests.faults.relay import Mood, Relay

#: In protocol time.
LEASE = timedelta(minutes=60)
#: After a fault something may go again whose word was lost, until the lease of who held it is over.
_AFTER = LEASE * 1.5


#: So many looks in a row at which nothing waits, three in a second.
_CALM = 3
#: How often each kind of fault comes, on either database.
_KINDS = {"kill": 30, "freeze": 12, "end": 14, "database": 4, "full": 20, "clock": 4, "outage": 6, "mood": 34}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much of what."""

    searches: int
    #: At least so many; they go on until the last search has begun.
    faults: int
    seed: int
    speed: float = 240.0
    #: One ``serve`` on SQLite rather than two and two workers on PostgreSQL; its disk is full at times.
    embedded: bool = False
    #: Searches led side by side.
    side_by_side: int = 12
    #: Relay outages of an hour of protocol time among the faults.
    hours_without_relay: int = 1
    #: Seconds between two faults, on average: something has to go on that they can break.
    pause: float = 3.0
    #: Each kind of fault once, though the one before may still go on, rather than one by one at random.
    each_kind: bool = False
    #: Once the faults are over, seconds without a search that ends; then they are left as they are.
    patience: float = 300.0

    @property
    def kinds(self) -> dict[str, int]:
        """What may happen, and how often as shares; first what takes longest until all is well again."""
        other = "database" if self.embedded else "full"
        return {kind: share for kind, share in _KINDS.items() if kind != other}


@dataclass
class Stage:
    """The installation of a run, and what happens to it."""

    plan: Plan
    folder: Path
    clock: FastClock
    relay: Relay
    settings: Settings
    parts: list[Part]
    history: History
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)
    _relay_up: bool = True

    async def fault(self, number: int) -> None:
        """One fault, chosen at random; an hour without a relay comes at its turn."""
        wanted = self.plan.hours_without_relay
        if wanted and number % max(1, self.plan.faults // (wanted + 1)) == 1 and self.done["hour"] < wanted:
            await self._played("hour", self._outage(timedelta(hours=1)))
            return
        kinds = self.plan.kinds
        if self.plan.each_kind:
            kind = list(kinds)[number]
        else:
            kind = self.chance.choices(list(kinds), list(kinds.values()))[0]
        part = self.chance.choice([part for part in self.parts if not part.hand.locked()] or self.parts)
        await self._played(
            kind,
            {
                "kill": lambda: self._kill(part),
                "freeze": lambda: self._freeze(part),
                "mood": self._mood,
                "database": self._database,
                "outage": lambda: self._outage(timedelta(minutes=self.chance.uniform(2, 10))),
                "end": lambda: self._end(part),
                "clock": self._clock,
                "full": lambda: self._full(part),
            }[kind](),
        )

    async def _played(self, kind: str, play: Any) -> None:
        begun = self.clock()
        await play
        self.done[kind] += 1
        self.history.disturbed.append((begun - timedelta(minutes=5), self.clock() + _AFTER))

    async def _kill(self, part: Part) -> None:
        async with part.hand:
            await part.kill()
            await asyncio.sleep(self.chance.uniform(0, 0.5))
            part.start()

    async def _end(self, part: Part) -> None:
        async with part.hand:
            await part.end()
            part.start()

    async def _freeze(self, part: Part) -> None:
        """It sleeps past its lease, and wakes up with what it thinks is its own."""
        async with part.hand:
            part.send(signal.SIGSTOP)
            await asyncio.sleep(self.clock.real(LEASE) * self.chance.uniform(0.2, 1.4))
            part.send(signal.SIGCONT)

    async def _mood(self) -> None:
        self.relay.mood = self.chance.choice([mood for mood in Mood if mood is not Mood.KIND])
        await asyncio.sleep(self.chance.uniform(0.5, 2))
        self.relay.mood = Mood.KIND

    async def _clock(self) -> None:
        """The host's clock is set, back more often than forward."""
        self.clock.shift(timedelta(minutes=self.chance.choice((-24, -12, 18))))
        await asyncio.sleep(0)

    async def _full(self, part: Part) -> None:
        """No file can grow: what is committed stays, and nobody is told that the rest was taken."""
        async with part.hand:
            part.allow(max(path.stat().st_size for path in self.folder.glob("faults.sqlite*")))
            await asyncio.sleep(self.chance.uniform(1, 5))
            part.allow(None)

    async def _database(self) -> None:
        await to_its_end(postgres.stop, self.folder)
        await asyncio.sleep(self.chance.uniform(0, 0.5))
        await to_its_end(postgres.start, self.folder)

    async def _outage(self, span: timedelta) -> None:
        await self.relay.down()
        await asyncio.sleep(self.clock.real(span))
        await self.relay.up()

    async def quiet(self, within: float) -> bool:
        """Wait until nothing is due and no mail waits, for a while: what was asked last may still be done."""
        engine = make_engine(self.settings.database_url)
        outbox, timers = Base.metadata.tables["outbox"], Base.metadata.tables["timers"]
        until, calm = time.monotonic() + within, 0
        try:
            while time.monotonic() < until:
                async with engine.connect() as connection:
                    mails = await connection.scalar(
                        select(func.count()).where(outbox.c.next_attempt_at.is_not(None))
                    )
                    late = self.clock() - timedelta(seconds=self.plan.speed)
                    steps = await connection.scalar(select(func.count()).where(timers.c.due_at < late))
                calm = 0 if mails or steps else calm + 1
                if calm == _CALM:
                    return True
                await asyncio.sleep(0.3)
            return False
        finally:
            await engine.dispose()


async def to_its_end(call: Callable[[Path], None], folder: Path) -> None:
    """In a thread; also where somebody wants us to stop meanwhile, lest a server outlive us."""
    going_on = asyncio.create_task(asyncio.to_thread(call, folder))
    try:
        await asyncio.shield(going_on)
    except asyncio.CancelledError:
        await going_on
        raise
