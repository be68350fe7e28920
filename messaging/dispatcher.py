"""Claim, compose, send, settle: the loop that empties the outbox."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from messaging import outbox
from messaging.letters import Message, Obsolete
from messaging.outbox import Kind, Lane, Outcome, Row, Stale
from messaging.retry import Failure, next_attempt
from messaging.smtp import Delivery

#: Says what a row's mail is now, or that there is no longer one to send.
Compose = Callable[[Row], Awaitable[Message | Obsolete]]
#: Told of every attempt, in the transaction that settles it: ``(session, row, outcome, at)``.
OnSettled = Callable[[AsyncSession, Row, Outcome, datetime], Awaitable[None]]

#: Seconds between two looks when nobody wakes the loop: another process may have enqueued.
_POLL = 0.5
_LONGEST_SEND = timedelta(seconds=30)
_log = structlog.get_logger(__name__)


class Sender(Protocol):
    """What carries the mails; ``messaging.smtp.Pool``."""

    #: Mails carried at once.
    size: int

    async def send(self, message: Message, *, within: float) -> Delivery:
        """Hand one mail over within so many seconds."""
        ...


class Dispatcher:
    """Empties the outbox. Any number may run on one PostgreSQL; a mail that fails keeps no other waiting."""

    def __init__(
        self,
        *,
        sessions: async_sessionmaker[AsyncSession],
        smtp: Sender,
        compose: Compose,
        on_settled: OnSettled,
        now: Callable[[], datetime],
        lease: timedelta,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._sessions = sessions
        self._smtp = smtp
        self._compose = compose
        self._on_settled = on_settled
        self._now = now
        self._lease = lease
        self._chance = chance
        self._batch = smtp.size * 8
        # Mails that failed before may hold half of the connections; the rest is for the new ones.
        self._places = {
            Lane.FRESH: asyncio.Semaphore(smtp.size),
            Lane.AGAIN: asyncio.Semaphore(max(1, smtp.size // 2)),
        }
        self._woken = {lane: asyncio.Event() for lane in Lane}
        self._stopping = False

    def wake(self) -> None:
        """Something was enqueued, and committed: look at once."""
        for event in self._woken.values():
            event.set()

    async def run_once(self) -> int:
        """Handle one batch of each lane; returns how many mails were handled."""
        return sum(await asyncio.gather(*(self._round(lane) for lane in Lane)))

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until ``stop`` is set; then finish what is on its way and give the rest back."""
        self._stopping = False
        async with asyncio.TaskGroup() as group:
            for lane in Lane:
                group.create_task(self._loop(lane, stop))
            await stop.wait()
            self._stopping = True
            self.wake()

    async def _loop(self, lane: Lane, stop: asyncio.Event) -> None:
        woken = self._woken[lane]
        while not stop.is_set():
            woken.clear()
            try:
                handled = await self._round(lane)
            except Exception as problem:  # noqa: BLE001
                # The database is away. The outbox is in it, so there is nothing to do but to look again.
                _log.error("outbox_unreachable", problem=type(problem).__name__)
                handled = 0
            if not handled:
                await _wait(woken, _POLL)

    async def _round(self, lane: Lane) -> int:
        claimed_at = self._now()
        async with self._sessions.begin() as session:
            rows = await outbox.claim(
                session, now=claimed_at, lease=self._lease, limit=self._batch, lane=lane
            )
        await asyncio.gather(*(self._handle(row, lane, claimed_at + self._lease / 2) for row in rows))
        return len(rows)

    async def _handle(self, row: Row, lane: Lane, send_by: datetime) -> None:
        try:
            async with self._places[lane]:
                await self._attempt(row, send_by)
        except Stale:
            _log.warning("outbox_stale", territory=row.territory, mail=row.id, letter=row.letter)
        except Exception as problem:  # noqa: BLE001
            # Its lease will end and the mail will come back; the other mails of the batch go on.
            _log.error("outbox_failed", mail=row.id, letter=row.letter, problem=type(problem).__name__)

    async def _attempt(self, row: Row, send_by: datetime) -> None:
        if row.outcome is not None:
            await self._settle(row, row.outcome, None)
            return
        try:
            message = await self._compose(row)
        except Exception as problem:  # noqa: BLE001
            # A template or a datum at fault: tried again later, since nothing may be lost by a slip of ours.
            _log.error("compose_failed", mail=row.id, letter=row.letter, problem=type(problem).__name__)
            await self._failed(row, Failure.TRANSIENT, f"compose {type(problem).__name__}")
            return
        if isinstance(message, Obsolete):
            await self._settle(row, Outcome(kind=Kind.DROPPED, detail=message.reason), None)
            return
        if self._stopping or self._now() >= send_by:
            # What is left of the lease may not be enough to send and to say so.
            async with self._sessions.begin() as session:
                await outbox.release(session, row, at=self._now())
            return
        if message.items is not None and row.items is None:
            async with self._sessions.begin() as session:
                row = await outbox.freeze(session, row, message.items)
        delivery = await self._smtp.send(message, within=self._within())
        if delivery.failure is None:
            await self._settle(row, Outcome(kind=Kind.ACCEPTED, detail=delivery.detail), None)
        else:
            await self._failed(row, delivery.failure, delivery.detail)

    def _within(self) -> float:
        return min(self._lease / 2, _LONGEST_SEND).total_seconds() * 0.8

    async def _failed(self, row: Row, failure: Failure, detail: str) -> None:
        again_at = next_attempt(
            failure,
            attempts=row.attempts,
            enqueued_at=row.enqueued_at,
            now=self._now(),
            chance=self._chance(),
        )
        if again_at is None:
            kind = Kind.DEAD
        else:
            kind = Kind.AMBIGUOUS if failure is Failure.AMBIGUOUS else Kind.RETRY
        await self._settle(row, Outcome(kind=kind, detail=detail), again_at)

    async def _settle(self, row: Row, outcome: Outcome, again_at: datetime | None) -> None:
        at = self._now()
        try:
            async with self._sessions.begin() as session:
                await outbox.settle(session, row, outcome, at=at, again_at=again_at)
                await self._on_settled(session, row, outcome, at)
        except Stale:
            raise
        except Exception as problem:  # noqa: BLE001
            # Whoever had to be told could not be. The mail is not sent again for that: only the telling is.
            _log.error("telling_failed", mail=row.id, letter=row.letter, problem=type(problem).__name__)
            async with self._sessions.begin() as session:
                if again_at is None:
                    await outbox.postpone_telling(session, row, outcome, again_at=at + self._lease)
                else:
                    await outbox.settle(session, row, outcome, at=at, again_at=again_at)
        else:
            _log.info("mail", mail=row.id, letter=row.letter, outcome=outcome.kind, detail=outcome.detail)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
