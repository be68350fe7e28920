"""A small world in which one search is played: a clock, doctors, and what went out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from matcher.protocol import steps
from matcher.protocol.announcement import AgeBand, Announcement
from matcher.protocol.doctors import Candidate, Candidates, FittingOffer, Zone
from matcher.protocol.effects import Effect, Letter, SendToDoctor, SendToRequester
from matcher.protocol.hours import Calendar, Delay
from matcher.protocol.ids import AnswerId, DoctorId, OfferId, SearchId
from matcher.protocol.moves import Step
from matcher.protocol.places import Place, PlaceKind
from matcher.protocol.rules import Around, CandidatesWanted, Delays, Rules, Unranked
from matcher.protocol.search import (
    Answer,
    CallOutcome,
    Channel,
    Choice,
    Consent,
    Declaration,
    Delivery,
    Given,
    Household,
    Position,
    RefusalReason,
    Says,
    Search,
    Stand,
    State,
    TaskKind,
    Terms,
    Timer,
    TimerKind,
    Via,
)

PARIS = ZoneInfo("Europe/Paris")
#: A Tuesday, without a holiday near.
START = datetime(2026, 6, 2, 10, 0, tzinfo=PARIS).astimezone(UTC)
HOLIDAYS = frozenset(
    {
        *(date(2026, month, day) for month, day in ((1, 1), (4, 6), (5, 1), (5, 8), (5, 14), (5, 25))),
        *(date(2026, month, day) for month, day in ((7, 14), (8, 15), (11, 1), (11, 11), (12, 25))),
    }
)
DOCTORS_HOURS = Calendar(
    zone=PARIS,
    opening={**dict.fromkeys(range(5), (time(8), time(19))), 5: (time(8), time(12))},
    holidays=HOLIDAYS,
)
OFFICE_HOURS = Calendar(zone=PARIS, opening=dict.fromkeys(range(5), (time(9), time(17))), holidays=HOLIDAYS)
WALL_CLOCK = Calendar(zone=PARIS, opening={}, holidays=frozenset(), always_open=True)

_DELAYS = Delays(
    reminder=Delay(weekdays=2),
    next_wave=Delay(weekdays=2),
    calls=Delay(weekdays=4),
    yes_held=Delay(weekdays=3),
    choice_chase=Delay(weekdays=1),
    opening_reminder=Delay(weekdays=1),
    opening_call=Delay(weekdays=2),
    appointment_asked=Delay(weekdays=3),
    appointment_check=Delay(weekdays=2),
    reconfirm=Delay(weekdays=10),
)
RULES = Rules(
    doctors_calendar=DOCTORS_HOURS,
    office_calendar=OFFICE_HOURS,
    delays=_DELAYS,
    urgent=replace(_DELAYS, reminder=None, calls=Delay(open_time=timedelta(hours=2))),
    wave_size=3,
    settle=timedelta(seconds=5),
    min_reading=timedelta(seconds=2),
    rounds=2,
    claim=timedelta(minutes=20),
    k=100,
    unreachable_tries=3,
    link_life=timedelta(days=30),
    code_life=timedelta(minutes=15),
    retention_draft=timedelta(days=90),
    retention_record=timedelta(days=90),
)

PARILLY = Place(name="Parilly", kind=PlaceKind.QUARTIER, lat=45.7, lon=4.9, insee="69259", quartier="Parilly")
VENISSIEUX = Place(name="Vénissieux", kind=PlaceKind.COMMUNE, lat=45.7, lon=4.88, insee="69259")
ANNOUNCED = Announcement(age=AgeBand(from_=65, to=69), place=PARILLY, residents=1900, candidates=200)


def candidate(
    name: str,
    *,
    zone: Zone = Zone.TERRITORY,
    mailable: bool = True,
    phonable: bool = True,
    meets_all: bool = True,
) -> Candidate:
    """A doctor who fits."""
    return Candidate(
        doctor=DoctorId(name),
        zone=zone,
        mailable=mailable,
        callable=phonable,
        meets_all=meets_all,
        met=(),
        unmet=(),
        distance_km=1,
    )


def members(*names: str) -> Candidates:
    """Doctors who fit, are members, and have a mailbox and a telephone."""
    return Candidates(
        ordered=tuple(candidate(name) for name in names),
        with_mailbox=frozenset(DoctorId(name) for name in names),
    )


def consent(given: Given = Given.YES, **more: bool) -> Consent:
    """What the patient said."""
    return Consent(given=given, at=START, **more)


class World:
    """One search, its hour, and everything that went out for it so far."""

    def __init__(self, *names: str, rules: Rules = RULES, **request: object) -> None:
        self.rules = rules
        self.now = START
        self.candidates = members(*(names or ("anna", "bea", "carl", "dora", "emil")))
        self.sent: list[Effect] = []
        self.answers = 0
        asked = {"consent": consent(), "announcement": ANNOUNCED, **request}
        self.search = steps.new(SearchId("s"), "ven", self.around, **asked)  # type: ignore[arg-type]

    @property
    def around(self) -> Around:
        return Around(now=self.now, rules=self.rules, candidates=self.candidates)

    @property
    def state(self) -> State:
        return self.search.state

    def take(self, step: Step) -> tuple[Effect, ...]:
        """Make a step the search's; returns its effects."""
        self.search = step.search
        self.sent += step.effects
        return step.effects

    def do(self, function: Callable[..., Step], *args: object, **named: object) -> tuple[Effect, ...]:
        """One event, now: the same whether or not its candidates were ranked beforehand."""
        try:
            unranked = function(self.search, *args, around=Unranked(self.now, self.rules), **named)
        except CandidatesWanted:
            unranked = None
        step = function(self.search, *args, around=self.around, **named)
        assert unranked in (None, step)
        return self.take(step)

    def at(self, moment: datetime) -> None:
        """Let the time pass to ``moment``; every timer is due at its hour."""
        while due := sorted(
            (timer for timer in self.search.timers if timer.at <= moment),
            key=lambda timer: (timer.at, timer.kind, timer.doctor or ""),
        ):
            self.now = max(self.now, due[0].at)
            self.take(steps.due(self.search, due[0], self.around))
        self.now = moment

    def wait(self, **span: float) -> None:
        """Let wall time pass."""
        self.at(self.now + timedelta(**span))

    def until(self, kind: TimerKind, doctor: str | None = None) -> None:
        """Let the time pass until that timer has been due."""
        self.at(self.timer(kind, doctor).at)

    def timer(self, kind: TimerKind, doctor: str | None = None) -> Timer:
        """The timer of that kind; fails where there is none."""
        (found,) = (t for t in self.search.timers if (t.kind, t.doctor) == (kind, doctor))
        return found

    def runs(self, kind: TimerKind) -> bool:
        """Whether any timer of that kind is set."""
        return any(timer.kind is kind for timer in self.search.timers)

    def tasks(self) -> set[TaskKind]:
        """What the office has to do."""
        return {task.kind for task in self.search.tasks}

    def stand(self, doctor: str) -> Stand | None:
        """Where a doctor stands."""
        position = self.search.position(DoctorId(doctor))
        return None if position is None else position.stand

    def position(self, doctor: str) -> Position:
        """A doctor's position; fails where there is none."""
        position = self.search.position(DoctorId(doctor))
        assert position is not None
        return position

    def letters(self, letter: Letter) -> list[str]:
        """To whom this letter went, in order."""
        return [e.doctor for e in self.sent if isinstance(e, SendToDoctor) and e.letter is letter]

    def news(self, letter: Letter = Letter.REQUESTER_NEWS) -> int:
        """How often the requester was written to."""
        return sum(isinstance(e, SendToRequester) and e.letter is letter for e in self.sent)

    # A search's usual way --------------------------------------------------------------------------

    def ready(self) -> "World":
        """Submitted and validated."""
        self.do(steps.submit)
        self.do(steps.validate)
        return self

    def launched(self, *, accepted: bool = True) -> "World":
        """Launched, the first wave's mails accepted by the relay."""
        self.ready()
        self.do(steps.launch)
        if accepted:
            self.accept_mails()
        return self

    def accept_mails(self) -> None:
        """The relay takes everything that waits."""
        for solicitation in self.search.solicitations:
            if solicitation.channel is Channel.MAIL and solicitation.delivery is Delivery.QUEUED:
                self.do(steps.mail_accepted, Letter.ANNOUNCEMENT, solicitation.doctor)

    def calling(self) -> "World":
        """Launched, nobody answered, the calls are open."""
        self.launched()
        self.do(steps.start_calls)
        return self

    def proposing(self, *doctors: str) -> "World":
        """Launched, and these doctors said yes."""
        self.launched()
        for doctor in doctors or ("anna",):
            self.says(doctor, Says.YES)
        return self

    def released(self, doctor: str = "anna", *others: str) -> "World":
        """A doctor was chosen; the others' yes is in reserve."""
        self.proposing(doctor, *others)
        self.do(steps.choose, DoctorId(doctor), None)
        return self

    def attached(self, *others: str) -> "World":
        """The first appointment was honoured and the declaration is done."""
        self.released("anna", *others)
        self.do(steps.confirm, Declaration.DONE, self.now.date())
        return self

    def answer(self, says: Says, via: Via = Via.LINK, **more: object) -> Answer:
        """An answer with an id of its own."""
        self.answers += 1
        return Answer(id=AnswerId(f"a{self.answers}"), says=says, via=via, at=self.now, **more)  # type: ignore[arg-type]

    def says(
        self,
        doctor: str,
        says: Says,
        via: Via = Via.LINK,
        *,
        opened: float | None = 60,
        settle: bool = True,
        **more: object,
    ) -> Answer:
        """A doctor answers, ``opened`` seconds after the link's last opening, and it settles."""
        given = self.answer(says, via, **more)
        opened_at = None if opened is None else self.now - timedelta(seconds=opened)
        self.do(steps.answer, DoctorId(doctor), given, opened_at)
        if settle:
            self.at(self.now + self.rules.settle)
        return given

    def phones(self, doctor: str, outcome: CallOutcome, **more: object) -> None:
        """Somebody phones a doctor."""
        self.answers += 1
        self.do(steps.call, DoctorId(doctor), outcome, answer_id=AnswerId(f"a{self.answers}"), **more)


__all__ = [
    "ANNOUNCED",
    "DOCTORS_HOURS",
    "OFFICE_HOURS",
    "PARILLY",
    "PARIS",
    "RULES",
    "START",
    "VENISSIEUX",
    "WALL_CLOCK",
    "Choice",
    "FittingOffer",
    "Household",
    "OfferId",
    "RefusalReason",
    "Search",
    "Terms",
    "World",
    "candidate",
    "consent",
    "members",
]
