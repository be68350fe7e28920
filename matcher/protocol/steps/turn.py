"""One event being worked out: the search as it changes, the effects as they gather.

Every step begins a ``Turn``, which refuses what the table of moves refuses, and ends it, which holds
the outcome to the table. Inside, the search is only ever replaced by a new value.
"""

from datetime import datetime, timedelta
from typing import Any

from matcher.protocol.announcement import Announcement
from matcher.protocol.effects import Effect, Letter, SendToDoctor, SendToRequester
from matcher.protocol.hours import Calendar, Delay, after
from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import MOVES, NEED_RECORD, TIMES, Event, Kept, Moved, Refusal, Refused, Step
from matcher.protocol.rules import Around, Delays, Rules
from matcher.protocol.search import (
    Consent,
    Given,
    Position,
    Search,
    Solicitation,
    State,
    Task,
    TaskKind,
    Timer,
    TimerKind,
)

_INTAKE = frozenset({State.DRAFT, State.SUBMITTED, State.RETURNED})
_RUNNING = frozenset({State.ASKING, State.CALLING, State.PROPOSING})
_ANSWERABLE = _RUNNING | {State.READY, State.RELEASED, State.RESTING, State.UNMET}

#: Where a task of each kind still makes sense; entering another state removes it.
TASKS: dict[TaskKind, frozenset[State]] = {
    TaskKind.ANSWER_HELD: _ANSWERABLE,
    TaskKind.ANSWER_HELD_OVERDUE: _ANSWERABLE,
    TaskKind.NOBODY_REACHED: frozenset({State.ASKING}),
    TaskKind.MAIL_UNREACHED: _RUNNING | {State.RESTING},
    TaskKind.CALL_BACK: _RUNNING,
    TaskKind.LAST_YES_GONE: frozenset({State.ASKING, State.CALLING}),
    TaskKind.CHOICE_WAITED_FOR: frozenset({State.PROPOSING}),
    TaskKind.RECORD_NOT_OPENED: frozenset({State.RELEASED}),
    TaskKind.LINK_LOCKED: frozenset({State.RELEASED, State.ATTACHED}),
    TaskKind.CALL_ME_FOR_THE_CODE: frozenset({State.RELEASED, State.ATTACHED}),
    TaskKind.RELEASE_UNREACHED: frozenset({State.RELEASED, State.ATTACHED}),
    TaskKind.APPOINTMENT_DATE_WANTED: frozenset({State.RELEASED}),
    TaskKind.APPOINTMENT_TO_CHECK: frozenset({State.RELEASED}),
    TaskKind.APPOINTMENT_MISSED: frozenset({State.RELEASED}),
    TaskKind.RECONFIRM: _RUNNING | {State.READY, State.RESTING, State.UNMET},
    TaskKind.PATIENT_UNREACHABLE: frozenset(State) - {State.DRAFT, State.ATTACHED, State.WITHDRAWN},
    TaskKind.RELAUNCH_DUE: frozenset({State.READY}),
    TaskKind.LATE_YES: frozenset({State.UNMET, State.READY}),
    TaskKind.DOCTOR_GAVE_UP: _RUNNING,
    TaskKind.BOTH_RELEASED: frozenset({State.RELEASED, State.ATTACHED}),
    TaskKind.UNTOUCHED: _ANSWERABLE - {State.UNMET} | {State.SUBMITTED},
}

UNTOUCHED_AFTER = timedelta(days=90)
ABANDONED_AFTER = timedelta(days=180)


def taken(event: Event, search: Search) -> Kept | Moved:
    """What the table says of the event here. Raises Refused where it is not taken: to be asked before what
    the event needs is looked for, so that a record that is closed is no reason but the state is.
    """
    cell = MOVES[search.state, event]
    if isinstance(cell, Refusal):
        raise Refused(cell.code, cell.reason, search.state)
    if search.record_destroyed and event in NEED_RECORD:
        raise Refused(
            "record_destroyed",
            "Le dossier a été détruit : il faut déposer une nouvelle demande.",
            search.state,
        )
    return cell


class Turn:
    """The working of one event. Raises Refused at the start where the table refuses the event."""

    def __init__(self, event: Event, search: Search, around: Around) -> None:
        cell = taken(event, search)
        self.event = event
        self.before = search
        self.search = search
        self.around = around
        self.effects: list[Effect] = []
        #: The event is taken and changes nothing.
        self.kept = isinstance(cell, Kept)
        self._allowed = cell.to if isinstance(cell, Moved) else frozenset({search.state})

    @property
    def now(self) -> datetime:
        return self.around.now

    @property
    def rules(self) -> Rules:
        return self.around.rules

    @property
    def delays(self) -> Delays:
        return self.rules.for_(urgent=self.search.urgent)

    @property
    def state(self) -> State:
        return self.search.state

    def refusal(self, code: str, reason: str) -> Refused:
        """A refusal to raise, in the state that the event found."""
        return Refused(code, reason, self.before.state)

    def end(self, allowed: frozenset[State] | None = None) -> Step:
        """The step, held to the table (for a timer, to ``allowed``, its own cell)."""
        if allowed is None:
            allowed = self._allowed
        if self.state not in allowed:
            raise AssertionError(f"{self.event} moved {self.before.state} to {self.state}")
        return Step(self.search, tuple(self.effects))

    # The search ------------------------------------------------------------------------------

    def set(self, **changes: Any) -> None:
        """Replace fields of the search."""
        self.search = self.search.changed(**changes)

    def enter(self, state: State) -> None:
        """Enter a state: timers and tasks that make no sense there go."""
        if state is not self.state:
            self.set(state=state, since=self.now)
        timers = tuple(timer for timer in self.search.timers if state in TIMES[timer.kind])
        tasks = tuple(task for task in self.search.tasks if state in TASKS[task.kind])
        if (len(timers), len(tasks)) != (len(self.search.timers), len(self.search.tasks)):
            self.set(timers=timers, tasks=tasks)
        self._watch()

    def touch(self) -> None:
        """A person or a doctor did something: the 90 and 180 days, or a draft's retention, begin anew."""
        self.set(touched_at=self.now)
        self.untask(TaskKind.UNTOUCHED)
        self.cancel(TimerKind.UNTOUCHED, TimerKind.ABANDONED)
        if self.state in (State.DRAFT, State.RETURNED):
            self.cancel(TimerKind.RETENTION_OVER)
        self._watch()

    def _watch(self) -> None:
        """Arm what must always run in this state, unless it runs already."""
        running = {timer.kind for timer in self.search.timers}
        touched = self.search.touched_at
        for kind, at in (
            (TimerKind.UNTOUCHED, touched + UNTOUCHED_AFTER),
            (TimerKind.ABANDONED, touched + ABANDONED_AFTER),
        ):
            if self.state in TIMES[kind] and kind not in running and at > self.now:
                self.arm(kind, at)
        if TimerKind.RETENTION_OVER not in running and not self.search.record_destroyed:
            if self.state in (State.DRAFT, State.RETURNED):
                self.arm(TimerKind.RETENTION_OVER, touched + self.rules.retention_draft)
            elif self.state in TIMES[TimerKind.RETENTION_OVER]:
                self.arm(TimerKind.RETENTION_OVER, self.now + self.rules.retention_record)

    def put(self, position: Position) -> None:
        """Write a doctor's position in place of the one there was."""
        others = tuple(p for p in self.search.positions if p.doctor != position.doctor)
        self.set(positions=(*others, position))

    def solicit(self, solicitation: Solicitation) -> None:
        """Write a solicitation in place of the one of that doctor and channel."""
        key = (solicitation.doctor, solicitation.channel)
        others = tuple(s for s in self.search.solicitations if (s.doctor, s.channel) != key)
        self.set(solicitations=(*others, solicitation))

    # Timers and tasks --------------------------------------------------------------------------

    def arm(self, kind: TimerKind, at: datetime, doctor: DoctorId | None = None) -> None:
        """Set the timer of this kind (and doctor), in place of the one there was."""
        others = tuple(t for t in self.search.timers if (t.kind, t.doctor) != (kind, doctor))
        self.set(timers=(*others, Timer(kind=kind, at=at, doctor=doctor)))

    def cancel(self, *kinds: TimerKind, doctor: DoctorId | None = None) -> None:
        """Remove the timers of these kinds, a doctor's own where one is named."""
        gone = {(kind, doctor) for kind in kinds}
        kept = tuple(t for t in self.search.timers if (t.kind, t.doctor) not in gone)
        if len(kept) < len(self.search.timers):
            self.set(timers=kept)

    def runs(self, kind: TimerKind, doctor: DoctorId | None = None) -> bool:
        """Whether that timer is set."""
        return any((timer.kind, timer.doctor) == (kind, doctor) for timer in self.search.timers)

    def task(self, kind: TaskKind, doctor: DoctorId | None = None) -> None:
        """Give the office something to do, unless it has it already or it makes no sense in this state."""
        known = any((task.kind, task.doctor) == (kind, doctor) for task in self.search.tasks)
        if not known and self.state in TASKS[kind]:
            self.set(tasks=(*self.search.tasks, Task(kind=kind, since=self.now, doctor=doctor)))

    def untask(self, *kinds: TaskKind, doctor: DoctorId | None = None) -> None:
        """Take these tasks away."""
        gone = {(kind, doctor) for kind in kinds}
        kept = tuple(t for t in self.search.tasks if (t.kind, t.doctor) not in gone)
        if len(kept) < len(self.search.tasks):
            self.set(tasks=kept)

    def doctors_time(self, delay: Delay, start: datetime | None = None) -> datetime:
        """``delay`` from now on the doctors' calendar."""
        return after(start or self.now, delay, self.rules.doctors_calendar)

    def office_time(self, delay: Delay, start: datetime | None = None) -> datetime:
        """``delay`` from now on the office's calendar."""
        return after(start or self.now, delay, self.office)

    @property
    def office(self) -> Calendar:
        return self.rules.office_calendar

    # Effects -------------------------------------------------------------------------------------

    def emit(self, effect: Effect) -> None:
        self.effects.append(effect)

    def reachable(self, doctor: DoctorId) -> bool:
        """Whether the doctor has a usable mailbox now."""
        return doctor in self.around.candidates.with_mailbox

    def write(self, letter: Letter, doctor: DoctorId, number: int = 1) -> None:
        """A letter to a doctor that the search has met; nothing where he has no mailbox."""
        if self.reachable(doctor):
            self.emit(SendToDoctor(letter=letter, doctor=doctor, number=number))

    def next_letter(self) -> int:
        """A number for a letter that may go more than once in a run."""
        self.set(letters=self.search.letters + 1)
        return self.search.letters

    def tell_requester(self, letter: Letter = Letter.REQUESTER_NEWS) -> None:
        """News to the requester."""
        self.emit(SendToRequester(letter=letter, number=self.next_letter()))

    # What several steps ask ------------------------------------------------------------------------

    @property
    def stale(self) -> bool:
        """Whether need and consent must be reconfirmed before anybody more is asked."""
        confirmed = self.search.confirmed_at
        return confirmed is None or self.office_time(self.delays.reconfirm, confirmed) <= self.now

    def consented(self) -> Consent:
        """The patient's consent. Raises Refused unless it is a yes."""
        consent = self.search.consent
        if consent is None or consent.given is not Given.YES:
            raise self.refusal("consent", "La personne n’a pas donné son accord : recueillez-le d’abord.")
        return consent

    def announced(self) -> Announcement:
        """The chosen announcement. Raises Refused unless it describes enough residents."""
        announcement = self.search.announcement
        if announcement is None or announcement.residents < self.rules.k:
            raise self.refusal(
                "too_few_residents",
                "Aucune annonce choisie ne décrit assez d’habitants : choisissez-en une plus large.",
            )
        return announcement
