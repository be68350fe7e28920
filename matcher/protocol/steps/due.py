"""What each due step does."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from matcher.protocol.effects import Letter
from matcher.protocol.hours import next_open
from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import TIMES, Event, Step
from matcher.protocol.rules import Around
from matcher.protocol.search import (
    Ending,
    Next,
    Search,
    SpeaksToPatient,
    Stand,
    State,
    TaskKind,
    Timer,
    TimerKind,
)
from matcher.protocol.steps.leaving import destroy, new_run
from matcher.protocol.steps.life import wake_up
from matcher.protocol.steps.proposals import ask_yes_again, last_yes_gone, place, take_effect
from matcher.protocol.steps.turn import Turn
from matcher.protocol.steps.waves import mail_wave, remind, start_delays

#: While nothing at all was accepted, the wave is looked at again so often (wall time).
_LOOK_AGAIN = timedelta(hours=1)

#: Not worth showing as the next step while another is planned.
_BACKGROUND = frozenset(
    {
        TimerKind.UNTOUCHED,
        TimerKind.ABANDONED,
        TimerKind.RETENTION_OVER,
        TimerKind.HELD_OVERDUE,
        TimerKind.MAIL_OVERDUE,
        TimerKind.NOBODY_REACHED,
    }
)

#: They write to doctors, or open the calls. Their hours are hours at which somebody is there; when one was
#: missed (the service stood still) and it is night, they wait for the morning.
_BY_DAY = frozenset(
    {
        TimerKind.REMINDER,
        TimerKind.NEXT_WAVE,
        TimerKind.CALLS,
        TimerKind.YES_HELD,
        TimerKind.OPENING_REMINDER,
    }
)
#: What is hardly late is done all the same: its hour may be the last minute of the day.
_HARDLY = timedelta(minutes=1)
#: The steps that were missed are spread over the first minute of the morning, those of so long in order.
_MISSED = timedelta(days=30)


def due(search: Search, timer: Timer, around: Around) -> Step:
    """A timer is due. One that the search no longer has changes nothing, so a repeat is harmless (P7)."""
    turn = Turn(Event.TIME, search, around)
    if timer not in search.timers:
        return turn.end()
    if (morning := put_off(timer, around)) is not None:
        turn.arm(timer.kind, morning, timer.doctor)
        return turn.end(frozenset({search.state}))
    turn.set(timers=tuple(other for other in search.timers if other != timer))
    if timer.doctor is None:
        _STEPS[timer.kind](turn)
    else:
        _DOCTORS_STEPS[timer.kind](turn, timer.doctor)
    return turn.end(TIMES[timer.kind][search.state])


def put_off(timer: Timer, around: Around) -> datetime | None:
    """When a step whose hour was missed is done instead, where nobody is there now; None: it is done now.

    Those that wait for the same morning keep the order in which they were due, whoever comes to them first.
    """
    if timer.kind not in _BY_DAY or around.now - timer.at <= _HARDLY:
        return None
    opens = next_open(around.now, around.rules.doctors_calendar)
    if opens <= around.now:
        return None
    return opens + _HARDLY * max(0.0, 1 - (opens - timer.at) / _MISSED)


def next_step(search: Search) -> Timer | None:
    """The next automatic step worth showing, with its hour; a background one where there is no other."""
    shown = [timer for timer in search.timers if timer.kind not in _BACKGROUND]
    return min(shown or search.timers, key=lambda timer: (timer.at, timer.kind), default=None)


def _settle(turn: Turn, doctor: DoctorId) -> None:
    position = turn.search.position(doctor)
    if position is not None and position.settling is not None:
        take_effect(turn, doctor, position.settling, may_match=turn.state is not State.RESTING)


def _held_overdue(turn: Turn, doctor: DoctorId) -> None:
    turn.task(TaskKind.ANSWER_HELD_OVERDUE, doctor)


def _yes_held(turn: Turn, doctor: DoctorId) -> None:
    position = turn.search.position(doctor)
    if position is not None and position in turn.search.standing_yes:
        ask_yes_again(turn, position)


def _yes_lapses(turn: Turn, doctor: DoctorId) -> None:
    position = turn.search.position(doctor)
    if position is not None and position.stand is Stand.UNCONFIRMED:
        place(turn, doctor, Stand.OPEN, None)
        last_yes_gone(turn)


def _call_back(turn: Turn, doctor: DoctorId) -> None:
    turn.task(TaskKind.CALL_BACK, doctor)


def _remind_first(turn: Turn) -> None:
    """A reminder that is due together with the next wave or the calls goes before them."""
    if _is_due(turn, TimerKind.REMINDER):
        turn.cancel(TimerKind.REMINDER)
        remind(turn)


def _is_due(turn: Turn, kind: TimerKind) -> bool:
    return any(t.kind is kind and t.at <= turn.now for t in turn.search.timers)


def _next_wave(turn: Turn) -> None:
    """The second wave; where nobody is left the calls come at their hour."""
    _remind_first(turn)
    mail_wave(turn)


def _calls(turn: Turn) -> None:
    """The calls; a wave that is due as well goes before them, and gives them an hour of its own."""
    _remind_first(turn)
    if _is_due(turn, TimerKind.NEXT_WAVE):
        turn.cancel(TimerKind.NEXT_WAVE)
        sent = turn.search.wave
        mail_wave(turn)
        if turn.search.wave > sent:
            return
    turn.enter(State.CALLING)
    if turn.stale:
        turn.task(TaskKind.RECONFIRM)


def _mail_overdue(turn: Turn) -> None:
    turn.arm(TimerKind.MAIL_OVERDUE, turn.now + _LOOK_AGAIN)
    start_delays(turn)


def _nobody_reached(turn: Turn) -> None:
    turn.task(TaskKind.NOBODY_REACHED)


def _choice_chase(turn: Turn) -> None:
    """Whoever speaks to the patient is reminded of the choice, again and again."""
    if turn.search.speaks_to_patient is SpeaksToPatient.REQUESTER:
        turn.tell_requester(Letter.CHOICE_CHASED)
    else:
        turn.task(TaskKind.CHOICE_WAITED_FOR)
    turn.arm(TimerKind.CHOICE_CHASE, turn.office_time(turn.delays.choice_chase))


def _opening_reminder(turn: Turn) -> None:
    release = turn.search.release
    if release is not None and release.opened_at is None:
        turn.write(Letter.NOT_OPENED, release.doctor, release.number)


def _opening_call(turn: Turn) -> None:
    release = turn.search.release
    if release is not None and release.opened_at is None:
        turn.task(TaskKind.RECORD_NOT_OPENED, release.doctor)


def _appointment_asked(turn: Turn) -> None:
    turn.task(TaskKind.APPOINTMENT_DATE_WANTED)


def _appointment_check(turn: Turn) -> None:
    turn.task(TaskKind.APPOINTMENT_TO_CHECK)


def _relaunch(turn: Turn) -> None:
    """The planned day has come: ready again, and a task, since need and consent come first."""
    new_run(turn)
    turn.enter(State.READY)
    turn.task(TaskKind.RELAUNCH_DUE)


def _untouched(turn: Turn) -> None:
    turn.task(TaskKind.UNTOUCHED)


def _abandoned(turn: Turn) -> None:
    """180 days: the search ends unconfirmed; a released one stays a task, since a doctor holds the record."""
    if turn.state is State.RELEASED:
        turn.task(TaskKind.UNTOUCHED)
        return
    turn.set(rest=None, ending=Ending(at=turn.now, next=Next.NOTHING, unconfirmed=True))
    turn.enter(State.UNMET)
    turn.tell_requester()


def _destroy(turn: Turn) -> None:
    destroy(turn, consent_taken_back=False)


_STEPS: Mapping[TimerKind, Callable[[Turn], None]] = {
    TimerKind.REMINDER: remind,
    TimerKind.NEXT_WAVE: _next_wave,
    TimerKind.CALLS: _calls,
    TimerKind.MAIL_OVERDUE: _mail_overdue,
    TimerKind.NOBODY_REACHED: _nobody_reached,
    TimerKind.CHOICE_CHASE: _choice_chase,
    TimerKind.OPENING_REMINDER: _opening_reminder,
    TimerKind.OPENING_CALL: _opening_call,
    TimerKind.APPOINTMENT_ASKED: _appointment_asked,
    TimerKind.APPOINTMENT_CHECK: _appointment_check,
    TimerKind.WAKE: wake_up,
    TimerKind.RELAUNCH: _relaunch,
    TimerKind.UNTOUCHED: _untouched,
    TimerKind.ABANDONED: _abandoned,
    TimerKind.GRACE_OVER: _destroy,
    TimerKind.RETENTION_OVER: _destroy,
}

_DOCTORS_STEPS: Mapping[TimerKind, Callable[[Turn, DoctorId], None]] = {
    TimerKind.SETTLE: _settle,
    TimerKind.HELD_OVERDUE: _held_overdue,
    TimerKind.YES_HELD: _yes_held,
    TimerKind.YES_LAPSES: _yes_lapses,
    TimerKind.CALL_BACK: _call_back,
}
