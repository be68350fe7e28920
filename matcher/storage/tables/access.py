"""What people show to come in, beside a password; and the shared way in of a structure."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from matcher.storage.tables.columns import Key, OfTerritory, one_of

FACTORS = ("passkey", "psc", "recovery", "totp")


class FactorRow(Base):
    """Something that a user has. Counts once it was shown to work."""

    __tablename__ = "factors"
    __table_args__ = (
        one_of("kind", FACTORS),
        ForeignKeyConstraint(
            ["territory_id", "user_id"], ["users.territory_id", "users.id"], ondelete="CASCADE"
        ),
        UniqueConstraint("territory_id", "kind", "subject"),
        Index(None, "territory_id", "user_id"),
    )

    territory_id: Mapped[OfTerritory]
    id: Mapped[Key]
    user_id: Mapped[str]
    kind: Mapped[str]
    #: What the person calls it.
    name: Mapped[str]
    #: A passkey's credential id, a keyed hash of a recovery code, a ``SubjectNameID``; the user of a TOTP.
    subject: Mapped[str]
    #: A passkey's public key; a TOTP's secret, sealed under a key that is not in the database.
    held: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: A passkey's signature counter; the last accepted step of a TOTP: a step is used once.
    counter: Mapped[int]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class FormLinkRow(Base):
    """A form that a structure shares: an address and a code, without accounts."""

    __tablename__ = "form_links"
    __table_args__ = (
        ForeignKeyConstraint(["territory_id", "structure_id"], ["structures.territory_id", "structures.id"]),
        Index(None, "territory_id", "structure_id"),
    )

    territory_id: Mapped[OfTerritory]
    id: Mapped[Key]
    structure_id: Mapped[str]
    #: A keyed hash: codes are short enough to be typed.
    code_hash: Mapped[str]
    created_at: Mapped[datetime]
    #: When the code was last made anew; sessions opened before are over.
    changed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class KnownPlaceRow(Base):
    """An address from which an account came in: what fails elsewhere does not make it wait."""

    __tablename__ = "known_places"
    __table_args__ = (Index(None, "territory_id", "at"),)

    territory_id: Mapped[OfTerritory]
    account: Mapped[Key]
    #: Keyed hashes, both.
    place: Mapped[Key]
    at: Mapped[datetime]
