"""Whose turn it is to send a mail: claims with a lease and a fence. More SQL of ``messaging.outbox``'s table.

Claiming a row moves its ``next_attempt_at`` to the end of the lease, so that a row whose worker died comes
back by itself, and gives it a new fence, so that the late word of a worker that only slept is refused.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Update, case, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import among, require_transaction
from messaging.outbox import OutboxRow

_DONE = ("accepted", "dead", "dropped")


class Stale(Exception):
    """Somebody else claimed the row meanwhile: what this worker has to say about it no longer counts."""


class Kind(StrEnum):
    """What became of an attempt."""

    #: The relay took the mail over.
    ACCEPTED = "accepted"
    #: Nothing left; it will be tried again.
    RETRY = "retry"
    #: It may have left; the same mail will be sent again under the same Message-ID. It counts as asked.
    AMBIGUOUS = "ambiguous"
    #: Given up, or refused for good.
    DEAD = "dead"
    #: No longer a reason to send it.
    DROPPED = "dropped"


class Lane(StrEnum):
    """Mails that were never tried do not queue behind those that keep failing."""

    FRESH = "fresh"
    AGAIN = "again"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of an attempt, and why: ``550 5.1.1``, ``connection`` …, never a server's words."""

    kind: Kind
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A claimed mail."""

    territory: str
    id: str
    letter: str
    #: What the letter speaks of: ``{"search": …, "doctor": …, "run": "1"}``.
    ids: Mapping[str, str]
    message_id: str
    #: Attempts, this one included.
    attempts: int
    fence: int
    enqueued_at: datetime
    #: When it was first tried, also the mail's Date: a repeat is the same mail.
    first_attempt_at: datetime
    #: An earlier attempt may have reached the doctor, so this mail is not to be dropped as if never sent.
    may_have_left: bool
    #: What the first attempt spoke of, once frozen.
    items: tuple[str, ...] | None
    #: Already decided; only the telling is left to do.
    outcome: Outcome | None


async def claim(
    session: AsyncSession,
    *,
    now: datetime,
    lease: timedelta,
    limit: int,
    lane: Lane | None = None,
    held: Collection[str] = (),
) -> list[Row]:
    """Take up to ``limit`` due mails until ``now + lease``, longest due first. ``lane`` None: of both.

    Those of the territories ``held`` are left alone.
    """
    require_transaction(session)
    due = (
        select(*OutboxRow.__table__.columns)
        .where(OutboxRow.next_attempt_at <= now)
        .order_by(OutboxRow.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if lane is not None:
        # Literally, as in the indexes: a bound figure under a generic plan would leave them aside.
        due = due.where(text("attempts = 0" if lane is Lane.FRESH else "attempts > 0"))
    if held:
        due = due.where(OutboxRow.territory_id.not_in(held))
    found = (await session.execute(due)).all()
    if not found:
        return []
    rows = [_row(one, now) for one in found]
    await session.execute(
        update(OutboxRow)
        .where(among((OutboxRow.territory_id, OutboxRow.id), [(row.territory, row.id) for row in rows]))
        .values(
            # Found "sending" with its lease over: the worker died, perhaps after the mail had left.
            may_have_left=case((OutboxRow.state == "sending", True), else_=OutboxRow.may_have_left),
            attempts=case((OutboxRow.state == "settling", OutboxRow.attempts), else_=OutboxRow.attempts + 1),
            state=case((OutboxRow.state == "settling", "settling"), else_="sending"),
            fence=OutboxRow.fence + 1,
            first_attempt_at=func.coalesce(OutboxRow.first_attempt_at, now),
            next_attempt_at=now + lease,
        )
        .execution_options(synchronize_session=False)
    )
    return rows


async def freeze(session: AsyncSession, row: Row, items: Sequence[str]) -> Row:
    """Keep what a gathered mail is about to speak of, before it leaves. Raises Stale."""
    await _write(session, row, items=list(items))
    return replace(row, items=tuple(items))


async def settle(
    session: AsyncSession, settled: Sequence[tuple[Row, Outcome, datetime | None]], *, at: datetime
) -> set[str]:
    """Write the outcomes of attempts; returns the ids of the rows that were still this worker's to settle.

    Each is ``(row, outcome, again_at)``; ``again_at`` is for RETRY and AMBIGUOUS, else None.
    """
    require_transaction(session)
    # Rows to which the same happened are written together: most were just accepted.
    alike: dict[tuple[str, bool, Outcome, datetime | None], list[Row]] = {}
    for row, outcome, again_at in settled:
        state = "queued" if outcome.kind is Kind.RETRY else outcome.kind.value
        if outcome.kind is Kind.RETRY and row.may_have_left:
            state = "ambiguous"
        ambiguous = row.may_have_left or outcome.kind is Kind.AMBIGUOUS
        key = (state, ambiguous, outcome, None if state in _DONE else again_at)
        alike.setdefault(key, []).append(row)
    ours: set[str] = set()
    for (state, ambiguous, outcome, again_at), rows in alike.items():
        statement = _claimed(rows).values(
            state=state,
            may_have_left=ambiguous,
            next_attempt_at=again_at,
            settled_at=at if state in _DONE else None,
            outcome=outcome.kind.value,
            detail=outcome.detail,
        )
        ours.update(await session.scalars(statement.returning(OutboxRow.id)))
    return ours


async def postpone_telling(session: AsyncSession, row: Row, outcome: Outcome, *, again_at: datetime) -> None:
    """Keep a final outcome that could not be told yet: the mail itself is not sent again. Raises Stale."""
    await _write(
        session,
        row,
        state="settling",
        next_attempt_at=again_at,
        outcome=outcome.kind.value,
        detail=outcome.detail,
    )


async def release(session: AsyncSession, given_back: Sequence[tuple[Row, datetime]]) -> set[str]:
    """Give claimed mails back untried, each to be claimed again at its time; returns the ids of those that
    were still this worker's.
    """
    require_transaction(session)
    together: dict[datetime, list[Row]] = {}
    for row, at in given_back:
        together.setdefault(at, []).append(row)
    ours: set[str] = set()
    for at, rows in together.items():
        statement = _claimed(rows).values(
            state=case((OutboxRow.may_have_left.is_(True), "ambiguous"), else_="queued"),
            attempts=OutboxRow.attempts - 1,
            next_attempt_at=at,
        )
        ours.update(await session.scalars(statement.returning(OutboxRow.id)))
    return ours


async def _write(session: AsyncSession, row: Row, **values: object) -> None:
    require_transaction(session)
    if await session.scalar(_claimed([row]).values(**values).returning(OutboxRow.id)) is None:
        raise Stale


def _claimed(rows: Sequence[Row]) -> Update:
    """An UPDATE of those of these rows that nobody else claimed since."""
    keys = [(row.territory, row.id, row.fence) for row in rows]
    return (
        update(OutboxRow)
        .where(
            among((OutboxRow.territory_id, OutboxRow.id, OutboxRow.fence), keys),
            OutboxRow.state.in_(("sending", "settling")),
        )
        .execution_options(synchronize_session=False)
    )


def _row(found: Any, now: datetime) -> Row:
    """What the row is once claimed."""
    settling = found.state == "settling"
    return Row(
        territory=found.territory_id,
        id=found.id,
        letter=found.letter,
        ids=found.ids,
        message_id=found.message_id,
        attempts=found.attempts if settling else found.attempts + 1,
        fence=found.fence + 1,
        enqueued_at=found.enqueued_at,
        first_attempt_at=found.first_attempt_at or now,
        may_have_left=found.may_have_left or found.state == "sending",
        items=None if found.items is None else tuple(found.items),
        outcome=Outcome(kind=Kind(found.outcome), detail=found.detail) if settling else None,
    )
