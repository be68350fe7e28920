"""Checking, signing, sealing and pruning the journal.

What the chain alone shows: any entry changed, cut out, put in, put elsewhere; the end cut off, as long as the
head row was not changed to match. Whoever can rewrite every row, head included, is found out only by a head
that was signed and kept elsewhere.
"""

import json
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import RowMapping, Select, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.storage.journal import GENESIS, entry_hash
from matcher.storage.tables import (
    JournalHeadRow,
    JournalRow,
    JournalSegmentRow,
    TerritoryRow,
    table,
)

#: Signs bytes, or checks a signature: (message, signature) -> whether it holds. Ed25519, given by the caller.
Sign = Callable[[bytes], bytes]
Check = Callable[[bytes, bytes], bool]

_CHUNK = 500
_JOURNAL = table(JournalRow)
_HEADS = table(JournalHeadRow)
_SEGMENTS = table(JournalSegmentRow)
_TERRITORIES = table(TerritoryRow)


@dataclass(frozen=True, kw_only=True)
class Broken:
    """The first entry at which a journal does not hold."""

    territory: str
    seq: int
    why: str


@dataclass(frozen=True, kw_only=True)
class SignedHead:
    """The end of a journal at one moment, to be kept outside the installation."""

    territory: str
    seq: int
    hash: str
    at: datetime
    signature: bytes

    @property
    def message(self) -> bytes:
        """What is signed."""
        at = self.at.astimezone(UTC).isoformat()
        return _message("head", self.territory, self.seq, self.hash, at)


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A month of a journal, sealed."""

    territory: str
    month: str
    first_seq: int
    last_seq: int
    opens_on: str
    closes_on: str
    signature: bytes
    pruned: bool
    pruned_signature: bytes = b""

    @property
    def message(self) -> bytes:
        """What is signed."""
        return self._message("segment")

    @property
    def pruning(self) -> bytes:
        """What is signed when its entries go."""
        return self._message("pruned")

    def _message(self, what: str) -> bytes:
        return _message(
            what,
            self.territory,
            self.month,
            self.first_seq,
            self.last_seq,
            self.opens_on,
            self.closes_on,
        )


async def verify(
    session: AsyncSession,
    territory: str | None = None,
    *,
    heads: Collection[SignedHead] = (),
    check: Check | None = None,
) -> Broken | None:
    """Walk the chain of one territory, or of all; None where everything holds.

    ``heads`` were exported earlier and kept elsewhere: the chain must still go through each. ``check``
    verifies their signatures and those of the segments.
    """
    damaged = await _damaged_file(session)
    if damaged is not None:
        return damaged
    for head in heads:
        if check is not None and not check(head.message, head.signature):
            return Broken(territory=head.territory, seq=head.seq, why="the exported head's signature")
    known = set(await session.scalars(select(_TERRITORIES.c.id)))
    known.update(await session.scalars(select(_JOURNAL.c.territory_id).distinct()))
    known.update(head.territory for head in heads)
    for one in sorted(known if territory is None else {territory}):
        expected = {head.seq: head.hash for head in heads if head.territory == one}
        broken = await _verify(session, one, expected, check)
        if broken is not None:
            return broken
    return None


async def signed_head(session: AsyncSession, territory: str, now: datetime, sign: Sign) -> SignedHead | None:
    """The end of the journal as it is now, signed; None where nothing was written yet."""
    row = (
        (await session.execute(select(*_HEADS.c).where(_HEADS.c.territory_id == territory)))
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    bare = SignedHead(territory=territory, seq=row["seq"], hash=row["hash"], at=now, signature=b"")
    return SignedHead(territory=territory, seq=bare.seq, hash=bare.hash, at=now, signature=sign(bare.message))


async def seal_months(session: AsyncSession, territory: str, now: datetime, sign: Sign) -> list[Segment]:
    """Seal the months that are over and not sealed yet. Of several that do it at once one goes first."""
    require_transaction(session)
    await session.execute(select(_HEADS.c.seq).where(_HEADS.c.territory_id == territory).with_for_update())
    current = _month(now)
    made: list[Segment] = []
    while True:
        last = await session.scalar(
            select(func.max(_SEGMENTS.c.last_seq)).where(_SEGMENTS.c.territory_id == territory)
        )
        first = await _row(session, territory, (last or 0) + 1)
        if first is None or first["at"][:7] >= current:
            return made
        # From here to before the first entry of a later month: entries that a clock set back dates
        # earlier go along, since a segment is a stretch of the chain.
        month = first["at"][:7]
        following = await session.scalar(
            select(func.min(_JOURNAL.c.seq)).where(
                _JOURNAL.c.territory_id == territory,
                _JOURNAL.c.seq > first["seq"],
                _JOURNAL.c.at >= _next_month(month),
            )
        )
        if following is None:
            following = 1 + (
                await session.scalar(
                    select(func.max(_JOURNAL.c.seq)).where(_JOURNAL.c.territory_id == territory)
                )
                or 0
            )
        end = await _row(session, territory, following - 1)
        assert end is not None
        bare = Segment(
            territory=territory,
            month=month,
            first_seq=first["seq"],
            last_seq=end["seq"],
            opens_on=first["previous"],
            closes_on=end["hash"],
            signature=b"",
            pruned=False,
        )
        signature = sign(bare.message)
        await session.execute(
            _SEGMENTS.insert().values(
                territory_id=territory,
                first_seq=bare.first_seq,
                last_seq=bare.last_seq,
                month=month,
                opens_on=bare.opens_on,
                closes_on=bare.closes_on,
                signature=signature,
            )
        )
        made += [segment for segment in await segments(session, territory) if segment.month == month][-1:]


async def segments(session: AsyncSession, territory: str) -> list[Segment]:
    """The sealed months, in order."""
    rows = await session.execute(
        select(*_SEGMENTS.c).where(_SEGMENTS.c.territory_id == territory).order_by(_SEGMENTS.c.first_seq)
    )
    return [
        Segment(
            territory=territory,
            month=row["month"],
            first_seq=row["first_seq"],
            last_seq=row["last_seq"],
            opens_on=row["opens_on"],
            closes_on=row["closes_on"],
            signature=bytes(row["signature"]),
            pruned=row["pruned_at"] is not None,
            pruned_signature=bytes(row["pruned_signature"] or b""),
        )
        for row in rows.mappings()
    ]


async def prune(session: AsyncSession, territory: str, before: datetime, now: datetime, sign: Sign) -> int:
    """Delete the entries of the sealed months that ended before then, oldest first; how many months.

    The segment stays in their place. A trigger deletes its entries as it is marked, so that none can be
    pruned in part.
    """
    require_transaction(session)
    pruned = 0
    for segment in await segments(session, territory):
        if segment.pruned:
            continue
        last = await _row(session, territory, segment.last_seq)
        limit = before.astimezone(UTC).strftime("%Y-%m-%dT")
        if last is None or max(_next_month(segment.month), last["at"]) > limit:
            return pruned
        await session.execute(
            update(_SEGMENTS)
            .where(_SEGMENTS.c.territory_id == territory, _SEGMENTS.c.first_seq == segment.first_seq)
            .values(pruned_at=now, pruned_signature=sign(segment.pruning))
        )
        pruned += 1
    return pruned


async def _verify(
    session: AsyncSession, territory: str, expected: dict[int, str], check: Check | None
) -> Broken | None:
    def broken(seq: int, why: str) -> Broken:
        return Broken(territory=territory, seq=seq, why=why)

    sealed = await segments(session, territory)
    problem = _segments_broken(sealed, check)
    if problem is not None:
        return broken(*problem)
    pruned = [segment for segment in sealed if segment.pruned]
    seq, previous = (pruned[-1].last_seq, pruned[-1].closes_on) if pruned else (0, GENESIS)
    passes = {s.last_seq: s.closes_on for s in sealed if not s.pruned}
    # A head exported before its month was pruned is only known by the segment's end.
    at_ends = {s.last_seq: s.closes_on for s in pruned}
    for at, hashed in sorted(expected.items()):
        if at <= seq and at_ends.get(at, hashed) != hashed:
            return broken(at, "not the entry that the exported head names")
        if at > seq:
            if passes.get(at, hashed) != hashed:
                return broken(at, "not the entry that the exported head names")
            passes[at] = hashed
    async for row in _rows(session, territory):
        if row is None:
            return broken(seq + 1, "unreadable")
        if row["seq"] != seq + 1:
            return broken(min(row["seq"], seq + 1), "missing" if row["seq"] > seq else "out of place")
        seq += 1
        if row["previous"] != previous:
            return broken(seq, "does not follow the entry before")
        if row["hash"] != entry_hash(row, previous):
            return broken(seq, "changed")
        if passes.pop(seq, row["hash"]) != row["hash"]:
            return broken(seq, "not what was signed")
        previous = row["hash"]
    if passes:
        return broken(seq + 1, "cut off before an entry that was signed")
    head = (
        (await session.execute(select(*_HEADS.c).where(_HEADS.c.territory_id == territory)))
        .mappings()
        .one_or_none()
    )
    if head is None:
        return broken(seq, "no head") if seq else None
    if (head["seq"], head["hash"]) != (seq, previous):
        return broken(min(seq, head["seq"]) + 1, "the head names another end")
    return None


def _segments_broken(sealed: Sequence[Segment], check: Check | None) -> tuple[int, str] | None:
    seq, previous, kept = 0, GENESIS, False
    for segment in sealed:
        if segment.first_seq != seq + 1 or segment.opens_on != previous:
            return segment.first_seq, "a sealed month is missing or changed"
        if segment.pruned and kept:
            return segment.first_seq, "pruned out of order"
        if check is not None and not check(segment.message, segment.signature):
            return segment.first_seq, "a sealed month's signature"
        if check is not None and segment.pruned and not check(segment.pruning, segment.pruned_signature):
            return segment.first_seq, "pruned by another hand"
        seq, previous, kept = segment.last_seq, segment.closes_on, not segment.pruned
    return None


async def _rows(session: AsyncSession, territory: str) -> AsyncIterator[RowMapping | None]:
    """Every entry in order, a chunk at a time; None for one that cannot even be read, and no more."""
    after = -(2**31)
    while True:
        wanted = (
            select(*_JOURNAL.c)
            .where(_JOURNAL.c.territory_id == territory, _JOURNAL.c.seq > after)
            .order_by(_JOURNAL.c.seq)
        )
        chunk, readable = await _read(session, wanted)
        for row in chunk:
            yield row
            after = row["seq"]
        if not readable:
            yield None
            return
        if not chunk:
            return


async def _read(
    session: AsyncSession, wanted: Select[*tuple[object, ...]]
) -> tuple[Sequence[RowMapping], bool]:
    """The next rows, and whether all of them could be read: in SQLite's file, bytes that a hand changed may
    be no text. On PostgreSQL a statement that fails says nothing of the journal, and is raised.
    """
    try:
        return (await session.execute(wanted.limit(_CHUNK))).mappings().all(), True
    except DBAPIError:
        if session.get_bind().dialect.name != "sqlite":
            raise
    good: list[RowMapping] = []
    try:
        for place in range(_CHUNK):
            found = (await session.execute(wanted.offset(place).limit(1))).mappings().one_or_none()
            if found is None:
                break
            good.append(found)
    except DBAPIError:
        return good, False
    return good, True


async def _damaged_file(session: AsyncSession) -> Broken | None:
    """SQLite's own check of the table and its indexes: a hand in the file may have spoiled those."""
    if session.get_bind().dialect.name != "sqlite":
        return None
    try:
        verdict = (await session.execute(text("PRAGMA integrity_check(journal)"))).scalars().all()
    except DBAPIError:
        return Broken(territory="", seq=1, why="the file is damaged")
    return None if verdict == ["ok"] else Broken(territory="", seq=1, why="the file is damaged")


async def _row(session: AsyncSession, territory: str, seq: int) -> RowMapping | None:
    found = await session.execute(
        select(*_JOURNAL.c).where(_JOURNAL.c.territory_id == territory, _JOURNAL.c.seq == seq)
    )
    return found.mappings().one_or_none()


def _month(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m")


def _next_month(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def _message(*parts: str | int) -> bytes:
    return b"trait-union journal 1\0" + json.dumps(parts, separators=(",", ":"), ensure_ascii=False).encode()
