"""What doctors answer: settling, held and contradictory, repeated, undone, late; and first match."""

from datetime import date

import pytest

from matcher.protocol import steps
from matcher.protocol.effects import Letter, PauseDoctor
from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Refused
from matcher.protocol.search import (
    CallOutcome,
    Choice,
    Held,
    Next,
    Says,
    Stand,
    State,
    TaskKind,
    Terms,
    TimerKind,
    Via,
    WithdrawalReason,
)
from tests.unit.protocol_world import World, consent

ANNA = DoctorId("anna")


def first_match(*names: str, **more: object) -> World:
    """A search whose patient agreed beforehand to the first unconditional yes."""
    return World(*names, choice=Choice.FIRST_MATCH, consent=consent(first_match_agreed=True), **more)


def refused(world: World, *event: object, **named: object) -> str:
    with pytest.raises(Refused) as found:
        world.do(*event, **named)  # type: ignore[arg-type]
    return found.value.code


def test_a_yes_takes_effect_after_it_has_settled() -> None:
    world = World().launched()
    world.says("anna", Says.YES, settle=False)
    assert (world.state, world.stand("anna")) == (State.ASKING, Stand.OPEN)
    world.wait(seconds=5)
    assert (world.state, world.stand("anna")) == (State.PROPOSING, Stand.YES)
    assert world.news() == 1
    assert not any(world.runs(kind) for kind in (TimerKind.REMINDER, TimerKind.NEXT_WAVE, TimerKind.CALLS))
    assert world.runs(TimerKind.YES_HELD)
    assert world.runs(TimerKind.CHOICE_CHASE)


def test_repeating_an_answer_changes_nothing() -> None:
    world = World().launched()
    for says, stand in ((Says.YES, Stand.YES), (Says.NO, Stand.NO), (Says.PAUSE, Stand.PAUSED)):
        world.says("anna", says, settle=False)
        before = world.search
        world.wait(seconds=1)
        world.says("anna", says, settle=False)
        assert world.search == before
        world.wait(seconds=5)
        assert world.stand("anna") is stand
        before, sent = world.search, len(world.sent)
        world.says("anna", says)
        world.says("anna", says, via=Via.DELEGATE)
        assert (world.search, len(world.sent)) == (before, sent)


def test_an_answer_two_seconds_after_opening_is_held_and_moves_nothing_until_settled() -> None:
    world = World().launched()
    given = world.says("anna", Says.YES, opened=1.9)
    assert world.state is State.ASKING
    assert [held.why for held in world.position("anna").held] == [Held.TOO_QUICK]
    assert TaskKind.ANSWER_HELD in world.tasks()
    before = world.search
    world.says("anna", Says.YES, opened=1)
    assert world.search == before
    world.do(steps.settle_held, given.id, True)
    assert world.state is State.PROPOSING
    assert not world.tasks()
    assert refused(world, steps.settle_held, given.id, True) == "no_such_answer"


def test_a_held_answer_may_be_set_aside() -> None:
    world = World().launched()
    given = world.says("anna", Says.NO, opened=0)
    world.do(steps.settle_held, given.id, False)
    assert world.stand("anna") is Stand.OPEN
    assert not world.runs(TimerKind.HELD_OVERDUE)
    assert not world.tasks()


def test_a_quick_undo_is_held_too_and_takes_the_answer_back_once_kept() -> None:
    world = World().launched()
    world.says("anna", Says.NO)
    given = world.says("anna", Says.UNDO, opened=0)
    assert world.stand("anna") is Stand.NO
    world.do(steps.settle_held, given.id, True)
    assert world.stand("anna") is Stand.OPEN


def test_a_held_answer_nobody_settles_in_a_working_day_comes_on_top() -> None:
    world = World().launched()
    world.says("anna", Says.YES, opened=0)
    world.until(TimerKind.HELD_OVERDUE, "anna")
    assert TaskKind.ANSWER_HELD_OVERDUE in world.tasks()


def test_a_calm_answer_after_a_quick_one_takes_its_place() -> None:
    world = World().launched()
    world.says("anna", Says.NO, opened=0)
    world.says("anna", Says.YES)
    assert world.stand("anna") is Stand.YES
    assert world.position("anna").held == ()
    assert not world.runs(TimerKind.HELD_OVERDUE)


def test_a_contradiction_before_settling_holds_both() -> None:
    world = World().launched()
    yes = world.says("anna", Says.YES, settle=False)
    no = world.says("anna", Says.NO, settle=False)
    assert [held.answer for held in world.position("anna").held] == [yes, no]
    assert not world.runs(TimerKind.SETTLE)
    world.wait(seconds=5)
    assert world.state is State.ASKING
    before = world.search
    world.says("anna", Says.NO)
    assert world.search == before
    pause = world.says("anna", Says.PAUSE)
    assert [held.answer for held in world.position("anna").held] == [yes, no, pause]
    world.do(steps.settle_held, no.id, False)
    assert TaskKind.ANSWER_HELD in world.tasks()
    world.do(steps.settle_held, yes.id, True)
    assert world.stand("anna") is Stand.YES
    assert not world.tasks()


def test_a_quick_contradiction_holds_both_too() -> None:
    world = World().launched()
    world.says("anna", Says.YES, settle=False)
    world.says("anna", Says.UNDO, opened=0)
    assert [held.why for held in world.position("anna").held] == [Held.CONTRADICTION] * 2
    assert world.position("anna").settling is None


def test_undo_while_settling_drops_the_answer() -> None:
    world = World().launched()
    world.says("anna", Says.YES, settle=False)
    world.says("anna", Says.UNDO)
    assert world.stand("anna") is Stand.OPEN
    assert world.state is State.ASKING
    before = world.search
    world.says("anna", Says.UNDO)
    assert world.search == before


def test_undo_of_held_answers_drops_them() -> None:
    world = World().launched()
    world.says("anna", Says.YES, opened=0)
    world.says("anna", Says.UNDO)
    assert world.position("anna").held == ()
    assert not world.tasks()


def test_the_last_yes_undone_asks_members_who_are_left_and_tells_the_office() -> None:
    world = World().proposing("anna")
    world.says("anna", Says.UNDO)
    assert world.state is State.ASKING
    assert TaskKind.LAST_YES_GONE in world.tasks()
    assert world.letters(Letter.ANNOUNCEMENT)[3:] == ["dora", "emil"]


def test_the_last_yes_turned_into_a_no_opens_the_calls_where_nobody_is_left() -> None:
    world = World("anna", "bea").proposing("anna")
    world.says("anna", Says.NO)
    assert world.state is State.CALLING
    assert TaskKind.LAST_YES_GONE in world.tasks()
    assert not world.runs(TimerKind.YES_HELD)


def test_one_yes_of_two_undone_leaves_the_other_a_proposal() -> None:
    world = World().proposing("anna", "bea")
    world.says("anna", Says.UNDO)
    assert world.state is State.PROPOSING
    assert [p.doctor for p in world.search.standing_yes] == ["bea"]


def test_undoing_a_pause_lifts_it() -> None:
    world = World().launched()
    world.says("anna", Says.PAUSE, until=date(2026, 7, 1))
    assert PauseDoctor(doctor=ANNA, until=date(2026, 7, 1)) in world.sent
    world.says("anna", Says.UNDO)
    assert world.sent[-1] == PauseDoctor(doctor=ANNA, until=None)
    assert world.stand("anna") is Stand.OPEN


def test_a_pause_without_an_end_lasts_thirty_days() -> None:
    world = World().launched()
    world.says("anna", Says.PAUSE, via=Via.PHONE)
    assert world.sent[-1] == PauseDoctor(doctor=ANNA, until=date(2026, 7, 2))


def test_the_chosen_doctor_gives_up_instead_of_answering_no() -> None:
    world = World().released("anna")
    before = world.search
    world.says("anna", Says.YES)
    assert world.search == before
    for via in (Via.LINK, Via.PHONE):
        code = refused(world, steps.answer, ANNA, world.answer(Says.NO, via), None)
        assert code == "give_up_instead"


def test_a_phoned_answer_takes_effect_at_once_even_over_one_that_settles() -> None:
    world = World().launched()
    world.says("anna", Says.NO, settle=False)
    world.phones("anna", CallOutcome.YES)
    assert world.state is State.PROPOSING
    assert world.position("anna").settling is None
    assert not world.runs(TimerKind.SETTLE)


def test_a_yes_by_plain_mail_waits_for_its_confirmation() -> None:
    world = World().launched()
    world.says("anna", Says.YES, via=Via.MAIL, opened=None)
    assert (world.state, world.stand("anna")) == (State.PROPOSING, Stand.UNCONFIRMED)
    assert world.letters(Letter.CONFIRM_ANSWER) == ["anna"]
    before = world.search
    world.says("anna", Says.YES, via=Via.MAIL, opened=None)
    assert world.search == before
    assert refused(world, steps.choose, ANNA, None) == "unconfirmed"
    world.says("anna", Says.YES)
    assert world.stand("anna") is Stand.YES
    assert world.news() == 1


def test_a_yes_by_plain_mail_may_be_confirmed_on_the_phone() -> None:
    world = World().launched()
    world.says("anna", Says.YES, via=Via.MAIL, opened=None)
    world.phones("anna", CallOutcome.YES)
    assert world.stand("anna") is Stand.YES


def test_a_no_by_plain_mail_takes_effect_at_once() -> None:
    world = World().launched()
    world.says("anna", Says.NO, via=Via.MAIL, opened=None, settle=False)
    assert world.stand("anna") is Stand.NO


def test_a_plain_mail_against_an_answer_that_settles_holds_both() -> None:
    world = World().launched()
    world.says("anna", Says.YES, settle=False)
    world.says("anna", Says.NO, via=Via.MAIL, opened=None)
    assert len(world.position("anna").held) == 2


def test_once_only_is_kept_and_is_no_proposal() -> None:
    world = World().launched()
    world.says("anna", Says.YES, terms=Terms(once=True))
    assert (world.state, world.stand("anna")) == (State.ASKING, Stand.ONCE)
    world.says("anna", Says.YES)
    assert world.state is State.PROPOSING
    world.says("anna", Says.YES, terms=Terms(once=True))
    assert world.state is State.ASKING


def test_a_yes_of_a_doctor_never_asked_in_this_run_counts() -> None:
    world = World().launched()
    world.says("emil", Says.YES)
    assert world.state is State.PROPOSING


def test_a_late_yes_in_released_is_kept_in_reserve_and_the_doctor_told_once() -> None:
    world = World().released("anna")
    world.says("bea", Says.YES)
    world.says("bea", Says.YES)
    assert world.state is State.RELEASED
    assert world.stand("bea") is Stand.YES
    assert world.letters(Letter.KEPT_IN_RESERVE) == ["bea"]


def test_a_late_yes_in_unmet_is_a_task_and_a_proposal_of_the_next_run() -> None:
    world = World().calling()
    world.do(steps.close, Next.NOTHING, None)
    world.phones("bea", CallOutcome.NO)
    world.says("anna", Says.YES)
    assert world.state is State.UNMET
    assert TaskKind.LATE_YES in world.tasks()
    world.do(steps.relaunch, None)
    world.do(steps.launch)
    assert world.state is State.PROPOSING
    assert world.stand("anna") is Stand.YES


def test_a_yes_by_a_late_call_is_kept_in_reserve_too() -> None:
    world = World().calling()
    world.do(steps.close, Next.NOTHING, None)
    world.phones("anna", CallOutcome.YES)
    assert world.stand("anna") is Stand.YES


def test_after_the_end_a_yes_is_thanked_and_a_no_is_silence() -> None:
    for way in (World.attached, World.calling):
        world = way(World())
        if world.state is State.CALLING:
            world.do(steps.withdraw, WithdrawalReason.FOUND_ONE)
        world.says("bea", Says.YES)
        world.says("carl", Says.NO)
        assert world.letters(Letter.THANKED) == ["bea"]
        assert world.search.standing_yes == ()


def test_an_answer_held_until_after_the_end_is_thanked_or_forgotten() -> None:
    for says, thanked in ((Says.YES, ["bea"]), (Says.NO, [])):
        world = World().released("anna")
        given = world.says("bea", says, opened=0)
        world.do(steps.withdraw, WithdrawalReason.LEFT)
        world.do(steps.settle_held, given.id, True)
        assert world.letters(Letter.THANKED) == thanked


def test_an_answer_to_a_request_that_was_never_asked_is_refused() -> None:
    assert refused(World(), steps.answer, ANNA, World().answer(Says.YES), None) == "over"


def test_a_doctor_whom_the_patient_declined_moves_nothing_more() -> None:
    world = World().proposing("anna", "bea")
    world.do(steps.decline, [ANNA])
    before = world.search
    world.says("anna", Says.YES)
    assert world.search == before


def test_an_answer_that_settles_while_the_patient_declines_is_dropped() -> None:
    world = World().proposing("anna", "bea")
    world.says("anna", Says.NO, settle=False)
    world.do(steps.decline, [ANNA])
    world.wait(seconds=5)
    assert world.stand("anna") is Stand.DECLINED
