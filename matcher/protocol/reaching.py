"""When everything was tried to reach the patient (PROTOCOL.md, "What users of such systems miss most").

Three tries on different days and hours, one of them through the requester; then the search rests. Who
answers at no hour of the morning may answer in the afternoon, and who changed numbers is known to the
structure that sent them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, tzinfo
from enum import StrEnum

from matcher.protocol.outcomes import ContactAttempt, PatientContact

_NOON = time(13)


class Half(StrEnum):
    """The half of a day."""

    MORNING = "morning"
    AFTERNOON = "afternoon"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is still to be tried before a patient counts as unreachable; false where it is nothing."""

    #: Calls to the patient, each on a half day of its own.
    calls: int = 0
    #: The half of the day at which nobody called yet.
    half: Half | None = None
    #: Every call so far was on this day.
    other_than: date | None = None
    #: Nobody tried through the requester yet.
    requester: bool = False

    def __bool__(self) -> bool:
        return self.calls > 0 or self.requester


def wanted(attempts: Iterable[ContactAttempt], tries: int, zone: tzinfo) -> Wanted:
    """What is missing of ``tries`` tries, one of them through the requester, the others calls.

    Two calls of one half day count once. From two calls on both halves of the day and two days are needed.
    """
    tried = [(a, a.at.astimezone(zone)) for a in attempts]
    called = {
        (at.date(), Half.MORNING if at.time() < _NOON else Half.AFTERNOON)
        for attempt, at in tried
        if attempt.outcome is not PatientContact.THROUGH_REQUESTER
    }
    through = any(attempt.outcome is PatientContact.THROUGH_REQUESTER for attempt, _ in tried)
    calls = max(0, tries - 1 - len(called))
    days, halves = {day for day, _ in called}, {half for _, half in called}
    half = other_than = None
    if called and tries > 2:
        half = next((one for one in Half if one not in halves), None)
        other_than = min(days) if len(days) == 1 else None
        if half is not None or other_than is not None:
            calls = max(1, calls)
    return Wanted(calls=calls, half=half, other_than=other_than, requester=not through)
