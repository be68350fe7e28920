"""The journal, and the answers kept for repeated requests."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from config.database import Base
from matcher.storage.tables.columns import Bytes, Key, Number, OfTerritory, Structured


class JournalRow(Base):
    """One entry of a territory's journal. Opaque identifiers and words of the code; no patient data.

    Triggers refuse UPDATE, and DELETE but of a sealed segment that is being pruned.
    """

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("territory_id", "previous"),
        CheckConstraint("seq >= 1", name="seq"),
        Index(None, "territory_id", "search_id", "seq"),
        Index(None, "territory_id", "action", "at"),
    )

    territory_id: Mapped[OfTerritory]
    seq: Mapped[Number]
    #: As text, exactly as it was hashed.
    at: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    action: Mapped[str]
    search_id: Mapped[str | None]
    doctor_id: Mapped[str | None]
    purpose: Mapped[str | None]
    state: Mapped[str | None]
    #: Hexadecimal SHA-256 of the entry before; of nothing for the first.
    previous: Mapped[str]
    hash: Mapped[str]


class JournalHeadRow(Base):
    """The last entry of a territory's journal. Whoever appends locks it first."""

    __tablename__ = "journal_heads"

    territory_id: Mapped[OfTerritory]
    seq: Mapped[int]
    hash: Mapped[str]


class JournalSegmentRow(Base):
    """A month of a journal, sealed by a signature; once pruned it stands for its entries."""

    __tablename__ = "journal_segments"
    __table_args__ = (CheckConstraint("first_seq <= last_seq", name="order"),)

    territory_id: Mapped[OfTerritory]
    first_seq: Mapped[Number]
    #: "2026-11", by its first entry; a clock set back can give a month a second segment.
    month: Mapped[str]
    last_seq: Mapped[int]
    #: ``previous`` of the first entry.
    opens_on: Mapped[str]
    #: ``hash`` of the last entry.
    closes_on: Mapped[str]
    signature: Mapped[Bytes]
    pruned_at: Mapped[datetime | None]
    #: That it was the service that pruned it, signed like the month itself.
    pruned_signature: Mapped[Bytes | None]


class IdempotencyRow(Base):
    """What a POST that creates answered, for the same key again."""

    __tablename__ = "idempotency"
    __table_args__ = (Index(None, "territory_id", "created_at"),)

    territory_id: Mapped[OfTerritory]
    actor_id: Mapped[Key]
    key_hash: Mapped[Key]
    request_hash: Mapped[str]
    #: None while the first request is still being answered, inside its transaction.
    response: Mapped[Structured | None]
    created_at: Mapped[datetime]
