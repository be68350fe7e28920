"""The order of the office's work, never what doctors see (PROTOCOL.md).

The reasons are health data: they stay with the record. What is kept in clear is the class alone, and
``waited`` raises it as time goes by, so that nobody starves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from matcher.records.dates import age_on

#: A discharge this near, or this little past, leaves somebody at home without a doctor.
DISCHARGE_SOON = timedelta(days=7)
DISCHARGE_PAST = timedelta(days=30)
#: After so long one class is skipped, after twice as long two.
PATIENCE = timedelta(days=30)


class Level(StrEnum):
    """The class, most pressing first."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"


@dataclass(frozen=True, kw_only=True)
class Priority:
    """A class and why, in French."""

    level: Level
    reasons: tuple[str, ...] = ()


def classify(record: Mapping[str, Any], *, urgent: bool, today: date) -> Priority:
    """The class of a request at intake, from its part ``record`` as validated.

    Urgent where the requester says so; high where at least one of the protocol's reasons holds.
    """
    reasons = list(_reasons(record, today))
    if urgent:
        return Priority(level=Level.URGENT, reasons=("signalé comme urgent", *reasons))
    return Priority(level=Level.HIGH if reasons else Level.NORMAL, reasons=tuple(reasons))


def waited(priority: Priority, *, seniority: datetime, now: datetime) -> Priority:
    """The class once the time since the first submission is counted: one higher for each 30 days."""
    steps = (now - seniority) // PATIENCE
    if steps < 1:
        return priority
    levels = list(Level)
    raised = levels[max(0, levels.index(priority.level) - steps)]
    days = (now - seniority).days
    return Priority(level=raised, reasons=(*priority.reasons, f"attend depuis {days} jours"))


def order(level: Level, seniority: datetime) -> tuple[int, datetime]:
    """A sorting key of the office's work: the class, then who has waited longest."""
    return list(Level).index(level), seniority


def _reasons(record: Mapping[str, Any], today: date) -> list[str]:
    reasons: list[str] = []
    if record.get("pregnancy") not in (None, False, "no", "unknown"):
        reasons.append("grossesse")
    if record.get("ald") == "yes":
        reasons.append("ALD")
    born = record.get("birth_date")
    if born:
        age = age_on(born, today)
        if age > 70:
            reasons.append("plus de 70 ans")
        elif age < 3:
            reasons.append("moins de 3 ans")
    leaving = record.get("discharge_on")
    if leaving and -DISCHARGE_PAST <= date.fromisoformat(leaving) - today <= DISCHARGE_SOON:
        reasons.append("sortie d’hôpital")
    return reasons
