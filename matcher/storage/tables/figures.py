"""Counters that outlive every record: no identity, one measure at a time."""

from sqlalchemy.orm import Mapped

from config.database import Base
from matcher.storage.tables.columns import Key, OfTerritory


class FigureRow(Base):
    """How many requests of a month had this value and ended so. Nothing leads from here to a search."""

    __tablename__ = "figures"

    territory_id: Mapped[OfTerritory]
    #: ``2026-11``, in the territory's own time.
    month: Mapped[Key]
    #: ``requests``, ``attached``, ``days``, or a group: ``age``, ``coverage``, ``ald``, ``quartier``.
    measure: Mapped[Key]
    value: Mapped[Key]
    #: The state in which the search ended.
    outcome: Mapped[Key]
    count: Mapped[int]
