"""The clock: claims due steps and does each once, and forgets each hour what no retention covers any more.
APScheduler only ticks; deadlines live in our table.
"""

import asyncio
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from config.database import keep_statistics
from matcher.protocol import steps
from matcher.protocol.moves import Refused, Step
from matcher.protocol.rules import Around
from matcher.protocol.search import Search
from matcher.service import retention, turn
from matcher.service.actors import system
from matcher.service.house import House
from matcher.storage import searches, timers
from matcher.storage.timers import Due

#: A due step starts within a second (PROTOCOL.md, "Time").
TICK = timedelta(milliseconds=400)
#: How often what no retention covers any more is forgotten.
SWEEP = timedelta(hours=1)
_BATCH = 50
_log = structlog.get_logger(__name__)


async def tick(house: House, stop: asyncio.Event | None = None) -> int:
    """Do what is due now, in order; returns how many steps were done.

    Once ``stop`` is set the step at hand is the last: the others of the batch are given back.
    """
    done = 0
    while True:
        async with house.sessions.begin() as session:
            batch = await timers.claim_due(session, house.now(), house.settings.lease, _BATCH)
        changed: set[str] = set()
        for number, due in enumerate(batch):
            if stop is not None and stop.is_set():
                async with house.sessions.begin() as session:
                    await timers.give_back(session, batch[number:])
                return done
            try:
                if await _do(house, due):
                    done += 1
                    changed.add(due.territory)
            except Exception as problem:  # noqa: BLE001
                # One search at fault keeps no other waiting: its lease ends, and it is tried again.
                why = type(problem).__name__
                _log.error("step_failed", search=due.search, kind=due.timer.kind, problem=why)
        if changed:
            house.bell.ring(*changed)
        if len(batch) < _BATCH:
            return done


async def _do(house: House, due: Due) -> bool:
    async with house.sessions.begin() as session:
        owned = await searches.lock(session, due.territory, due.search)
        if owned is None or due.territory not in house.territories or not await timers.holds(session, due):
            return False
        morning: datetime | None = None

        def move(search: Search, around: Around) -> Step:
            nonlocal morning
            morning = steps.put_off(due.timer, around)
            return steps.due(search, due.timer, around)

        try:
            step = await turn.stepped(session, house, owned.search, move)
        except Refused as refused:
            # The table of moves keeps a due step from being refused; said aloud should it ever be.
            _log.error("step_refused", search=due.search, kind=due.timer.kind, code=refused.code)
            return False
        await turn.carry_out(
            session,
            house,
            system(due.territory),
            owned.search,
            step,
            f"time/{due.timer.kind}" if morning is None else "put_off",
            doctor=due.timer.doctor,
            purpose=None if morning is None else due.timer.kind,
        )
    return True


async def run(house: House, stop: asyncio.Event) -> None:
    """Tick until ``stop`` is set, then finish the step at hand."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    ticking = asyncio.Lock()

    async def once() -> None:
        async with ticking:
            if stop.is_set():
                return
            try:
                await tick(house, stop)
            except Exception as problem:  # noqa: BLE001
                _log.error("clock_unreachable", problem=type(problem).__name__)

    async def forget() -> None:
        try:
            done = await retention.purge(house)
            await keep_statistics(house.engine)
        except Exception as problem:  # noqa: BLE001
            # Cut short it has done a part, and goes on at the next hour.
            _log.error("purge_failed", problem=type(problem).__name__)
        else:
            _log.info("purged", **done)

    scheduler.add_job(forget, IntervalTrigger(seconds=SWEEP.total_seconds()), max_instances=1, coalesce=True)
    scheduler.add_job(
        once,
        IntervalTrigger(seconds=TICK.total_seconds()),
        max_instances=1,
        coalesce=True,
        # A late tick is as good as another: nothing is in it.
        misfire_grace_time=None,
    )
    scheduler.start()
    try:
        await stop.wait()
    finally:
        scheduler.pause()
        # The step at hand ends before the database is closed; the scheduler would cut it off.
        async with ticking:
            pass
        scheduler.shutdown(wait=False)
