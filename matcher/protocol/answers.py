"""What a doctor answers, and where he stands in a run."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from matcher.protocol.ids import AnswerId, DoctorId, OfferId


class Where(StrEnum):
    """Where a doctor would see the patient."""

    PRACTICE = "practice"
    VISITS = "visits"
    TELECONSULTATION = "teleconsultation"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The conditions a doctor puts on a yes."""

    from_: date | None = None
    where: Where | None = None
    #: How many persons of a household.
    count: int | None = None
    #: « Je dépanne » : once only. Kept, but no proposal.
    once: bool = False

    @property
    def unconditional(self) -> bool:
        """Whether the yes has no condition at all."""
        return self == Terms()


class Says(StrEnum):
    """What a doctor answers."""

    YES = "yes"
    NO = "no"
    PAUSE = "pause"
    UNDO = "undo"


class Via(StrEnum):
    """How an answer reached us. Only LINK, and an OFFER made by link, may trigger ``first_match``."""

    LINK = "link"
    DELEGATE = "delegate"
    PHONE = "phone"
    MAIL = "mail"
    OFFER = "offer"


class RefusalReason(StrEnum):
    """Why a doctor says no, by one tap."""

    FULL = "full"
    TOO_FAR = "too_far"
    ON_LEAVE = "on_leave"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer of one doctor. ``id`` is given by the caller and unique in the search."""

    id: AnswerId
    says: Says
    via: Via
    at: datetime
    terms: Terms = field(default_factory=Terms)
    reason: RefusalReason | None = None
    #: The end of a pause.
    until: date | None = None
    #: For OFFER: the standing offer that this yes comes from.
    offer: OfferId | None = None


class Held(StrEnum):
    """Why an answer waits for a person instead of taking effect."""

    #: Within ``min_reading`` of the link's last opening: a scanner may have done it.
    TOO_QUICK = "too_quick"
    #: Another answer of the same doctor came before this one took effect.
    CONTRADICTION = "contradiction"


@dataclass(frozen=True, kw_only=True)
class HeldAnswer:
    """An answer that moves nothing until the office settles it."""

    answer: Answer
    why: Held


class Stand(StrEnum):
    """Where a doctor stands in a run, once he has answered."""

    #: No effective answer yet (an answer may be settling or held).
    OPEN = "open"
    #: A yes that stands: a proposal while proposing, a reserve otherwise.
    YES = "yes"
    #: A yes that must be confirmed before it can be chosen: by plain mail, or older than ``yes_held``.
    UNCONFIRMED = "unconfirmed"
    #: « Je dépanne » : kept, no proposal.
    ONCE = "once"
    #: Not this time.
    NO = "no"
    #: Pauses until a date; the old link may still say yes.
    PAUSED = "paused"
    #: The patient declined this doctor.
    DECLINED = "declined"
    #: The patient chose this doctor; at most one in a run (P2).
    CHOSEN = "chosen"
    #: Was chosen, then gave up.
    GAVE_UP = "gave_up"


@dataclass(frozen=True, kw_only=True)
class Position:
    """What one doctor has answered in the current run. One per doctor and run."""

    doctor: DoctorId
    stand: Stand = Stand.OPEN
    #: When the answer behind ``stand`` took effect (for CHOSEN: when he was chosen).
    at: datetime
    #: The effective answer behind ``stand``.
    answer: Answer | None = None
    #: Accepted, takes effect after ``settle``.
    settling: Answer | None = None
    held: tuple[HeldAnswer, ...] = ()
