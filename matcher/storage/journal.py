"""The journal: who did and saw what. Insert-only, each entry chained to the one before by its hash.

One chain per territory, not one for the installation: how long a journal is kept is each territory's
choice, and a chain can only be pruned as a whole; a territory can check its own, or take it along, without
seeing another's entries (P10); and writers of one territory do not wait for those of another.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, RowMapping, event, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from config.database import require_transaction
from matcher.storage.sql import anywhere, insert
from matcher.storage.tables import JournalHeadRow, JournalRow, table

#: What the first entry of a chain has as ``previous``.
GENESIS = "0" * 64

_DOMAIN = b"trait-union journal entry 1\0"
#: Where a session keeps the entries that its commit will write.
_WAITING = "journal entries"
_AT = "%Y-%m-%dT%H:%M:%S.%fZ"
_JOURNAL = table(JournalRow)
_HEADS = table(JournalHeadRow)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What happened. Opaque identifiers and words of the code; nothing of a patient."""

    territory: str
    at: datetime
    #: The actor's role.
    actor_kind: str
    actor_id: str
    action: str
    search: str | None = None
    doctor: str | None = None
    #: Why, or what exactly: a word of a list.
    purpose: str | None = None
    #: The search's state after it.
    state: str | None = None
    #: Its place in the territory's journal, from 1; 0 before it is appended.
    seq: int = 0


async def append(session: AsyncSession, entry: Entry) -> None:
    """Write an entry in the transaction of what it tells: the two commit or vanish together.

    The row itself is written when the transaction commits. All writers of a territory wait for its head;
    who waited for anything else while holding it would hold up everybody, or lock them out for good.
    """
    require_transaction(session)
    session.sync_session.info.setdefault(_WAITING, []).append(entry)


@event.listens_for(Session, "before_commit")
def _write(session: Session) -> None:
    waiting: list[Entry] = session.info.pop(_WAITING, [])
    # In the order of their names, so that two transactions that write into the same two do not cross.
    for territory in sorted({entry.territory for entry in waiting}):
        head = _locked_head(session, territory)
        seq, previous = head["seq"], head["hash"]
        rows = []
        for entry in waiting:
            if entry.territory == territory:
                seq += 1
                row = _columns(entry, seq)
                rows.append(row | {"previous": previous, "hash": entry_hash(row, previous)})
                previous = rows[-1]["hash"]
        session.execute(_JOURNAL.insert(), rows)
        session.execute(
            update(_HEADS).where(_HEADS.c.territory_id == territory).values(seq=seq, hash=previous)
        )


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, _transaction: SessionTransaction) -> None:
    session.info.pop(_WAITING, None)


async def list_(
    session: AsyncSession, territory: str, *, after: int | None = None, limit: int = 100
) -> list[Entry]:
    """The newest entries first; ``after`` is the ``seq`` of the last one of the page before."""
    wanted = select(*_JOURNAL.c).where(_JOURNAL.c.territory_id == territory)
    if after is not None:
        wanted = wanted.where(_JOURNAL.c.seq < after)
    rows = await session.execute(wanted.order_by(_JOURNAL.c.seq.desc()).limit(limit))
    return [_entry(row) for row in rows.mappings()]


async def head(session: AsyncSession, territory: str) -> int:
    """The place of the last entry; 0 where there is none. Everything that moves a search or corrects a
    doctor writes an entry in the same transaction, so what was read under one head holds until the next.
    """
    found = await session.scalar(select(_HEADS.c.seq).where(_HEADS.c.territory_id == territory))
    return found or 0


async def touched(
    session: AsyncSession, territory: str, after: int
) -> list[tuple[str, str | None, str | None]]:
    """What was done since that place, each once: ``(action, search, doctor)``."""
    found = await session.execute(
        select(_JOURNAL.c.action, _JOURNAL.c.search_id, _JOURNAL.c.doctor_id)
        .where(_JOURNAL.c.territory_id == territory, _JOURNAL.c.seq > after)
        .distinct()
    )
    return [(row.action, row.search_id, row.doctor_id) for row in found]


async def of_search(session: AsyncSession, territory: str, search: str) -> list[Entry]:
    """What happened to a search, oldest first."""
    rows = await session.execute(
        select(*_JOURNAL.c)
        .where(_JOURNAL.c.territory_id == territory, _JOURNAL.c.search_id == search)
        .order_by(_JOURNAL.c.seq)
    )
    return [_entry(row) for row in rows.mappings()]


async def of_actions(
    session: AsyncSession,
    territory: str,
    actions: Collection[str],
    *,
    among: Collection[str] | None = None,
    actor: str | None = None,
    after: int | None = None,
    limit: int,
) -> list[Entry]:
    """The newest entries of these actions; ``among`` these searches only, by this ``actor`` only. ``after``
    is the ``seq`` of the last one of the page before.
    """
    wanted = select(*_JOURNAL.c).where(_JOURNAL.c.territory_id == territory, _JOURNAL.c.action.in_(actions))
    if among is not None:
        wanted = wanted.where(_JOURNAL.c.search_id.in_(among))
    if actor is not None:
        wanted = wanted.where(_JOURNAL.c.actor_id == actor)
    if after is not None:
        wanted = wanted.where(_JOURNAL.c.seq < after)
    # These actions are few among all entries. Ordered by the bare number, both databases would walk through
    # the whole journal until they have found so many, instead of sorting the few.
    rows = await session.execute(wanted.order_by((_JOURNAL.c.seq + 0).desc()).limit(limit))
    return [_entry(row) for row in rows.mappings()]


async def of_doctor(
    session: AsyncSession, territory: str, doctor: str, since: datetime, *, limit: int
) -> list[Entry]:
    """What concerned a doctor in a search since then, newest first."""
    rows = await session.execute(
        select(*_JOURNAL.c)
        .where(
            _JOURNAL.c.territory_id == territory,
            _JOURNAL.c.doctor_id == doctor,
            _JOURNAL.c.search_id.is_not(None),
            _JOURNAL.c.at >= since.astimezone(UTC).strftime(_AT),
        )
        .order_by(_JOURNAL.c.seq.desc())
        .limit(limit)
    )
    return [_entry(row) for row in rows.mappings()]


async def between(
    session: AsyncSession,
    territory: str,
    first: datetime,
    last: datetime,
    actions: Collection[str] | None = None,
) -> list[Entry]:
    """What happened from ``first`` to before ``last``, oldest first; ``actions``: only these."""
    wanted = select(*_JOURNAL.c).where(*_within(territory, first, last))
    if actions is not None:
        wanted = wanted.where(_JOURNAL.c.action.in_(sorted(actions)))
    rows = await session.execute(wanted.order_by(_JOURNAL.c.seq))
    return [_entry(row) for row in rows.mappings()]


async def counts(
    session: AsyncSession, territory: str, first: datetime, last: datetime, actions: Collection[str]
) -> dict[tuple[str, str | None], int]:
    """How often these things happened from ``first`` to before ``last``, by action and purpose."""
    number = func.count().label("number")
    rows = await session.execute(
        select(_JOURNAL.c.action, _JOURNAL.c.purpose, number)
        .where(*_within(territory, first, last), _JOURNAL.c.action.in_(sorted(actions)))
        .group_by(_JOURNAL.c.action, _JOURNAL.c.purpose)
    )
    return {(row.action, row.purpose): row.number for row in rows}


async def tally(
    session: AsyncSession, since: datetime, actions: Collection[str]
) -> dict[tuple[str, str, str | None], int]:
    """How often these things happened since then, by territory, action and purpose."""
    rows = await session.execute(
        select(_JOURNAL.c.territory_id, _JOURNAL.c.action, _JOURNAL.c.purpose, func.count().label("number"))
        .where(
            anywhere(_JOURNAL.c.territory_id),
            _JOURNAL.c.action.in_(sorted(actions)),
            _JOURNAL.c.at >= since.astimezone(UTC).strftime(_AT),
        )
        .group_by(_JOURNAL.c.territory_id, _JOURNAL.c.action, _JOURNAL.c.purpose)
    )
    return {(row.territory_id, row.action, row.purpose): row.number for row in rows}


async def doctors(
    session: AsyncSession,
    territory: str,
    first: datetime,
    last: datetime,
    actions: Collection[str],
    purpose: str | None = None,
) -> int:
    """How many doctors these things happened with, from ``first`` to before ``last``."""
    wanted = select(func.count(_JOURNAL.c.doctor_id.distinct())).where(
        *_within(territory, first, last), _JOURNAL.c.action.in_(sorted(actions))
    )
    if purpose is not None:
        wanted = wanted.where(_JOURNAL.c.purpose == purpose)
    return await session.scalar(wanted) or 0


def _within(territory: str, first: datetime, last: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        _JOURNAL.c.territory_id == territory,
        _JOURNAL.c.at >= first.astimezone(UTC).strftime(_AT),
        _JOURNAL.c.at < last.astimezone(UTC).strftime(_AT),
    )


def entry_hash(row: RowMapping | dict[str, object], previous: str) -> str:
    """SHA-256 over domain, previous hash and the canonical entry: JSON with sorted keys, what is absent
    left out. Hexadecimal.
    """
    present = {name: row[name] for name in _HASHED if row[name] is not None}
    canonical = json.dumps(present, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # The previous hash has a fixed length, so the parts cannot be cut elsewhere.
    return hashlib.sha256(_DOMAIN + previous.encode() + canonical.encode()).hexdigest()


#: Every column but the two of the chain itself.
_HASHED: Sequence[str] = tuple(c.name for c in _JOURNAL.c if c.name not in ("previous", "hash"))
_FIELDS = {"territory": "territory_id", "search": "search_id", "doctor": "doctor_id"}


def _locked_head(session: Session, territory: str) -> RowMapping:
    wanted = select(*_HEADS.c).where(_HEADS.c.territory_id == territory).with_for_update()
    head = session.execute(wanted).mappings().one_or_none()
    if head is None:
        first = insert(session, _HEADS).values(territory_id=territory, seq=0, hash=GENESIS)
        session.execute(first.on_conflict_do_nothing())
        head = session.execute(wanted).mappings().one()
    return head


def _columns(entry: Entry, seq: int) -> dict[str, object]:
    return {
        "territory_id": entry.territory,
        "seq": seq,
        "at": entry.at.astimezone(UTC).strftime(_AT),
        "actor_kind": str(entry.actor_kind),
        "actor_id": entry.actor_id,
        "action": str(entry.action),
        "search_id": entry.search,
        "doctor_id": entry.doctor,
        "purpose": entry.purpose,
        "state": None if entry.state is None else str(entry.state),
    }


def _entry(row: RowMapping) -> Entry:
    plain = {f.name: row[_FIELDS.get(f.name, f.name)] for f in fields(Entry) if f.name != "at"}
    return Entry(at=datetime.strptime(row["at"], _AT).replace(tzinfo=UTC), **plain)
