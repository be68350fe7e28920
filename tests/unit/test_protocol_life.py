"""Intake, resting, withdrawing, ending, beginning again, splitting, joining, retention."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from matcher.protocol import steps
from matcher.protocol.effects import (
    CloseRecord,
    DestroyRecord,
    EndRelease,
    Letter,
    OpenRelease,
    ReopenRecord,
    SplitHousehold,
)
from matcher.protocol.hours import opening_of
from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.moves import Refused, Step
from matcher.protocol.search import (
    CallOutcome,
    Declaration,
    Household,
    Next,
    PatientContact,
    Says,
    Search,
    Stand,
    State,
    TaskKind,
    TimerKind,
    WithdrawalReason,
)
from matcher.protocol.wishes import Wish, WishKind
from tests.unit.protocol_world import OFFICE_HOURS, PARIS, World

ANNA, BEA = DoctorId("anna"), DoctorId("bea")
A_WOMAN = (Wish(kind=WishKind.DOCTOR_SEX, value="F", hard=True),)


def refused(world: World, *event: object, **named: object) -> str:
    with pytest.raises(Refused) as found:
        world.do(*event, **named)  # type: ignore[arg-type]
    return found.value.code


def unmet(*said_yes: str) -> World:
    """Closed without a doctor; these doctors' yes stands."""
    world = World().proposing(*said_yes) if said_yes else World().calling()
    world.do(steps.close, Next.NOTHING, None)
    return world


# Resting ----------------------------------------------------------------------------------------------


def test_no_delay_runs_during_a_rest_and_the_timers_go_on_where_they_stood() -> None:
    world = World().launched()
    world.wait(days=1)
    world.do(steps.rest, date(2026, 6, 10))
    assert world.state is State.RESTING
    assert {t.kind for t in world.search.timers} == {TimerKind.WAKE, TimerKind.UNTOUCHED, TimerKind.ABANDONED}
    world.do(steps.rest, date(2026, 6, 9))
    world.until(TimerKind.WAKE)
    assert world.now == datetime(2026, 6, 9, 9, tzinfo=PARIS)
    assert world.state is State.ASKING
    assert world.timer(TimerKind.REMINDER).at == datetime(2026, 6, 10, 9, tzinfo=PARIS)
    assert world.search.rest is None


def test_a_rest_may_lose_its_end() -> None:
    world = World().launched()
    assert refused(world, steps.rest, date(2026, 6, 1)) == "date_past"
    world.do(steps.rest, date(2026, 6, 9))
    world.do(steps.rest, None)
    assert not world.runs(TimerKind.WAKE)


def test_a_ready_search_rests_and_comes_back_ready() -> None:
    world = World().ready()
    world.do(steps.rest, None)
    world.do(steps.wake)
    assert world.state is State.READY


def test_a_proposal_rests_with_its_delays_and_a_yes_undone_meanwhile_is_gone() -> None:
    world = World().proposing("anna", "bea")
    held = world.timer(TimerKind.YES_HELD, "anna").at
    world.do(steps.rest, None)
    world.says("bea", Says.UNDO)
    world.wait(days=7)
    world.do(steps.wake)
    assert world.state is State.PROPOSING
    assert world.timer(TimerKind.YES_HELD, "anna").at > held
    world.do(steps.rest, None)
    world.says("anna", Says.UNDO)
    world.do(steps.wake)
    assert world.state is State.ASKING
    assert TaskKind.LAST_YES_GONE in world.tasks()


def test_three_tries_in_vain_rest_the_search_and_are_a_task() -> None:
    world = World().proposing("anna")
    world.do(steps.contact_attempt, PatientContact.NO_ANSWER)
    world.do(steps.contact_attempt, PatientContact.REACHED)
    for outcome in (PatientContact.NO_ANSWER, PatientContact.THROUGH_REQUESTER, PatientContact.MESSAGE_LEFT):
        assert world.state is State.PROPOSING
        world.do(steps.contact_attempt, outcome)
        world.wait(days=1, hours=4)
    assert world.state is State.RESTING
    assert TaskKind.PATIENT_UNREACHABLE in world.tasks()
    world.do(steps.wake)
    assert world.state is State.PROPOSING
    assert world.search.contact_attempts == ()


def test_while_a_doctor_has_the_record_the_tries_are_only_noted() -> None:
    world = World().released("anna")
    _all_tries(world)
    assert world.state is State.RELEASED
    assert TaskKind.PATIENT_UNREACHABLE in world.tasks()
    world = World().attached()
    world.do(steps.contact_attempt, PatientContact.NO_ANSWER)
    assert world.tasks() == set()


def _all_tries(world: World) -> None:
    world.do(steps.contact_attempt, PatientContact.WRONG_NUMBER)
    world.do(steps.contact_attempt, PatientContact.THROUGH_REQUESTER)
    world.wait(days=1, hours=4)
    world.do(steps.contact_attempt, PatientContact.NO_ANSWER)


# Withdrawal -------------------------------------------------------------------------------------------


def test_a_withdrawal_closes_at_once_and_destroys_after_seven_days() -> None:
    world = World().proposing("anna")
    world.do(steps.withdraw, WithdrawalReason.FOUND_ONE)
    assert CloseRecord() in world.sent
    assert world.letters(Letter.THANKED) == ["anna"]
    assert refused(world, steps.withdraw, WithdrawalReason.LEFT) == "already_withdrawn"
    world.wait(days=6)
    assert DestroyRecord(consent_taken_back=False) not in world.sent
    world.wait(days=1)
    assert DestroyRecord(consent_taken_back=False) in world.sent
    assert refused(world, steps.undo_withdrawal) == "record_destroyed"


def test_consent_taken_back_during_the_grace_destroys_at_once_and_is_not_undone() -> None:
    world = World().released("anna")
    world.do(steps.open_record, ANNA)
    world.do(steps.withdraw, WithdrawalReason.DEATH)
    assert world.letters(Letter.PLEASE_DELETE) == ["anna"]
    world.do(steps.withdraw, WithdrawalReason.CONSENT)
    assert world.sent[-1] == DestroyRecord(consent_taken_back=True)
    assert refused(world, steps.withdraw, WithdrawalReason.CONSENT) == "already_withdrawn"
    assert refused(world, steps.undo_withdrawal) == "record_destroyed"


def test_undo_brings_back_the_state_and_its_timers() -> None:
    world = World().launched()
    before = world.search
    world.do(steps.withdraw, WithdrawalReason.LEFT)
    world.wait(days=3)
    world.do(steps.undo_withdrawal)
    assert ReopenRecord() in world.sent
    assert world.state is State.ASKING
    kinds = {timer.kind for timer in before.timers}
    assert {timer.kind for timer in world.search.timers} == kinds
    # Became due meanwhile: due now.
    assert world.timer(TimerKind.REMINDER).at == world.now
    assert not world.runs(TimerKind.GRACE_OVER)


def test_undo_after_seven_days_is_too_late_even_before_the_step_that_destroys() -> None:
    world = World().launched()
    world.do(steps.withdraw, WithdrawalReason.LEFT)
    world.now += timedelta(days=7)
    assert refused(world, steps.undo_withdrawal) == "too_late"


@pytest.mark.parametrize("attached", [False, True])
def test_undo_opens_the_release_again_under_a_new_link(attached: bool) -> None:
    world = World().attached() if attached else World().released("anna")
    timers = {timer.kind for timer in world.search.timers}
    world.do(steps.withdraw, WithdrawalReason.LEFT)
    assert EndRelease(doctor=ANNA) in world.sent
    world.do(steps.undo_withdrawal)
    release = world.search.release
    assert release is not None
    assert release.number == 2
    assert OpenRelease(release=release) in world.sent
    assert {timer.kind for timer in world.search.timers} == timers


# Ending and beginning again -----------------------------------------------------------------------------


def test_a_planned_relaunch_comes_on_its_day_as_a_task_and_defers_the_retention() -> None:
    world = unmet("anna")
    day = date(2026, 9, 1)
    world.do(steps.close, Next.RELAUNCH, day)
    assert world.search.ending is not None
    assert world.search.ending.relaunch_on == day
    assert world.timer(TimerKind.RETENTION_OVER).at > datetime(2026, 11, 20, tzinfo=PARIS)
    world.until(TimerKind.RELAUNCH)
    assert world.now == opening_of(day, OFFICE_HOURS)
    assert world.state is State.READY
    assert world.search.run == 2
    assert world.tasks() >= {TaskKind.RELAUNCH_DUE, TaskKind.RECONFIRM}
    assert world.stand("anna") is Stand.UNCONFIRMED
    world.do(steps.reconfirm)
    world.do(steps.launch)
    assert world.tasks() == set()
    assert world.letters(Letter.STILL_AVAILABLE) == ["anna"]


def test_a_relaunch_is_planned_or_at_once() -> None:
    world = unmet()
    assert refused(world, steps.relaunch, date(2026, 6, 1)) == "date_past"
    assert refused(world, steps.close, Next.RELAUNCH, date(2026, 6, 1)) == "date_past"
    world.do(steps.relaunch, date(2026, 6, 9))
    assert world.state is State.UNMET
    assert world.runs(TimerKind.RELAUNCH)
    world.do(steps.relaunch, world.now.date())
    assert world.state is State.READY
    assert world.search.ending is None
    assert not world.runs(TimerKind.RELAUNCH)
    world.search = replace(world.search, state=State.UNMET, ending=None)
    world.do(steps.relaunch, date(2026, 6, 9))
    assert world.search.ending is not None


def test_closing_a_resting_search_ends_its_rest_with_it() -> None:
    world = World().launched()
    world.do(steps.rest, None)
    world.do(steps.close, Next.PASS, None)
    assert (world.state, world.search.rest) == (State.UNMET, None)


def test_in_a_new_run_everybody_may_be_asked_again_but_the_declined() -> None:
    world = World().proposing("anna", "bea")
    world.says("carl", Says.NO)
    world.do(steps.decline, [ANNA])
    world.says("bea", Says.UNDO)
    world.says("dora", Says.YES, opened=0)
    world.do(steps.close, Next.NOTHING, None)
    world.do(steps.relaunch, None)
    assert [p.doctor for p in world.search.positions] == ["dora"]
    world.do(steps.launch)
    assert world.letters(Letter.ANNOUNCEMENT)[-3:] == ["bea", "carl", "emil"]


def test_reopening_keeps_the_seniority_and_does_not_ask_the_doctor_who_left() -> None:
    world = World().attached()
    seniority = world.search.seniority
    world.do(steps.reopen, "déménagement du médecin")
    assert world.state is State.ASKING
    assert (world.search.run, world.search.seniority) == (2, seniority)
    assert EndRelease(doctor=ANNA) in world.sent
    assert world.letters(Letter.ANNOUNCEMENT)[3:] == ["bea", "carl", "dora"]
    assert world.stand("anna") is Stand.GAVE_UP
    assert not world.runs(TimerKind.RETENTION_OVER)


def test_reopening_proposes_the_reserve_first() -> None:
    world = World().attached("bea")
    world.do(steps.reopen, "")
    assert world.state is State.PROPOSING
    assert world.stand("bea") is Stand.YES


def test_reopening_long_after_waits_for_need_and_consent_before_anybody_is_mailed() -> None:
    world = World().attached()
    world.wait(days=30)
    mails = len(world.letters(Letter.ANNOUNCEMENT))
    world.do(steps.reopen, "")
    assert TaskKind.RECONFIRM in world.tasks()
    assert len(world.letters(Letter.ANNOUNCEMENT)) == mails
    world.do(steps.reconfirm)
    assert len(world.letters(Letter.ANNOUNCEMENT)) == mails + 3


def test_untouched_for_ninety_days_is_a_task_and_for_180_ends_unconfirmed() -> None:
    world = World().calling()
    world.wait(days=90)
    assert TaskKind.UNTOUCHED in world.tasks()
    world.wait(days=90)
    assert world.state is State.UNMET
    assert world.search.ending is not None
    assert world.search.ending.unconfirmed


def test_touching_a_search_begins_the_ninety_days_anew() -> None:
    world = World().calling()
    world.wait(days=90)
    world.phones("anna", CallOutcome.NO_ANSWER)
    assert world.tasks() == set()
    assert world.timer(TimerKind.UNTOUCHED).at == world.now + timedelta(days=90)


def test_a_released_search_untouched_for_180_days_stays_a_task() -> None:
    world = World().released("anna")
    world.wait(days=180)
    assert world.state is State.RELEASED
    assert TaskKind.UNTOUCHED in world.tasks()


def test_a_rest_without_end_is_ended_by_the_180_days() -> None:
    world = World().launched()
    world.do(steps.rest, None)
    world.wait(days=180)
    assert (world.state, world.search.rest) == (State.UNMET, None)


@pytest.mark.parametrize("way", [World, unmet, lambda: World().attached()])
def test_when_its_retention_is_over_the_record_is_destroyed(way: object) -> None:
    world: World = way()  # type: ignore[operator]
    world.until(TimerKind.RETENTION_OVER)
    assert world.sent[-1] == DestroyRecord(consent_taken_back=False)
    assert world.search.timers == ()
    # A late yes is thanked: there is no record to release any more.
    if world.state is not State.DRAFT:
        world.says("bea", Says.YES)
        assert world.letters(Letter.THANKED) == ["bea"]


def test_a_draft_that_is_worked_on_keeps_its_record() -> None:
    world = World()
    first = world.timer(TimerKind.RETENTION_OVER).at
    world.wait(days=30)
    world.do(steps.correct, urgent=True)
    assert world.timer(TimerKind.RETENTION_OVER).at == first + timedelta(days=30)


# Households and duplicates ------------------------------------------------------------------------------


def test_part_of_a_household_stays_and_the_rest_is_split_off() -> None:
    world = World(household=Household(adults=2, children=2)).proposing("anna")
    world.do(steps.split, Household(adults=1, children=2))
    assert world.search.household == Household(adults=1, children=2)
    assert world.sent[-1] == SplitHousehold(rest=Household(adults=1))


@pytest.mark.parametrize("keep", [Household(adults=3), Household(adults=2, children=1), Household(adults=0)])
def test_both_parts_of_a_split_hold_somebody(keep: Household) -> None:
    world = World(household=Household(adults=2, children=1)).ready()
    assert refused(world, steps.split, keep) == "bad_split"


def test_one_person_is_no_household() -> None:
    assert refused(World().ready(), steps.split, Household()) == "not_a_household"
    world = World(household=Household()).ready()
    assert refused(world, steps.split, Household()) == "not_a_household"


def other(world: World) -> Search:
    return replace(world.search, id=SearchId("other"))


def joined(one: World, two: World) -> tuple[Step, Step]:
    return steps.join(one.search, other(two), one.around)


def test_two_requesters_for_one_patient_the_less_advanced_ends_as_duplicate() -> None:
    old = World().ready()
    new = World()
    new.now = old.now + timedelta(days=1)
    new.launched()
    for one, two in ((old, new), (new, old)):
        first, second = joined(one, two)
        kept, ended = (second, first) if one is old else (first, second)
        assert kept.search.state is State.ASKING
        assert kept.search.seniority == old.search.seniority
        assert kept.effects == ()
        assert ended.search.state is State.WITHDRAWN
        assert ended.search.withdrawal is not None
        assert ended.search.withdrawal.reason is WithdrawalReason.DUPLICATE
        # Neither requester learns of the other.
        assert ended.effects == (CloseRecord(),)


def test_of_two_equally_advanced_the_longer_waiting_stays_and_a_resting_one_counts_as_before() -> None:
    old, new = World().launched(), World()
    new.wait(days=1)
    new.launched()
    old.do(steps.rest, None)
    first, second = joined(old, new)
    assert first.search.state is State.RESTING
    assert second.search.state is State.WITHDRAWN


def test_two_that_have_a_doctor_each_cannot_be_joined_and_are_a_task() -> None:
    first, second = joined(World().released("anna"), World().attached())
    for step, state in ((first, State.RELEASED), (second, State.ATTACHED)):
        assert step.search.state is state
        assert [task.kind for task in step.search.tasks] == [TaskKind.BOTH_RELEASED]


def test_a_search_is_not_joined_with_itself() -> None:
    world = World().ready()
    with pytest.raises(Refused) as found:
        steps.join(world.search, world.search, world.around)
    assert found.value.code == "same_search"


def test_the_end_is_told_to_the_requester() -> None:
    world = World().released("anna")
    before = world.news()
    world.do(steps.confirm, Declaration.NOT_APPLICABLE, world.now.date())
    assert world.news() == before + 1


def test_the_next_step_is_the_next_delay_and_not_a_safeguard() -> None:
    world = World().launched()
    following = steps.next_step(world.search)
    assert following is not None
    assert following.kind is TimerKind.NEXT_WAVE
    assert steps.next_step(replace(world.search, timers=())) is None
