"""What becomes of a search: release and attachment, rest, end, contacts with the patient, household."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from matcher.protocol.ids import DoctorId
from matcher.protocol.states import State
from matcher.protocol.timers import Timer


class ReleaseKind(StrEnum):
    """How the record reaches the chosen doctor."""

    #: The page ``/dossier``, by link and second factor.
    PAGE = "page"
    #: Secure health messaging.
    MSSANTE = "mssante"
    #: Printed and handed to the patient to carry.
    PAPER = "paper"
    #: Read out by the office on a call that it places.
    READ_BY_PHONE = "read_by_phone"


#: The kinds that need no mailbox; chosen explicitly by a person.
HANDOVERS = frozenset({ReleaseKind.PAPER, ReleaseKind.READ_BY_PHONE})


@dataclass(frozen=True, kw_only=True)
class Release:
    """The giving of the record to the chosen doctor. A renewal raises ``number``: the old link dies."""

    doctor: DoctorId
    kind: ReleaseKind
    #: 1 for the first release of the search, never used twice in a search, whatever the run.
    number: int
    at: datetime
    opened_at: datetime | None = None
    acknowledged_at: datetime | None = None
    #: Five wrong codes lock the link until it is renewed.
    locked: bool = False


class AppointmentState(StrEnum):
    PLANNED = "planned"
    HONOURED = "honoured"
    MISSED = "missed"


@dataclass(frozen=True, kw_only=True)
class Appointment:
    on: date
    state: AppointmentState


class Declaration(StrEnum):
    """The médecin traitant declaration to the health insurance."""

    DONE = "done"
    PAPER = "paper"
    LATER = "later"
    NOT_APPLICABLE = "not_applicable"


class WithdrawalReason(StrEnum):
    CONSENT = "consent"
    FOUND_ONE = "found_one"
    DUPLICATE = "duplicate"
    LEFT = "left"
    DEATH = "death"


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    reason: WithdrawalReason
    at: datetime
    #: What an undo restores: the state left, and its timers.
    left: State
    timers: tuple[Timer, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rest:
    since: datetime
    left: State
    until: date | None = None
    #: The timers that stand still, shifted by the rest's length on waking.
    timers: tuple[Timer, ...] = ()


class Next(StrEnum):
    """What comes after an unmet search."""

    RELAUNCH = "relaunch"
    MEDIATOR = "mediator"
    PASS = "pass"  # noqa: S105 - the permanence d'accès aux soins, no password
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a search ended unmet."""

    at: datetime
    next: Next
    relaunch_on: date | None = None
    #: Closed by the 180-day rule, nobody confirmed it.
    unconfirmed: bool = False


class PatientContact(StrEnum):
    """What an attempt to reach the patient came to."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    MESSAGE_LEFT = "message_left"
    THROUGH_REQUESTER = "through_requester"
    WRONG_NUMBER = "wrong_number"


@dataclass(frozen=True, kw_only=True)
class ContactAttempt:
    at: datetime
    outcome: PatientContact


@dataclass(frozen=True, kw_only=True)
class Household:
    """How many persons one search stands for. Children are under 18."""

    adults: int = 1
    children: int = 0
