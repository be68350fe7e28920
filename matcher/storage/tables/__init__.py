"""Every table of the installation, the outbox of ``messaging`` included."""

from config.database import Base
from matcher.storage.tables.access import FactorRow, FormLinkRow, KnownPlaceRow
from matcher.storage.tables.columns import table
from matcher.storage.tables.directory import (
    CounterRow,
    DoctorRow,
    HouseholdsRow,
    OfferRow,
    PlaceRow,
    PopulationRow,
    TerritoryRow,
    TravelRow,
)
from matcher.storage.tables.doctor_factors import DoctorFactorRow
from matcher.storage.tables.figures import FigureRow
from matcher.storage.tables.ledger import IdempotencyRow, JournalHeadRow, JournalRow, JournalSegmentRow
from matcher.storage.tables.origins import OriginAskRow, OriginRow
from matcher.storage.tables.people import ApiKeyRow, FailureRow, SessionRow, StructureRow, UserRow
from matcher.storage.tables.received import ReceivedRow
from matcher.storage.tables.searches import (
    CallAttemptRow,
    CallClaimRow,
    GatheredRow,
    LinkRow,
    PositionRow,
    ReleaseRow,
    SearchRow,
    SolicitationRow,
    TaskRow,
    TimerRow,
)
from matcher.storage.tables.vault import DestroyedKeyRow, LookupRow, SealedRow
from messaging.outbox import OutboxRow

#: What the migrations build.
metadata = Base.metadata

__all__ = [
    "ApiKeyRow",
    "CallAttemptRow",
    "CallClaimRow",
    "CounterRow",
    "DestroyedKeyRow",
    "DoctorFactorRow",
    "DoctorRow",
    "FactorRow",
    "FailureRow",
    "FigureRow",
    "FormLinkRow",
    "GatheredRow",
    "HouseholdsRow",
    "IdempotencyRow",
    "JournalHeadRow",
    "JournalRow",
    "JournalSegmentRow",
    "KnownPlaceRow",
    "LinkRow",
    "LookupRow",
    "OfferRow",
    "OriginAskRow",
    "OriginRow",
    "OutboxRow",
    "PlaceRow",
    "PopulationRow",
    "PositionRow",
    "ReceivedRow",
    "ReleaseRow",
    "SealedRow",
    "SearchRow",
    "SessionRow",
    "SolicitationRow",
    "StructureRow",
    "TaskRow",
    "TerritoryRow",
    "TimerRow",
    "TravelRow",
    "UserRow",
    "metadata",
    "table",
]
