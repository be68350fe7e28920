"""Every cell of state × event is answered: moved, kept, or refused with a reason a person understands."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from matcher.protocol import steps
from matcher.protocol.effects import Letter
from matcher.protocol.hours import Delay
from matcher.protocol.ids import AnswerId, DoctorId, OfferId, SearchId
from matcher.protocol.moves import MOVES, TIMES, Event, Kept, Moved, Refusal, Refused, Step
from matcher.protocol.search import (
    AppointmentState,
    CallOutcome,
    Declaration,
    Given,
    Household,
    Next,
    PatientContact,
    Says,
    Search,
    Stand,
    State,
    Timer,
    TimerKind,
    WithdrawalReason,
)
from matcher.protocol.steps.turn import TASKS, Turn
from tests.unit.protocol_world import ANNOUNCED, FittingOffer, World, consent

ANNA, BEA, EMIL = DoctorId("anna"), DoctorId("bea"), DoctorId("emil")
COUPLE = Household(adults=2)


def _withdrawn(world: World) -> None:
    world.calling()
    world.do(steps.withdraw, WithdrawalReason.LEFT)


def _returned(world: World) -> None:
    world.do(steps.submit)
    world.do(steps.give_back, ("phone",))


def _resting(world: World) -> None:
    world.launched()
    world.do(steps.rest, None)


def _unmet(world: World) -> None:
    world.calling()
    world.do(steps.close, Next.NOTHING, None)


WAYS: Mapping[State, Callable[[World], object]] = {
    State.DRAFT: lambda world: None,
    State.SUBMITTED: lambda world: world.do(steps.submit),
    State.RETURNED: _returned,
    State.READY: World.ready,
    State.ASKING: World.launched,
    State.CALLING: World.calling,
    State.PROPOSING: World.proposing,
    State.RELEASED: World.released,
    State.RESTING: _resting,
    State.ATTACHED: World.attached,
    State.UNMET: _unmet,
    State.WITHDRAWN: _withdrawn,
}


def in_state(state: State) -> World:
    """A search brought into that state by its usual way."""
    world = World(household=COUPLE)
    WAYS[state](world)
    assert world.state is state
    return world


def _hold_an_answer(world: World) -> None:
    """As after an opening that was too quick, whatever the state."""
    given = world.answer(Says.YES)
    held = steps.turn.Position(
        doctor=EMIL,
        at=world.now,
        held=(steps.answers.HeldAnswer(answer=given, why=steps.answers.Held.TOO_QUICK),),
    )
    world.search = replace(world.search, positions=(*world.search.positions, held))


def _settle_held(world: World) -> Step:
    _hold_an_answer(world)
    return steps.settle_held(world.search, AnswerId(f"a{world.answers}"), True, world.around)


def _offer(world: World) -> Step:
    offer = FittingOffer(offer=OfferId("o"), doctor=EMIL, by_link=False)
    world.candidates = replace(world.candidates, offers=(offer,))
    return steps.offer_declared(world.search, world.around)


def _join(world: World) -> Step:
    other = World().ready().search
    return steps.join(world.search, replace(other, id=SearchId("other")), world.around)[0]


TRIALS: Mapping[Event, Callable[[World], Step]] = {
    Event.SUBMIT: lambda w: steps.submit(w.search, w.around),
    Event.RETURN: lambda w: steps.give_back(w.search, ("phone",), w.around),
    Event.VALIDATE: lambda w: steps.validate(w.search, w.around),
    Event.CORRECT: lambda w: steps.correct(w.search, urgent=True, around=w.around),
    Event.ANNOUNCE: lambda w: steps.announce(w.search, ANNOUNCED, w.around),
    Event.CONSENT: lambda w: steps.take_consent(w.search, consent(Given.NO), w.around),
    Event.RECONFIRM: lambda w: steps.reconfirm(w.search, w.around),
    Event.LAUNCH: lambda w: steps.launch(w.search, w.around),
    Event.WAVE: lambda w: steps.send_wave(w.search, w.around),
    Event.START_CALLS: lambda w: steps.start_calls(w.search, w.around),
    Event.WIDEN: lambda w: steps.widen(w.search, w.around),
    Event.OFFER_DECLARED: _offer,
    Event.MAIL_ACCEPTED: lambda w: steps.mail_accepted(w.search, Letter.ANNOUNCEMENT, ANNA, w.around),
    Event.MAIL_DROPPED: lambda w: steps.mail_dropped(w.search, Letter.ANNOUNCEMENT, ANNA, w.around),
    Event.MAIL_DEAD: lambda w: steps.mail_dead(w.search, Letter.ANNOUNCEMENT, ANNA, w.around),
    Event.ANSWER: lambda w: steps.answer(w.search, EMIL, w.answer(Says.YES), None, w.around),
    Event.SETTLE_HELD: _settle_held,
    Event.CALL: lambda w: steps.call(
        w.search, EMIL, CallOutcome.YES, answer_id=AnswerId("call"), around=w.around
    ),
    Event.CHOOSE: lambda w: steps.choose(w.search, ANNA, None, w.around),
    Event.DECLINE: lambda w: steps.decline(w.search, [ANNA], w.around),
    Event.RENEW_RELEASE: lambda w: steps.renew_release(w.search, None, w.around),
    Event.LOCK_RELEASE: lambda w: steps.lock_release(w.search, w.around),
    Event.CALL_ME: lambda w: steps.call_me(w.search, w.around),
    Event.OPEN_RECORD: lambda w: steps.open_record(w.search, ANNA, w.around),
    Event.ACKNOWLEDGE: lambda w: steps.acknowledge(w.search, ANNA, w.around),
    Event.DESIST: lambda w: steps.desist(w.search, "doctor", "", w.around),
    Event.APPOINTMENT: lambda w: steps.appointment(
        w.search, w.now.date(), AppointmentState.PLANNED, w.around
    ),
    Event.CONFIRM: lambda w: steps.confirm(w.search, Declaration.DONE, w.now.date(), w.around),
    Event.CONTACT_ATTEMPT: lambda w: steps.contact_attempt(w.search, PatientContact.NO_ANSWER, w.around),
    Event.REST: lambda w: steps.rest(w.search, None, w.around),
    Event.WAKE: lambda w: steps.wake(w.search, w.around),
    Event.WITHDRAW: lambda w: steps.withdraw(w.search, WithdrawalReason.CONSENT, w.around),
    Event.UNDO_WITHDRAWAL: lambda w: steps.undo_withdrawal(w.search, w.around),
    Event.CLOSE: lambda w: steps.close(w.search, Next.MEDIATOR, None, w.around),
    Event.RELAUNCH: lambda w: steps.relaunch(w.search, None, w.around),
    Event.REOPEN: lambda w: steps.reopen(w.search, "", w.around),
    Event.SPLIT: lambda w: steps.split(w.search, Household(), w.around),
    Event.JOIN: _join,
    Event.TIME: lambda w: steps.due(w.search, w.search.timers[0], w.around),
}


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", State)
def test_every_cell_is_answered_as_the_table_says(state: State, event: Event) -> None:
    world = in_state(state)
    world.now += timedelta(minutes=1)
    cell = MOVES[state, event]
    if isinstance(cell, Refusal):
        with pytest.raises(Refused) as refused:
            TRIALS[event](world)
        assert (refused.value.code, refused.value.reason) == (cell.code, cell.reason)
        assert refused.value.state is state
        return
    step = TRIALS[event](world)
    if isinstance(cell, Kept):
        assert cell.why
        assert step == Step(world.search)
    else:
        assert step.search.state in cell.to
        # What became of a mail already settled moves nothing more.
        assert step != Step(world.search) or event in (Event.MAIL_ACCEPTED, Event.MAIL_DROPPED)


def test_the_table_has_every_cell() -> None:
    assert set(MOVES) == {(state, event) for state in State for event in Event}
    assert set(TIMES) == set(TimerKind)


def test_a_reason_is_a_sentence_and_a_code_is_a_name() -> None:
    for cell in MOVES.values():
        if isinstance(cell, Refusal):
            assert cell.reason.endswith(".")
            assert "'" not in cell.reason
            assert cell.code.replace("_", "").islower()


def test_every_state_can_be_reached_and_left() -> None:
    roads = {
        (before, after)
        for (before, _), cell in MOVES.items()
        if isinstance(cell, Moved)
        for after in cell.to - {before}
    }
    assert {after for _, after in roads} == set(State)
    assert {before for before, _ in roads} == set(State)


@pytest.mark.parametrize("kind", TimerKind)
@pytest.mark.parametrize("state", State)
def test_a_timer_does_what_its_cell_says_and_a_strange_one_nothing(state: State, kind: TimerKind) -> None:
    world = in_state(state)
    doctors = {TimerKind.SETTLE, TimerKind.HELD_OVERDUE, TimerKind.YES_HELD, TimerKind.YES_LAPSES}
    doctor = ANNA if kind in doctors | {TimerKind.CALL_BACK} else None
    timer = Timer(kind=kind, at=world.now, doctor=doctor)
    before = world.search
    if timer not in before.timers:
        assert steps.due(before, timer, world.around) == Step(before)
    if state not in TIMES[kind]:
        return
    others = tuple(t for t in before.timers if (t.kind, t.doctor) != (kind, doctor))
    step = steps.due(replace(before, timers=(*others, timer)), timer, world.around)
    assert step.search.state in TIMES[kind][state]
    assert timer not in step.search.timers


@pytest.mark.parametrize("state", State)
def test_no_state_holds_a_timer_or_a_task_that_makes_no_sense_there(state: State) -> None:
    search = in_state(state).search
    assert all(state in TIMES[timer.kind] for timer in search.timers)
    assert all(state in TASKS[task.kind] for task in search.tasks)


@pytest.mark.parametrize("state", State)
def test_a_next_step_is_always_known(state: State) -> None:
    assert steps.next_step(in_state(state).search) is not None


def test_a_step_that_leaves_its_cell_is_a_bug() -> None:
    world = World()
    turn = Turn(Event.SUBMIT, world.search, world.around)
    turn.enter(State.READY)
    with pytest.raises(AssertionError, match="submit moved draft to ready"):
        turn.end()


def test_a_destroyed_record_allows_nothing_that_needs_it() -> None:
    world = in_state(State.UNMET)
    world.until(TimerKind.RETENTION_OVER)
    assert world.search.record_destroyed
    with pytest.raises(Refused) as refused:
        world.do(steps.relaunch, None)
    assert refused.value.code == "record_destroyed"


def test_one_chosen_doctor_at_most_whatever_the_state() -> None:
    for state in State:
        positions: Search = in_state(state).search
        assert sum(p.stand is Stand.CHOSEN for p in positions.positions) <= 1


def test_a_working_day_is_a_delay() -> None:
    assert Delay(weekdays=1) == steps.answers.ONE_DAY
    assert timedelta(days=7) == steps.life.GRACE


def test_a_search_is_changed_as_any_frozen_value_is_replaced() -> None:
    search = World().search
    assert search.changed(urgent=True) == replace(search, urgent=True)
    assert not search.urgent
    with pytest.raises(TypeError):
        search.changed(urgently=True)
