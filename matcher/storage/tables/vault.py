"""Sealed sections of records, and the keyed hashes by which staff find a patient again."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from matcher.storage.tables.columns import Bytes, Key, OfTerritory, TerritoryId, of_search


class SealedRow(Base):
    """One sealed section of a record (``record``, ``contact``, ``figures``, ``draft``, ``label`` …)."""

    __tablename__ = "sealed"
    __table_args__ = (
        of_search(),
        # Destroyed is gone: neither the data key nor the text stays.
        CheckConstraint(
            "destroyed = (sealed_key IS NULL) AND destroyed = (ciphertext IS NULL)",
            name="destroyed",
        ),
        Index(None, "territory_id", "key_name"),
    )

    territory_id: Mapped[TerritoryId]
    search_id: Mapped[Key]
    section: Mapped[Key]
    #: The key pair whose public half sealed the data key: of a month's records, or its drafts.
    key_name: Mapped[str]
    version: Mapped[int]
    sealed_key: Mapped[Bytes | None]
    commitment: Mapped[Bytes | None]
    nonce: Mapped[Bytes | None]
    ciphertext: Mapped[Bytes | None]
    #: Nobody opens it any more, but it can still be brought back within the grace.
    closed_at: Mapped[datetime | None]
    destroyed: Mapped[bool]


class DestroyedKeyRow(Base):
    """A key pair that was destroyed: whoever still has its public half seals nothing to it any more."""

    __tablename__ = "destroyed_keys"

    territory_id: Mapped[OfTerritory]
    key_name: Mapped[Key]
    at: Mapped[datetime]


class LookupRow(Base):
    """A keyed hash of a name, a birth date, a phone … of a record."""

    __tablename__ = "lookup"
    __table_args__ = (of_search(), Index(None, "territory_id", "search_id", "kind", "hmac"))

    territory_id: Mapped[TerritoryId]
    kind: Mapped[Key]
    hmac: Mapped[Key]
    search_id: Mapped[str] = mapped_column(primary_key=True)
