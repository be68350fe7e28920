"""A search and everything it remembers, as frozen values.

Times are aware datetimes in UTC. Identifiers are opaque strings: no value here holds a name,
a number or an address of a patient. What a person reads about each state is its ``#:`` comment.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from matcher.protocol.announcement import Announcement, Condition
from matcher.protocol.ids import AnswerId, DoctorId, OfferId, SearchId
from matcher.protocol.wishes import Wish


class State(StrEnum):
    """Where a search stands (PROTOCOL.md, "The states of a search")."""

    #: Being filled in, by a requester or by the coordinatrice during a call.
    DRAFT = "draft"
    #: Handed in; the coordinatrice looks at it.
    SUBMITTED = "submitted"
    #: Sent back with what is missing; the requester completes it.
    RETURNED = "returned"
    #: Complete, consented, announcement chosen; waits for the launch.
    READY = "ready"
    #: Members are being asked by mail.
    ASKING = "asking"
    #: Doctors are being phoned; the links of the mails stay valid.
    CALLING = "calling"
    #: At least one doctor said yes; the patient chooses.
    PROPOSING = "proposing"
    #: One doctor was chosen and may open the record.
    RELEASED = "released"
    #: The patient is unreachable or unavailable; no delay runs.
    RESTING = "resting"
    #: First appointment honoured and the declaration noted.
    ATTACHED = "attached"
    #: Nobody, or nobody the patient accepts; says what comes next.
    UNMET = "unmet"
    #: Taken back, found elsewhere, duplicate, left, or death.
    WITHDRAWN = "withdrawn"


#: A run is going on: doctors may be asked, answer, be proposed or chosen.
ACTIVE = frozenset({State.ASKING, State.CALLING, State.PROPOSING, State.RELEASED})
#: Nothing more happens unless a person reopens it.
ENDED = frozenset({State.ATTACHED, State.UNMET, State.WITHDRAWN})


class Given(StrEnum):
    """What the patient said to sharing the record with the chosen doctor."""

    YES = "yes"
    UNDECIDED = "undecided"
    NO = "no"


@dataclass(frozen=True, kw_only=True)
class Consent:
    """The part of the consent that the rules need; its text, language and way are in the record."""

    given: Given
    at: datetime
    #: The patient agreed beforehand that the first unconditional yes is chosen without a question.
    first_match_agreed: bool = False
    #: The requester may learn the doctor's name and the appointment.
    outcome_shared: bool = False
    #: The chosen doctor may learn the nationality.
    nationality_shared: bool = False


class Choice(StrEnum):
    """How the doctor is chosen once somebody said yes."""

    PATIENT_CHOOSES = "patient_chooses"
    FIRST_MATCH = "first_match"


class SpeaksToPatient(StrEnum):
    """Who presents the proposals to the patient."""

    COORDINATRICE = "coordinatrice"
    REQUESTER = "requester"


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


class TimerKind(StrEnum):
    """What a due step does. At most one timer per (kind, doctor) in a search."""

    #: An accepted answer takes effect (per doctor).
    SETTLE = "settle"
    #: A held answer that nobody settled in a working day becomes urgent (per doctor).
    HELD_OVERDUE = "held_overdue"
    #: One reminder to the silent doctors of the wave.
    REMINDER = "reminder"
    NEXT_WAVE = "next_wave"
    CALLS = "calls"
    #: A mail retried for 4 hours no longer counts for its wave's delays.
    MAIL_OVERDUE = "mail_overdue"
    #: No mail of the run was accepted within an hour: the office is told.
    NOBODY_REACHED = "nobody_reached"
    #: A yes is asked again (per doctor).
    YES_HELD = "yes_held"
    #: A yes asked again and not confirmed a day later lapses (per doctor).
    YES_LAPSES = "yes_lapses"
    CHOICE_CHASE = "choice_chase"
    OPENING_REMINDER = "opening_reminder"
    OPENING_CALL = "opening_call"
    APPOINTMENT_ASKED = "appointment_asked"
    APPOINTMENT_CHECK = "appointment_check"
    #: A promised call-back is due (per doctor).
    CALL_BACK = "call_back"
    #: The end of a rest.
    WAKE = "wake"
    #: The date of a planned relaunch.
    RELAUNCH = "relaunch"
    #: Untouched for 90 days: a task.
    UNTOUCHED = "untouched"
    #: Untouched for 180 days: ends unmet, unconfirmed.
    ABANDONED = "abandoned"
    #: The 7 days in which a withdrawal may be undone are over: the keys are destroyed.
    GRACE_OVER = "grace_over"
    #: Retention of a draft, a returned request or an ended record is over.
    RETENTION_OVER = "retention_over"


@dataclass(frozen=True, kw_only=True)
class Timer:
    """A step that is due at ``at``."""

    kind: TimerKind
    at: datetime
    doctor: DoctorId | None = None


class TaskKind(StrEnum):
    """What waits for a person of the office, beyond what the state itself says."""

    ANSWER_HELD = "answer_held"
    ANSWER_HELD_OVERDUE = "answer_held_overdue"
    NOBODY_REACHED = "nobody_reached"
    MAIL_UNREACHED = "mail_unreached"
    CALL_BACK = "call_back"
    LAST_YES_GONE = "last_yes_gone"
    CHOICE_WAITED_FOR = "choice_waited_for"
    RECORD_NOT_OPENED = "record_not_opened"
    LINK_LOCKED = "link_locked"
    CALL_ME_FOR_THE_CODE = "call_me_for_the_code"
    RELEASE_UNREACHED = "release_unreached"
    APPOINTMENT_DATE_WANTED = "appointment_date_wanted"
    APPOINTMENT_TO_CHECK = "appointment_to_check"
    APPOINTMENT_MISSED = "appointment_missed"
    RECONFIRM = "reconfirm"
    PATIENT_UNREACHABLE = "patient_unreachable"
    RELAUNCH_DUE = "relaunch_due"
    LATE_YES = "late_yes"
    DOCTOR_GAVE_UP = "doctor_gave_up"
    BOTH_RELEASED = "both_released"
    UNTOUCHED = "untouched"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One thing for the office to do. At most one per (kind, doctor) in a search."""

    kind: TaskKind
    since: datetime
    doctor: DoctorId | None = None


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


@dataclass(frozen=True, kw_only=True)
class Search:
    """One search, for one patient or household. Positions and solicitations are the current run's."""

    id: SearchId
    territory: str
    state: State
    #: When ``state`` was entered.
    since: datetime
    created_at: datetime
    #: The last time a person or an answer touched it; the 90 and 180 days count from here.
    touched_at: datetime
    run: int = 1
    #: When it was first submitted; kept through runs and reopenings, so that nobody starts again at the end.
    seniority: datetime | None = None
    urgent: bool = False
    choice: Choice = Choice.PATIENT_CHOOSES
    speaks_to_patient: SpeaksToPatient = SpeaksToPatient.COORDINATRICE
    consent: Consent | None = None
    #: When need and consent were last confirmed together.
    confirmed_at: datetime | None = None
    #: What a returned request lacks, as field names.
    missing: tuple[str, ...] = ()
    household: Household | None = None
    announcement: Announcement | None = None
    #: The text is fixed at the first launch.
    announcement_frozen: bool = False
    #: In order of importance.
    wishes: tuple[Wish, ...] = ()
    conditions: frozenset[Condition] = frozenset()
    #: The last wave mailed in this run, 0 before the first.
    wave: int = 0
    #: The neighbouring zone may be phoned.
    widened: bool = False
    #: ``first_match`` has triggered in this run.
    first_match_done: bool = False
    solicitations: tuple[Solicitation, ...] = ()
    positions: tuple[Position, ...] = ()
    #: Doctors the patient declined: never asked again in this search.
    declined: frozenset[DoctorId] = frozenset()
    #: How many releases there were in the whole search.
    releases: int = 0
    release: Release | None = None
    appointment: Appointment | None = None
    declaration: Declaration | None = None
    rest: Rest | None = None
    #: Attempts to reach the patient since the last success.
    contact_attempts: tuple[ContactAttempt, ...] = ()
    withdrawal: Withdrawal | None = None
    ending: Ending | None = None
    #: The data keys are gone: nothing can be released, relaunched or brought back.
    record_destroyed: bool = False
    #: Numbers the letters that may go more than once in a run, so that each has its own Message-ID.
    letters: int = 0
    timers: tuple[Timer, ...] = ()
    tasks: tuple[Task, ...] = ()

    def position(self, doctor: DoctorId) -> Position | None:
        """The doctor's position in this run, if any."""
        return next((p for p in self.positions if p.doctor == doctor), None)

    def solicitation(self, doctor: DoctorId, channel: Channel) -> Solicitation | None:
        """The asking of this doctor by this channel in this run, if any."""
        return next((s for s in self.solicitations if s.doctor == doctor and s.channel == channel), None)

    @property
    def chosen(self) -> DoctorId | None:
        """The one chosen doctor of this run."""
        return next((p.doctor for p in self.positions if p.stand is Stand.CHOSEN), None)

    @property
    def standing_yes(self) -> tuple[Position, ...]:
        """Every yes not chosen: proposals while proposing, the reserve otherwise; oldest first."""
        kept = (p for p in self.positions if p.stand in (Stand.YES, Stand.UNCONFIRMED))
        return tuple(sorted(kept, key=lambda p: (p.at, p.doctor)))
