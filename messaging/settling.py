"""Writing down what became of attempts, many in one transaction.

While one commit is under way the outcomes that come meanwhile gather, and the next commit takes them all:
nobody waits for more to come, and a relay that answers a thousand times a second costs tens of commits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from messaging import claims
from messaging.claims import Outcome, Row, Stale

#: Told of every attempt, in the transaction that settles it: ``(session, [(row, outcome)], at)``.
OnSettled = Callable[[AsyncSession, Sequence[tuple[Row, Outcome]], datetime], Awaitable[None]]

#: Settled in one transaction at most, so that none holds what it locks for long.
_TOGETHER = 64
_log = structlog.get_logger(__name__)


@dataclass
class _Attempt:
    row: Row
    #: None: it was not tried, and is given back.
    outcome: Outcome | None
    again_at: datetime | None
    written: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Settler:
    """Settles attempts and tells of them, in groups; one that cannot be told holds up no other."""

    def __init__(
        self,
        *,
        sessions: async_sessionmaker[AsyncSession],
        on_settled: OnSettled,
        now: Callable[[], datetime],
        lease: timedelta,
    ) -> None:
        self._sessions = sessions
        self._on_settled = on_settled
        self._now = now
        self._lease = lease
        self._waiting: list[_Attempt] = []
        self._writing: asyncio.Task[None] | None = None

    async def settle(self, row: Row, outcome: Outcome | None, again_at: datetime | None) -> None:
        """Write what became of an attempt and tell of it, or give a mail back untried (None), to be claimed
        again at ``again_at``; returns once that is durable.

        Raises Stale where somebody else claimed the row meanwhile, and what the database raises.
        """
        attempt = _Attempt(row, outcome, again_at)
        self._waiting.append(attempt)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await attempt.written

    async def _write(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
                try:
                    await self._settle(together)
                except Exception as problem:  # noqa: BLE001
                    _log.warning("telling_apart", mails=len(together), problem=type(problem).__name__)
                    for attempt in together:
                        await self._alone(attempt)
        finally:
            self._writing = None

    async def _settle(self, together: Sequence[_Attempt]) -> None:
        at = self._now()
        tried = [(one.row, one.outcome, one.again_at) for one in together if one.outcome is not None]
        untried = [(one.row, one.again_at or at) for one in together if one.outcome is None]
        async with self._sessions.begin() as session:
            ours = await claims.release(session, untried) | await claims.settle(session, tried, at=at)
            told = [(row, outcome) for row, outcome, _ in tried if row.id in ours]
            if told:
                await self._on_settled(session, told, at)
        for row, outcome in told:
            _log.info("mail", mail=row.id, letter=row.letter, outcome=outcome.kind, detail=outcome.detail)
        for one in together:
            if one.row.id in ours:
                one.written.set_result(None)
            else:
                one.written.set_exception(Stale())

    async def _alone(self, attempt: _Attempt) -> None:
        """One of a group that could not be settled: the others must not suffer for it."""
        try:
            await self._settle([attempt])
        except Exception as problem:  # noqa: BLE001
            # Whoever had to be told could not be. The mail is not sent again for that: only the telling is.
            row = attempt.row
            _log.error("telling_failed", mail=row.id, letter=row.letter, problem=type(problem).__name__)
            try:
                await self._untold(attempt)
            except Exception as worse:  # noqa: BLE001
                attempt.written.set_exception(worse)
            else:
                attempt.written.set_result(None)

    async def _untold(self, attempt: _Attempt) -> None:
        at = self._now()
        async with self._sessions.begin() as session:
            if attempt.outcome is None:
                # It stays claimed, and comes back by itself.
                return
            if attempt.again_at is None:
                again_at = at + self._lease
                await claims.postpone_telling(session, attempt.row, attempt.outcome, again_at=again_at)
            elif not await claims.settle(session, [(attempt.row, attempt.outcome, attempt.again_at)], at=at):
                raise Stale
