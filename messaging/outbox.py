"""Mails to be sent: the table, and all its SQL.

A row is a letter's name, the ids it speaks of and a Message-ID, never an address, a token or a text: it is
composed when it is sent. Each row that is not done has a ``next_attempt_at``; claiming a row moves that time
to the end of the lease, so that a row whose worker died comes back by itself, and gives it a new fence, so
that the late word of a worker that only slept is refused.
"""

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    CursorResult,
    Index,
    UniqueConstraint,
    Update,
    case,
    delete,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, require_transaction

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


class OutboxRow(Base):
    """The table. Waiting: queued, sending, ambiguous, settling. Done: accepted, dead, dropped."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("territory_id", "message_id"),
        # A comparison implies "is not null", whatever plan the database makes: the index is always usable.
        Index(
            "ix_outbox_due",
            "next_attempt_at",
            postgresql_where=text("next_attempt_at IS NOT NULL"),
            sqlite_where=text("next_attempt_at IS NOT NULL"),
        ),
        # One for each lane: however many wait in the other, a claim reads what it takes and no more.
        Index(
            "ix_outbox_fresh",
            "next_attempt_at",
            postgresql_where=text("next_attempt_at IS NOT NULL AND attempts = 0"),
            sqlite_where=text("next_attempt_at IS NOT NULL AND attempts = 0"),
        ),
        Index(
            "ix_outbox_again",
            "next_attempt_at",
            postgresql_where=text("next_attempt_at IS NOT NULL AND attempts > 0"),
            sqlite_where=text("next_attempt_at IS NOT NULL AND attempts > 0"),
        ),
        Index(
            "ix_outbox_dead",
            "territory_id",
            "settled_at",
            postgresql_where=text("state = 'dead' AND seen_at IS NULL"),
            sqlite_where=text("state = 'dead' AND seen_at IS NULL"),
        ),
        CheckConstraint(
            "(state IN ('accepted', 'dead', 'dropped') AND next_attempt_at IS NULL) OR "
            "(state IN ('queued', 'sending', 'ambiguous', 'settling') AND next_attempt_at IS NOT NULL)",
            name="done_or_due",
        ),
    )

    territory_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    letter: Mapped[str]
    ids: Mapped[dict[str, str]] = mapped_column(JSON)
    message_id: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int]
    fence: Mapped[int]
    may_have_left: Mapped[bool]
    enqueued_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime | None]
    first_attempt_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    items: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    outcome: Mapped[str | None]
    detail: Mapped[str]
    #: When somebody took note that it died.
    seen_at: Mapped[datetime | None]


def derive_message_id(key: bytes, domain: str, *parts: str) -> str:
    """The Message-ID of a mail, from what it is: territory, search, run, doctor, letter, number.

    The same mail has the same one for ever, after a restored backup too; without ``key`` it tells nothing.
    """
    message = b"".join(len(part := text_.encode()).to_bytes(4, "big") + part for text_ in parts)
    digest = hmac.new(key, message, hashlib.sha256).digest()
    return f"<{b32encode(digest[:20]).decode().lower()}@{domain}>"


async def enqueue(
    session: AsyncSession,
    *,
    territory: str,
    letter: str,
    ids: Mapping[str, str],
    message_id: str,
    now: datetime,
    not_before: datetime | None = None,
) -> bool:
    """Put a mail into the outbox, in the caller's transaction. False if this Message-ID is there already.

    Raises OutsideTransaction: a mail commits or vanishes with what it speaks of.
    """
    made = await begin(
        session,
        territory=territory,
        letter=letter,
        ids=ids,
        message_id=message_id,
        now=now,
        not_before=not_before,
    )
    return made is not None


async def begin(
    session: AsyncSession,
    *,
    territory: str,
    letter: str,
    ids: Mapping[str, str],
    message_id: str,
    now: datetime,
    not_before: datetime | None = None,
) -> str | None:
    """The same, for a mail into which more will be gathered: its id, None if it is there already."""
    require_transaction(session)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = (
        insert(OutboxRow)
        .values(
            territory_id=territory,
            id=uuid4().hex,
            letter=letter,
            ids=dict(ids),
            message_id=message_id,
            state="queued",
            attempts=0,
            fence=0,
            may_have_left=False,
            enqueued_at=now,
            next_attempt_at=not_before or now,
            detail="",
        )
        .on_conflict_do_nothing(index_elements=["territory_id", "message_id"])
        .returning(OutboxRow.id)
    )
    made: str | None = (await session.execute(statement)).scalar_one_or_none()
    return made


async def still_waiting(session: AsyncSession, territory: str, among: Collection[str]) -> str | None:
    """One of these mails that nobody has begun to send, kept from being claimed until the caller commits:
    what is gathered into it now goes with it.
    """
    require_transaction(session)
    waiting = (
        select(OutboxRow.id)
        .where(
            OutboxRow.territory_id == territory,
            OutboxRow.id.in_(among),
            OutboxRow.state == "queued",
            OutboxRow.attempts == 0,
            OutboxRow.items.is_(None),
        )
        .order_by(OutboxRow.next_attempt_at, OutboxRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (await session.execute(waiting)).scalar_one_or_none()


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
        .where(
            *_of(rows),
            tuple_(OutboxRow.territory_id, OutboxRow.id).in_([(row.territory, row.id) for row in rows]),
        )
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


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A mail that was put into the outbox, whatever became of it."""

    territory: str
    id: str
    letter: str
    ids: Mapping[str, str]
    #: What a gathered mail spoke of.
    items: tuple[str, ...] | None = None


async def sent(session: AsyncSession, territories: Sequence[str], id: str) -> Sent | None:
    """The mail that something came back for; None where it was forgotten, or never was."""
    found = await session.execute(
        select(OutboxRow.territory_id, OutboxRow.id, OutboxRow.letter, OutboxRow.ids, OutboxRow.items).where(
            OutboxRow.territory_id.in_(territories), OutboxRow.id == id
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    items = None if row[4] is None else tuple(row[4])
    return Sent(territory=row[0], id=row[1], letter=row[2], ids=row[3], items=items)


async def oldest_unsent(session: AsyncSession, now: datetime, held: Collection[str] = ()) -> datetime | None:
    """Since when the longest waiting mail could have left; None when none waits.

    A mail that shall leave later (a digest) waits from its hour on; those of the territories ``held`` are
    meant to wait.
    """
    # Until it is first tried a mail keeps the hour at which it was due.
    due = func.coalesce(OutboxRow.first_attempt_at, OutboxRow.next_attempt_at)
    statement = select(func.min(due)).where(
        OutboxRow.next_attempt_at.is_not(None), due <= now, OutboxRow.territory_id.not_in(held)
    )
    oldest: datetime | None = (await session.execute(statement)).scalar_one()
    return oldest


async def unsent(session: AsyncSession) -> int:
    """How many mails wait."""
    statement = select(func.count()).select_from(OutboxRow).where(OutboxRow.next_attempt_at.is_not(None))
    return (await session.execute(statement)).scalar_one()


async def waiting_of(session: AsyncSession, territory: str) -> tuple[int, datetime | None]:
    """How many mails of a territory wait, and when the longest waiting one was enqueued."""
    counted = select(func.count(), func.min(OutboxRow.enqueued_at)).where(
        OutboxRow.territory_id == territory, OutboxRow.next_attempt_at.is_not(None)
    )
    number, oldest = (await session.execute(counted)).one()
    return number, oldest


async def purge(session: AsyncSession, territory: str, *, before: datetime) -> int:
    """Forget the mails of a territory that were settled before then. Returns how many."""
    require_transaction(session)
    statement = delete(OutboxRow).where(
        OutboxRow.territory_id == territory,
        OutboxRow.next_attempt_at.is_(None),
        OutboxRow.settled_at < before,
    )
    return _changed(await session.execute(statement))


async def _write(session: AsyncSession, row: Row, **values: object) -> None:
    require_transaction(session)
    if _changed(await session.execute(_claimed([row]).values(**values))) != 1:
        raise Stale


def _claimed(rows: Sequence[Row]) -> Update:
    """An UPDATE of those of these rows that nobody else claimed since."""
    keys = [(row.territory, row.id, row.fence) for row in rows]
    return (
        update(OutboxRow)
        .where(
            *_of(rows),
            tuple_(OutboxRow.territory_id, OutboxRow.id, OutboxRow.fence).in_(keys),
            OutboxRow.state.in_(("sending", "settling")),
        )
        .execution_options(synchronize_session=False)
    )


def _of(rows: Sequence[Row]) -> tuple[ColumnElement[bool], ...]:
    """Said apart as well: SQLite would look through the whole table for a list of pairs."""
    territories = sorted({row.territory for row in rows})
    return OutboxRow.territory_id.in_(territories), OutboxRow.id.in_([row.id for row in rows])


def _changed(result: object) -> int:
    assert isinstance(result, CursorResult)
    return int(result.rowcount)


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
