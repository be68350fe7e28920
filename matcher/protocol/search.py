"""A search and everything it remembers, as frozen values.

Times are aware datetimes in UTC. Identifiers are opaque strings: no value here holds a name,
a number or an address of a patient. What a person reads about each state is its ``#:`` comment.
The parts of a search are values of their own modules and can be had from here.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from matcher.protocol.announcement import Announcement, Condition
from matcher.protocol.answers import (
    Answer,
    Held,
    HeldAnswer,
    Position,
    RefusalReason,
    Says,
    Stand,
    Terms,
    Via,
    Where,
)
from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.outcomes import (
    HANDOVERS,
    Appointment,
    AppointmentState,
    ContactAttempt,
    Declaration,
    Ending,
    Household,
    Next,
    PatientContact,
    Release,
    ReleaseKind,
    Rest,
    Withdrawal,
    WithdrawalReason,
)
from matcher.protocol.solicitations import (
    CallAttempt,
    CallOutcome,
    Channel,
    Delivery,
    Solicitation,
    SpokeWith,
)
from matcher.protocol.states import (
    ACTIVE,
    ENDED,
    State,
)
from matcher.protocol.timers import (
    Task,
    TaskKind,
    Timer,
    TimerKind,
)
from matcher.protocol.wishes import Wish

__all__ = [
    "ACTIVE",
    "ENDED",
    "HANDOVERS",
    "Answer",
    "Appointment",
    "AppointmentState",
    "CallAttempt",
    "CallOutcome",
    "Channel",
    "Choice",
    "Consent",
    "ContactAttempt",
    "Declaration",
    "Delivery",
    "Ending",
    "Given",
    "Held",
    "HeldAnswer",
    "Household",
    "Next",
    "PatientContact",
    "Position",
    "RefusalReason",
    "Release",
    "ReleaseKind",
    "Rest",
    "Says",
    "Search",
    "Solicitation",
    "SpeaksToPatient",
    "SpokeWith",
    "Stand",
    "State",
    "Task",
    "TaskKind",
    "Terms",
    "Timer",
    "TimerKind",
    "Via",
    "Where",
    "Withdrawal",
    "WithdrawalReason",
]


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
    #: The list of patients that it came with (a doctor who retires), if any.
    origin: str | None = None
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

    def changed(self, **changes: Any) -> Self:
        """The search with these fields replaced; as ``dataclasses.replace``, without reading all the others.

        Every event of every search comes here, and there are some forty fields. TypeError for an unknown one.
        """
        if not changes.keys() <= type(self).__dataclass_fields__.keys():
            raise TypeError(f"no such field of a search: {', '.join(changes)}")
        fresh = object.__new__(type(self))
        fresh.__dict__.update(self.__dict__, **changes)
        return fresh

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
