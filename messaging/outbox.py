"""Mails to be sent: the table, what is put into it, and how much waits.

A row is a letter's name, the ids it speaks of and a Message-ID, never an address, a token or a text: it is
composed when it is sent. Each row that is not done has a ``next_attempt_at``. Who may send it is told by
``messaging.claims``, and what is to be done where it died by ``messaging.dead_letters``.
"""

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import (
    JSON,
    CheckConstraint,
    CursorResult,
    Index,
    UniqueConstraint,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, require_transaction


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


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """A mail to be put into the outbox."""

    letter: str
    ids: Mapping[str, str]
    message_id: str


async def enqueue_all(session: AsyncSession, territory: str, mails: Sequence[Fresh], now: datetime) -> None:
    """``enqueue`` for several mails, in one statement."""
    require_transaction(session)
    if mails:
        rows = [_values(territory, one.letter, one.ids, one.message_id, now, now) for one in mails]
        await session.execute(_insert(session), rows)


def _insert(session: AsyncSession) -> sqlite.Insert | postgresql.Insert:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    return insert(OutboxRow).on_conflict_do_nothing(index_elements=["territory_id", "message_id"])


def _values(
    territory: str,
    letter: str,
    ids: Mapping[str, str],
    message_id: str,
    now: datetime,
    next_attempt_at: datetime,
) -> dict[str, object]:
    return {
        "territory_id": territory,
        "id": uuid4().hex,
        "letter": letter,
        "ids": dict(ids),
        "message_id": message_id,
        "state": "queued",
        "attempts": 0,
        "fence": 0,
        "may_have_left": False,
        "enqueued_at": now,
        "next_attempt_at": next_attempt_at,
        "detail": "",
    }


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
    row = _values(territory, letter, ids, message_id, now, not_before or now)
    statement = _insert(session).values(row).returning(OutboxRow.id)
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
    result = await session.execute(statement)
    assert isinstance(result, CursorResult)
    return int(result.rowcount)
