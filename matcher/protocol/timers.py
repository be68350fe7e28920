"""What is due by itself, and what waits for a person of the office."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from matcher.protocol.ids import DoctorId


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
