"""From the release to a médecin traitant: the first appointment and the declaration."""

from datetime import date

from matcher.protocol.moves import Event, Step
from matcher.protocol.rules import Around
from matcher.protocol.search import (
    Appointment,
    AppointmentState,
    Declaration,
    Search,
    State,
    TaskKind,
    TimerKind,
)
from matcher.protocol.steps.leaving import thank_the_others
from matcher.protocol.steps.proposals import opening_of_day, today
from matcher.protocol.steps.turn import Turn

_TIMERS = (TimerKind.APPOINTMENT_ASKED, TimerKind.APPOINTMENT_CHECK)
_TASKS = (
    TaskKind.APPOINTMENT_DATE_WANTED,
    TaskKind.APPOINTMENT_TO_CHECK,
    TaskKind.APPOINTMENT_MISSED,
)


def appointment(search: Search, on: date, state: AppointmentState, around: Around) -> Step:
    """Note the first appointment. A planned one is checked after its day; a missed one asks for a new date.

    Raises Refused ``appointment_in_the_future`` for one said to be honoured or missed before its day.
    """
    turn = Turn(Event.APPOINTMENT, search, around)
    turn.touch()
    _set(turn, on, state)
    if state is AppointmentState.PLANNED:
        day = opening_of_day(turn, on)
        turn.arm(TimerKind.APPOINTMENT_CHECK, turn.office_time(turn.delays.appointment_check, day))
        turn.tell_requester()
    elif state is AppointmentState.MISSED:
        turn.task(TaskKind.APPOINTMENT_MISSED)
        turn.arm(TimerKind.APPOINTMENT_ASKED, turn.office_time(turn.delays.appointment_asked))
    return turn.end()


def _set(turn: Turn, on: date, state: AppointmentState) -> None:
    if state is not AppointmentState.PLANNED and on > today(turn):
        raise turn.refusal("appointment_in_the_future", "Ce rendez-vous n’a pas encore eu lieu.")
    turn.set(appointment=Appointment(on=on, state=state))
    turn.cancel(*_TIMERS)
    turn.untask(*_TASKS)


def confirm(search: Search, declaration: Declaration, honoured_on: date | None, around: Around) -> Step:
    """The person has a médecin traitant. ``honoured_on`` notes the appointment in the same breath.

    Raises Refused ``appointment_not_honoured`` or ``appointment_in_the_future``.
    """
    turn = Turn(Event.CONFIRM, search, around)
    turn.touch()
    if honoured_on is not None:
        _set(turn, honoured_on, AppointmentState.HONOURED)
    met = turn.search.appointment
    if met is None or met.state is not AppointmentState.HONOURED:
        raise turn.refusal(
            "appointment_not_honoured", "Notez d’abord que le premier rendez-vous a été honoré."
        )
    turn.set(declaration=declaration)
    thank_the_others(turn)
    turn.enter(State.ATTACHED)
    turn.tell_requester()
    return turn.end()
