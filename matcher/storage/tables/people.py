"""Who uses the service: structures that submit, users, keys of other systems, open sessions."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from matcher.storage.tables.columns import Key, OfTerritory, Structured, TerritoryId, one_of

#: What a requester is (CONTRACT.md, ``key add --kind``).
STRUCTURE_KINDS = (
    "pass",
    "urgences",
    "ccas",
    "social",
    "ehpad",
    "permanence",
    "infirmier",
    "pharmacien",
    "medecin",
    "autre",
)
ROLES = ("coordinatrice", "coordinatrice_sociale", "secretaire", "directrice", "requester")


def _of_structure() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["territory_id", "structure_id"], ["structures.territory_id", "structures.id"]
    )


class StructureRow(Base):
    """A structure that submits requests."""

    __tablename__ = "structures"
    __table_args__ = (one_of("kind", STRUCTURE_KINDS), UniqueConstraint("territory_id", "name"))

    territory_id: Mapped[OfTerritory]
    id: Mapped[Key]
    name: Mapped[str]
    kind: Mapped[str]
    #: Where news go, in neutral words.
    email: Mapped[str | None]
    phone: Mapped[str | None]
    created_at: Mapped[datetime]


class UserRow(Base):
    """A person who logs in. Without a password until the enrolment link is used."""

    __tablename__ = "users"
    __table_args__ = (
        one_of("role", ROLES),
        CheckConstraint("(role = 'requester') = (structure_id IS NOT NULL)", name="structure"),
        _of_structure(),
        UniqueConstraint("territory_id", "email"),
        Index(None, "territory_id", "enrolment_hash"),
    )

    territory_id: Mapped[OfTerritory]
    id: Mapped[Key]
    #: In lower case.
    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    structure_id: Mapped[str | None]
    #: Argon2id, in its own text form.
    password_hash: Mapped[str | None]
    enrolment_hash: Mapped[str | None]
    enrolment_expires_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class ApiKeyRow(Base):
    """A key of another system. Only its hash is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (
        one_of("role", ROLES),
        CheckConstraint("(role = 'requester') = (structure_id IS NOT NULL)", name="structure"),
        _of_structure(),
        UniqueConstraint("territory_id", "key_hash"),
    )

    territory_id: Mapped[OfTerritory]
    id: Mapped[Key]
    name: Mapped[str]
    role: Mapped[str]
    structure_id: Mapped[str | None]
    key_hash: Mapped[str]
    #: Words of ``service.scopes``, joined by spaces; None for everything that its role may do.
    scopes: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    #: To the hour.
    used_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class SessionRow(Base):
    """An open session of the pages. The territory is empty before the login."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index(None, "territory_id", "user_id"),
        Index(None, "territory_id", "expires_at"),
    )

    territory_id: Mapped[TerritoryId]
    #: Hash of what the cookie holds: a stolen table opens no session.
    key_hash: Mapped[Key]
    user_id: Mapped[str | None]
    data: Mapped[Structured]
    #: The browser, in the words of its own header's first product.
    agent: Mapped[str | None]
    opened_at: Mapped[datetime | None]
    #: To the minute: what is left alone for too long is over.
    seen_at: Mapped[datetime | None]
    #: Never moved.
    expires_at: Mapped[datetime]


class FailureRow(Base):
    """Failed attempts of one subject in one window, for the limits on logins and codes."""

    __tablename__ = "failures"
    __table_args__ = (Index(None, "territory_id", "window"),)

    territory_id: Mapped[TerritoryId]
    kind: Mapped[Key]
    #: A keyed hash of an account or an address, never the thing itself.
    subject: Mapped[Key]
    window: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]
