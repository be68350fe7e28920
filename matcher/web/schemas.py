"""What the API answers, for the OpenAPI document. The views themselves are made by the use cases.

More may be added to any of them; what a reader of the document finds here stays. A field that is not
``Required`` is left out where there is nothing to say.
"""

from datetime import date, datetime
from typing import Any, Literal, Required

from typing_extensions import TypedDict

from matcher.protocol.search import (
    AppointmentState,
    Channel,
    Choice,
    Declaration,
    Given,
    Held,
    Next,
    PatientContact,
    ReleaseKind,
    Says,
    SpeaksToPatient,
    State,
    TaskKind,
    TimerKind,
    Where,
    WithdrawalReason,
)


class ProblemView(TypedDict, total=False):
    """RFC 9457. ``fields`` names the fields at fault, dotted, each with a French sentence."""

    type: Required[str]
    title: Required[str]
    status: Required[int]
    detail: Required[str]
    code: str
    state: State
    fields: dict[str, str]


class DoctorName(TypedDict):
    """A doctor, as lists name one."""

    id: str
    name: str


class TermsView(TypedDict, total=False):
    """The conditions that a doctor put on a yes; ``from`` is a day."""

    where: Where
    count: int
    once: bool


class AnnouncementView(TypedDict, total=False):
    """Exactly what doctors are shown, and how many residents it describes."""

    age: str
    place: Required[str]
    conditions: Required[list[str]]
    text: Required[str]
    residents: Required[int]
    candidates: Required[int]


class NextView(TypedDict):
    """The next automatic step and its hour."""

    what: TimerKind
    at: datetime


class SolicitationView(TypedDict, total=False):
    """One doctor asked in this run by one channel."""

    doctor: Required[DoctorName]
    channel: Required[Channel]
    state: Required[str]
    at: Required[datetime]
    wave: int
    met: list[str]
    unmet: list[str]
    why: str


class ProposalView(TypedDict, total=False):
    """A yes that waits for the patient's choice, or is kept in reserve."""

    doctor: Required[DoctorName]
    at: Required[datetime]
    conditions: TermsView
    met: Required[list[str]]
    unmet: list[str]
    why: str
    unconfirmed: bool
    has_mailbox: bool


class HeldView(TypedDict):
    """An answer that moves nothing until the office settles it."""

    id: str
    doctor: DoctorName
    says: Says
    why: Held
    at: datetime


class ReleaseView(TypedDict, total=False):
    """The giving of the record. ``code`` is there from the choice until it is used or lapses."""

    state: Required[Literal["waiting", "opened", "locked", "handed_over"]]
    kind: Required[ReleaseKind]
    at: Required[datetime]
    opened_at: datetime
    acknowledged_at: datetime
    code: str
    code_until: datetime


class AppointmentView(TypedDict):
    """The first appointment."""

    on: date
    state: AppointmentState


class OutcomeView(TypedDict, total=False):
    """What the requester may know where the patient agreed."""

    doctor: Required[DoctorName]
    appointment: AppointmentView


class ConsentView(TypedDict):
    """What the patient said, and when."""

    given: Given
    at: datetime


class TaskView(TypedDict, total=False):
    """What waits for a person of the office."""

    kind: Required[TaskKind]
    since: Required[datetime]
    doctor: DoctorName


class PriorityView(TypedDict, total=False):
    """The order of the office's work, explained."""

    level: str
    reasons: list[str]


class AttemptView(TypedDict):
    """An attempt to reach the patient."""

    at: datetime
    outcome: PatientContact


class ContactWanted(TypedDict, total=False):
    """What is still to be tried before the patient counts as unreachable."""

    #: Calls, each on a half day of its own.
    calls: Required[int]
    #: The half of the day at which nobody called yet.
    half: Literal["morning", "afternoon"]
    #: The day of every call so far: the next is on another.
    other_than: date
    #: Nobody tried through the requester yet.
    requester: Required[bool]


class ReasonView(TypedDict, total=False):
    """Why a doctor or the patient did not go on, or a search was reopened, as a person said it."""

    what: Required[Literal["desist", "reopen"]]
    by: Literal["doctor", "patient"]
    text: Required[str]
    at: Required[datetime]


class WithdrawalView(TypedDict):
    """Why and when a search was withdrawn."""

    reason: WithdrawalReason
    at: datetime


class EndingView(TypedDict, total=False):
    """What comes after an unmet search."""

    next: Required[Next]
    relaunch_on: date


class RestView(TypedDict, total=False):
    """Since when, and until when, no delay runs."""

    since: Required[datetime]
    until: datetime


class HouseholdView(TypedDict):
    """How many persons one search stands for."""

    adults: int
    children: int


class TwinView(TypedDict):
    """Another search that seems to be the same person's."""

    id: str
    reference: str


class SearchView(TypedDict, total=False):
    """One search, as the caller's role sees it. A requester sees id, reference, label, state, since and
    outcome; in draft and returned also what is missing and its own input.
    """

    id: Required[str]
    reference: Required[str]
    state: Required[State]
    since: Required[datetime]
    label: str
    outcome: OutcomeView
    missing: list[str]
    input: dict[str, Any]
    run: int
    urgent: bool
    choice: Choice
    speaks_to_patient: SpeaksToPatient
    seniority: datetime
    consent: ConsentView
    requester: str
    announcement: AnnouncementView
    next: NextView
    to_ask: int
    exhausted: bool
    solicitations: list[SolicitationView]
    proposals: list[ProposalView]
    reserve: list[ProposalView]
    held: list[HeldView]
    chosen: DoctorName
    release: ReleaseView
    appointment: AppointmentView
    declaration: Declaration
    rest: RestView
    contact_attempts: list[AttemptView]
    contact_wanted: ContactWanted
    withdrawal: WithdrawalView
    ending: EndingView
    household: HouseholdView
    tasks: list[TaskView]
    priority: PriorityView
    reasons: list[ReasonView]
    same_patient: list[TwinView]
    timeline: list[dict[str, Any]]


class SearchList(TypedDict, total=False):
    """One page of searches; ``next`` is the ``after`` of the following one."""

    items: Required[list[SearchView]]
    next: str


class Created(TypedDict, total=False):
    """A request taken in."""

    id: Required[str]
    reference: Required[str]
    state: Required[State]
    missing: list[str]
    warnings: list[Any]


class AnnouncementList(TypedDict):
    """What the office may choose from, each with the residents it describes."""

    items: list[AnnouncementView]


class RecordView(TypedDict, total=False):
    """The request exactly as it was submitted."""

    record: Required[dict[str, Any]]
    wishes: list[Any]
    consent: dict[str, Any]
    conditions: list[str]
    place: str
    urgent: bool
    choice: Choice


class LaunchedView(TypedDict, total=False):
    """A search that was launched with others: how many doctors were mailed for it, and why these."""

    id: Required[str]
    reference: Required[str]
    doctors: Required[int]
    why: str


class NotLaunched(TypedDict):
    """A search that could not be launched, and why not."""

    id: str
    reference: str
    code: str
    detail: str


class LaunchList(TypedDict):
    """What became of the searches that were to be launched together."""

    launched: list[LaunchedView]
    refused: list[NotLaunched]


class ToPhone(TypedDict, total=False):
    """A doctor still to phone for one search, and why this one."""

    doctor: Required[DoctorName]
    why: Required[str]
    met: list[str]
    unmet: list[str]


class StandingView(TypedDict, total=False):
    """Where one doctor stands for a search; ``mail`` and ``phone``: whether he may be asked so now."""

    doctor: Required[DoctorName]
    met: Required[list[str]]
    unmet: Required[list[str]]
    why: Required[str]
    mail: Required[bool]
    phone: Required[bool]
    distance_km: float
    minutes: int


class StandingList(TypedDict):
    """Every doctor who satisfies the hard wishes, best first, on one page."""

    items: list[StandingView]


class ToPhoneList(TypedDict):
    """Every doctor still to phone for one search, best first, on one page."""

    items: list[ToPhone]


class DoctorCalls(TypedDict, total=False):
    """One doctor to phone with the announcements that one call carries."""

    doctor: Required[dict[str, Any]]
    searches: Required[list[dict[str, Any]]]
    why: str
    claimed_by: str


class CallBoard(TypedDict):
    """Everybody to phone, by doctor."""

    items: list[DoctorCalls]


class LinkView(TypedDict, total=False):
    """What a link shows; never anything of the record."""

    purpose: Required[str]
    state: Required[str]
    delegate: bool
    doctor: dict[str, Any]
    territory: dict[str, Any]
    text: str
    answer: Says
    conditions: TermsView
    #: Within which time the doctor hears whether the person chose: « 3 jours ouvrés ».
    yes_held: str
    unconfirmed: bool
    office_open: bool
    office_hours: str
    second_factor: str
    #: Where a code goes by SMS, its end alone.
    mobile: str
    called_back: bool
    acknowledged: bool
    appointment: dict[str, Any]
    #: Of a list's link.
    places: int
    until: date
    declines: list[str]


class AnswerTaken(TypedDict, total=False):
    """What became of an answer; ``held`` where a person has to settle it first."""

    held: bool
    state: str
    text: str
    answer: Says
    conditions: TermsView
    unconfirmed: bool


class Opened(TypedDict):
    """The record, and a session of 15 minutes for its document and the acknowledgement."""

    record: dict[str, Any]
    #: Who calls whom, precautions, the interpreter: one sentence each.
    notes: list[str]
    session: str
    until: datetime


class DoctorList(TypedDict):
    """Every doctor of the directory, in the CSV's names with ``id``."""

    items: list[dict[str, Any]]


class JournalList(TypedDict, total=False):
    """Entries of the journal, newest first; ``next`` is the ``after`` of the following page."""

    items: Required[list[dict[str, Any]]]
    next: str


#: An object whose fields depend on the territory's settings.
Anything = dict[str, Any]
