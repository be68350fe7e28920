"""Claim, compose, send, settle: the loop that empties the outbox."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from messaging import claims
from messaging.breaker import Breaker
from messaging.claims import Kind, Lane, Outcome, Row, Stale
from messaging.letters import Message, Obsolete
from messaging.pacing import Pace
from messaging.retry import Failure, next_attempt
from messaging.settling import OnSettled, Settler
from messaging.smtp import Delivery

#: Says what the mails of rows are now: a message each, or that there is no longer one to send, or the slip
#: that kept it from being worded.
_Mail = Message | Obsolete | Exception
Compose = Callable[[Sequence[Row]], Awaitable[Sequence[_Mail]]]
#: A row, what became of the attempt (None: it was not tried, and is given back), and when it is due again.
_Attempted = tuple[Row, Outcome | None, datetime | None]
#: Of which territories nothing is to be sent now.
Held = Callable[[AsyncSession], Awaitable[Collection[str]]]

#: Seconds between two looks when nobody wakes the loop: another process may have enqueued.
_POLL = 0.5
#: Batches of one lane under way at once: one is composed while the relay takes the other.
_UNDER_WAY = 2
#: Seconds that the relay still has for a mail on its way once the process was asked to end.
LAST_SECONDS = 5.0
_log = structlog.get_logger(__name__)


@dataclass
class _Batch:
    """What was claimed together, until each of its rows was attempted."""

    claimed_at: datetime
    #: Until then its mails may go as they were worded.
    good_until: datetime
    left: dict[str, Row]
    #: By the rows' ids.
    mails: dict[str, _Mail] = field(default_factory=dict)
    wording: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sender(Protocol):
    """What carries the mails; ``messaging.smtp.Pool``."""

    #: Mails carried at once.
    size: int

    async def send(self, message: Message, *, within: float) -> Delivery:
        """Hand one mail over within so many seconds."""
        ...

    async def probe(self, *, within: float) -> bool:
        """Whether the relay is there at all."""
        ...

    def hurry(self, seconds: float) -> None:
        """End whatever is on its way within so many seconds."""
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
        longest_send: timedelta = timedelta(seconds=24),
        pace: int = 0,
        held: Held | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._sessions = sessions
        self._smtp = smtp
        self._compose = compose
        self._settler = Settler(sessions=sessions, on_settled=on_settled, now=now, lease=lease)
        self._now = now
        self._lease = lease
        self._within = min(lease * 0.4, longest_send).total_seconds()
        self._pace = Pace(pace)
        self._held = held
        self._breaker = Breaker()
        self._probing = asyncio.Lock()
        self._chance = chance
        # Claimed at once, per lane: halved when a batch was not done in time, so that leases do not end on
        # a machine that is too busy, and doubled when it was.
        self._most = smtp.size * 8
        self._limits = dict.fromkeys(Lane, self._most)
        # Mails that failed before may hold half of the connections; the rest is for the new ones.
        self._places = {
            Lane.FRESH: asyncio.Semaphore(smtp.size),
            Lane.AGAIN: asyncio.Semaphore(max(1, smtp.size // 2)),
        }
        # What was sent and is not written down yet stays so little that it is written down in time.
        self._unsettled = {lane: asyncio.Semaphore(4 * smtp.size) for lane in Lane}
        self._woken = {lane: asyncio.Event() for lane in Lane}
        self._stopping = False

    @property
    def relay_down(self) -> bool:
        """Whether the relay is taken to be down, and only probed."""
        return self._breaker.open

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
            self._smtp.hurry(LAST_SECONDS)
            self.wake()

    async def _loop(self, lane: Lane, stop: asyncio.Event) -> None:
        woken = self._woken[lane]
        under_way: set[asyncio.Task[None]] = set()
        while not stop.is_set():
            woken.clear()
            try:
                claimed = await self._claim(lane)
            except Exception as problem:  # noqa: BLE001
                # The database is away. The outbox is in it, so there is nothing to do but to look again.
                _log.error("outbox_unreachable", problem=type(problem).__name__)
                claimed = []
            if claimed:
                under_way.add(asyncio.create_task(self._batch_of(lane, claimed)))
            else:
                await _wait(woken, _POLL)
            while len(under_way) >= _UNDER_WAY:
                _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        if under_way:
            await asyncio.wait(under_way)

    async def _round(self, lane: Lane) -> int:
        claimed = await self._claim(lane)
        await self._batch_of(lane, claimed)
        return len(claimed)

    async def _claim(self, lane: Lane) -> list[Row]:
        if self._breaker.open and not await self._relay_is_back():
            return []
        async with self._sessions.begin() as session:
            held = () if self._held is None else await self._held(session)
            return await claims.claim(
                session,
                now=self._now(),
                lease=self._lease,
                limit=self._limits[lane],
                lane=lane,
                held=held,
            )

    async def _relay_is_back(self) -> bool:
        async with self._probing:
            if not self._breaker.open:
                return True
            if not self._breaker.may_probe(self._now()):
                return False
            if await self._smtp.probe(within=self._within):
                self._heard()
                return True
            self._breaker.failed(self._now(), self._chance())
            return False

    def _heard(self) -> None:
        if self._breaker.succeeded():
            _log.warning("relay_back")
            self.wake()

    async def _batch_of(self, lane: Lane, rows: Sequence[Row]) -> None:
        now = self._now()
        batch = _Batch(claimed_at=now, good_until=now, left={row.id: row for row in rows})
        await self._word(batch)
        await asyncio.gather(*(self._handle(lane, row, batch) for row in rows))
        if self._now() - batch.claimed_at > self._lease / 2:
            self._limits[lane] = max(1, self._limits[lane] // 2)
        else:
            self._limits[lane] = min(self._most, self._limits[lane] * 2)

    async def _word(self, batch: _Batch) -> None:
        """Word what is left of a batch, at once: one by one, a sender that is late would only get later."""
        begun = self._now()
        batch.mails = await self._worded([row for row in batch.left.values() if row.outcome is None])
        now = self._now()
        # On a busy machine not all of its time goes into looking.
        batch.good_until = now + max(self._lease / 30, now - begun)

    async def _mail_of(self, batch: _Batch, row: Row) -> _Mail | None:
        """The row's mail as it is now; None where there is only an outcome to be told."""
        async with batch.wording:
            mail = batch.mails.get(row.id)
            if isinstance(mail, Message) and self._now() >= batch.good_until:
                # It waited for the relay, and may have become obsolete meanwhile.
                await self._word(batch)
            return batch.mails.get(row.id)

    async def _worded(self, rows: Sequence[Row]) -> dict[str, _Mail]:
        """What each row's mail is, by the row's id."""
        if not rows:
            return {}
        try:
            return dict(zip((row.id for row in rows), await self._compose(rows), strict=True))
        except Exception as problem:  # noqa: BLE001
            if len(rows) == 1:
                return {rows[0].id: problem}
        # One of them is at fault, and must not keep the others back.
        found: dict[str, _Mail] = {}
        for row in rows:
            found |= await self._worded([row])
        return found

    async def _handle(self, lane: Lane, row: Row, batch: _Batch) -> None:
        try:
            async with self._unsettled[lane]:
                async with self._places[lane]:
                    mail = batch.mails.get(row.id)
                    if self._goes(batch):
                        mail = await self._mail_of(batch, row)
                    del batch.left[row.id]
                    if not isinstance(mail, Message) or self._goes(batch):
                        row, outcome, again_at = await self._attempt(row, mail)
                    else:
                        outcome, again_at = None, self._now()
                # Its connection carries the next mail meanwhile, and the commit takes many outcomes.
                await self._settler.settle(row, outcome, again_at)
        except Stale:
            _log.warning("outbox_stale", territory=row.territory, mail=row.id, letter=row.letter)
        except Exception as problem:  # noqa: BLE001
            # Its lease will end and the mail will come back; the other mails of the batch go on.
            _log.error("outbox_failed", mail=row.id, letter=row.letter, problem=type(problem).__name__)

    def _goes(self, batch: _Batch) -> bool:
        """Whether a mail of it may be sent now. Late, what is left of the lease may not be enough to send and
        to say so.
        """
        late = self._now() - batch.claimed_at >= self._lease / 2
        return not (self._stopping or self._breaker.open or late)

    async def _attempt(self, row: Row, mail: _Mail | None) -> _Attempted:
        if mail is None:
            # Only the telling is left to do.
            assert row.outcome is not None
            return row, row.outcome, None
        if isinstance(mail, Obsolete):
            # What may have left is not said to be never sent: it cannot go again, and is given up.
            kind = Kind.DEAD if row.may_have_left else Kind.DROPPED
            return row, Outcome(kind=kind, detail=mail.reason), None
        if isinstance(mail, Exception):
            # A template or a datum at fault: tried again later, since nothing may be lost by a slip of ours.
            _log.error("compose_failed", mail=row.id, letter=row.letter, problem=type(mail).__name__)
            return self._failed(row, Failure.FAULT, f"compose {type(mail).__name__}")
        if (turn := self._pace.turn(mail.recipient, self._now())) is not None:
            return row, None, turn
        return await self._send(row, mail)

    async def _send(self, row: Row, message: Message) -> _Attempted:
        if message.items is not None and row.items is None:
            async with self._sessions.begin() as session:
                row = await claims.freeze(session, row, message.items)
        delivery = await self._smtp.send(message, within=self._within)
        if delivery.failure is not Failure.UNREACHED:
            self._heard()
        elif self._breaker.failed(self._now(), self._chance()):
            _log.error("relay_down", detail=delivery.detail)
        if delivery.failure is None:
            return row, Outcome(kind=Kind.ACCEPTED, detail=delivery.detail), None
        return self._failed(row, delivery.failure, delivery.detail)

    def _failed(self, row: Row, failure: Failure, detail: str) -> _Attempted:
        now = self._now()
        # A relay that heard nothing uses up no attempt.
        attempts = 1 if failure is Failure.UNREACHED else row.attempts
        # Whoever sends a dead mail again enqueues it anew: its patience begins then.
        since = max(row.enqueued_at, row.first_attempt_at)
        again_at = next_attempt(failure, attempts=attempts, since=since, now=now, chance=self._chance())
        if again_at is None:
            return row, Outcome(kind=Kind.DEAD, detail=detail), None
        if failure is Failure.UNREACHED:
            return row, None, again_at
        kind = Kind.AMBIGUOUS if failure is Failure.AMBIGUOUS else Kind.RETRY
        return row, Outcome(kind=kind, detail=detail), again_at


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
