"""What came back by mail: bounces and replies. Their texts lie sealed, with the record they speak of."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from config.database import Base
from matcher.storage.tables.columns import Key, TerritoryId, of_search, one_of

#: noted: nobody need read it; waiting: for a person; settled: a person dealt with it.
STATES = ("noted", "waiting", "settled")


class ReceivedRow(Base):
    """One mail that came back, once, whatever the number of its copies. No address and no text."""

    __tablename__ = "received"
    __table_args__ = (
        of_search(),
        # The keyed hash of what it answers and of its Message-ID: a second copy is the same row.
        UniqueConstraint("territory_id", "key"),
        CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name="settled"),
        one_of("state", STATES),
        Index(None, "territory_id", "state", "at"),
        Index(None, "territory_id", "search_id"),
    )

    territory_id: Mapped[TerritoryId]
    id: Mapped[Key]
    key: Mapped[str]
    at: Mapped[datetime]
    #: The letter that it answers or returns, and to whom that one went.
    letter: Mapped[str]
    search_id: Mapped[str]
    run: Mapped[int | None]
    doctor_id: Mapped[str | None]
    #: reply, automatic or bounce.
    kind: Mapped[str]
    #: What was understood: yes, no, pause, unclear; permanent, undelivered, noted.
    reading: Mapped[str]
    #: doctor, delegate, other or server.
    sender: Mapped[str]
    state: Mapped[str]
    #: An answer or a bounce took effect, whether or not a person shall read it too.
    counted: Mapped[bool]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
