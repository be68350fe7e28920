"""Who was asked, how, and what the asking came to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from matcher.protocol.ids import DoctorId


class Channel(StrEnum):
    """How a doctor was asked."""

    MAIL = "mail"
    PHONE = "phone"


class Delivery(StrEnum):
    """What became of the asking."""

    #: The mail waits in the outbox.
    QUEUED = "queued"
    #: The relay accepted the mail, or the doctor was phoned.
    ASKED = "asked"
    #: Dropped before sending because it had become obsolete.
    DROPPED = "dropped"
    #: Dead or bounced: the doctor moves to the calls.
    UNREACHED = "unreached"


class CallOutcome(StrEnum):
    """What a call came to."""

    NO_ANSWER = "no_answer"
    MESSAGE_LEFT = "message_left"
    CALL_BACK = "call_back"
    SECRETARY_WILL_ASK = "secretary_will_ask"
    NO = "no"
    NOT_TAKING = "not_taking"
    DO_NOT_CALL = "do_not_call"
    YES = "yes"
    WRONG_NUMBER = "wrong_number"


class SpokeWith(StrEnum):
    """Who answered the phone."""

    DOCTOR = "doctor"
    SECRETARY = "secretary"
    REPLACEMENT = "replacement"
    MACHINE = "machine"
    NOBODY = "nobody"


@dataclass(frozen=True, kw_only=True)
class CallAttempt:
    """One call to one doctor for this search."""

    at: datetime
    outcome: CallOutcome
    spoke_with: SpokeWith | None = None
    #: When to call back, for CALL_BACK and SECRETARY_WILL_ASK.
    call_back_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Solicitation:
    """One doctor asked in the current run by one channel. Unique by (doctor, channel) in a run."""

    doctor: DoctorId
    channel: Channel
    delivery: Delivery
    #: When it was enqueued (mail) or first phoned.
    at: datetime
    #: The wave that mailed it, 1 or more; 0 for a call.
    wave: int = 0
    #: When the relay accepted it.
    accepted_at: datetime | None = None
    #: When the one reminder was enqueued.
    reminded_at: datetime | None = None
    attempts: tuple[CallAttempt, ...] = ()
