"""What must now be done, as values. The service carries them out in the transaction of the event."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from matcher.protocol.ids import DoctorId, OfferId
from matcher.protocol.search import Household, Release


class Letter(StrEnum):
    """The mails there are. A name here is a folder of ``templates/mail``."""

    #: To a doctor, answered over ``/r``.
    ANNOUNCEMENT = "announcement"
    REMINDER = "reminder"
    #: Several announcements, or reminders, of different searches in one mail. No step asks for it: the
    #: service gathers what it would have sent one by one.
    DIGEST = "digest"
    #: How many patients of a list he could take: a count and a place. No step asks for it either.
    LIST = "list"
    #: The link that makes a plain "oui" count, or that asks an old yes again.
    CONFIRM_ANSWER = "confirm_answer"
    STILL_AVAILABLE = "still_available"
    #: "The patient has another in mind; your yes stays in reserve."
    KEPT_IN_RESERVE = "kept_in_reserve"
    #: "It is over, thank you."
    THANKED = "thanked"
    #: To the chosen doctor: the link of the record.
    CHOSEN = "chosen"
    NOT_OPENED = "not_opened"
    #: To a doctor who gave up or whose patient withdrew after opening.
    PLEASE_DELETE = "please_delete"
    #: To a doctor whom the office has on the phone: the link that sets an authenticator up.
    SECOND_FACTOR = "second_factor"
    #: To the requester.
    REQUESTER_NEWS = "requester_news"
    CHOICE_CHASED = "choice_chased"


@dataclass(frozen=True, kw_only=True)
class SendToDoctor:
    """One mail to one doctor. Its Message-ID derives from these, the territory, the search and its run."""

    letter: Letter
    doctor: DoctorId
    #: Tells two letters of the same name apart: a release's number, else 1.
    number: int = 1


@dataclass(frozen=True, kw_only=True)
class SendToRequester:
    """News to the requester's structure, in neutral words."""

    letter: Letter
    number: int = 1


@dataclass(frozen=True, kw_only=True)
class OpenRelease:
    """The chosen doctor, and only that one, may now have the record; the old link of the release dies."""

    release: Release


@dataclass(frozen=True, kw_only=True)
class EndRelease:
    """The chosen doctor may no longer have the record (gave up, patient desists, withdrawn)."""

    doctor: DoctorId


@dataclass(frozen=True, kw_only=True)
class RevokeLinks:
    """A doctor's answer links of this search die (bounced or corrected address)."""

    doctor: DoctorId


@dataclass(frozen=True, kw_only=True)
class PauseDoctor:
    """The doctor is away until ``until``, for every search of the territory; None lifts his pause."""

    doctor: DoctorId
    until: date | None


@dataclass(frozen=True, kw_only=True)
class NeverCall:
    """The doctor asked not to be phoned."""

    doctor: DoctorId


@dataclass(frozen=True, kw_only=True)
class FlagNumber:
    """The doctor's phone number is wrong: a task of the directory."""

    doctor: DoctorId


@dataclass(frozen=True, kw_only=True)
class FlagMailbox:
    """The doctor's address bounced: mailed no more until corrected."""

    doctor: DoctorId


@dataclass(frozen=True, kw_only=True)
class CountOffer:
    """A standing offer is used (-1) or given back (+1)."""

    offer: OfferId
    by: int


@dataclass(frozen=True, kw_only=True)
class SplitHousehold:
    """The rest of a household becomes a new search, ready, with the same seniority."""

    rest: Household


@dataclass(frozen=True, kw_only=True)
class CloseRecord:
    """Nobody opens the record any more, but it can still be brought back within the grace."""


@dataclass(frozen=True, kw_only=True)
class ReopenRecord:
    """A withdrawal was undone in time."""


@dataclass(frozen=True, kw_only=True)
class DestroyRecord:
    """The data keys are destroyed now (P9). ``consent_taken_back`` also goes to the register kept
    outside the database, which a restore replays first.
    """

    consent_taken_back: bool


Effect: TypeAlias = (
    SendToDoctor
    | SendToRequester
    | OpenRelease
    | EndRelease
    | RevokeLinks
    | PauseDoctor
    | NeverCall
    | FlagNumber
    | FlagMailbox
    | CountOffer
    | SplitHousehold
    | CloseRecord
    | ReopenRecord
    | DestroyRecord
)
