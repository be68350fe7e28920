"""Lists of patients who come together (a doctor who retires), and what each doctor answered to one."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from config.database import Base
from matcher.storage.tables.columns import Key, OfTerritory, Structured, TerritoryId, of_doctor


class OriginRow(Base):
    """One list. Its name is the office's and the requester's; no doctor ever reads it."""

    __tablename__ = "origins"
    __table_args__ = (
        ForeignKeyConstraint(["territory_id", "structure_id"], ["structures.territory_id", "structures.id"]),
        # Two structures may call two lists alike. The owner is the structure's id, empty for the office.
        UniqueConstraint("territory_id", "owner", "name"),
    )

    territory_id: Mapped[OfTerritory]
    id: Mapped[Key]
    name: Mapped[str]
    owner: Mapped[str]
    structure_id: Mapped[str | None]
    created_at: Mapped[datetime]
    #: What the mail said when it was first sent; it says the same to everybody.
    persons: Mapped[int | None]
    place: Mapped[str | None]


class OriginAskRow(Base):
    """One doctor asked how many of a list he could take: once, whatever he answers."""

    __tablename__ = "origin_asks"
    __table_args__ = (
        of_doctor(),
        ForeignKeyConstraint(
            ["territory_id", "origin_id"], ["origins.territory_id", "origins.id"], ondelete="CASCADE"
        ),
        CheckConstraint(
            "state IN ('queued', 'asked', 'unreached', 'dropped', 'held', 'answered')", name="state"
        ),
        CheckConstraint("places >= 0", name="places"),
        Index(None, "territory_id", "doctor_id"),
    )

    territory_id: Mapped[TerritoryId]
    origin_id: Mapped[Key]
    doctor_id: Mapped[Key]
    state: Mapped[str]
    at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    #: What he offered, or seemed to: an answer that came too fast is held until the office has settled it.
    places: Mapped[int | None]
    from_: Mapped[date | None]
    until: Mapped[date | None]
    declines: Mapped[Structured | None]
