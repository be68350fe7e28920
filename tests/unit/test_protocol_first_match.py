"""First match: the first unconditional yes, by the doctor himself, is chosen with no further click."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from matcher.protocol import steps
from matcher.protocol.effects import Letter, OpenRelease
from matcher.protocol.hours import Delay
from matcher.protocol.ids import DoctorId
from matcher.protocol.search import (
    Choice,
    Given,
    Says,
    Stand,
    State,
    Terms,
    TimerKind,
    Via,
)
from tests.unit.protocol_world import RULES, World, consent, members

ANNA = DoctorId("anna")


def first_match(*names: str, **more: object) -> World:
    """A search whose patient agreed beforehand to the first unconditional yes."""
    return World(*names, choice=Choice.FIRST_MATCH, consent=consent(first_match_agreed=True), **more)


def test_first_match_chooses_and_releases_with_no_further_click() -> None:
    world = first_match().launched()
    world.says("anna", Says.YES)
    assert world.state is State.RELEASED
    assert world.search.chosen == "anna"
    assert world.letters(Letter.CHOSEN) == ["anna"]
    assert world.search.first_match_done


def test_as_many_simultaneous_yes_as_doctors_make_one_release_and_a_reserve() -> None:
    world = first_match().launched()
    for doctor in ("anna", "bea", "carl"):
        world.says(doctor, Says.YES, settle=False)
    world.wait(seconds=5)
    assert sum(isinstance(effect, OpenRelease) for effect in world.sent) == 1
    assert world.search.chosen == "anna"
    assert [p.doctor for p in world.search.standing_yes] == ["bea", "carl"]
    assert world.letters(Letter.KEPT_IN_RESERVE) == ["bea", "carl"]
    world.do(steps.desist, "doctor", "")
    assert world.state is State.PROPOSING
    assert [p.doctor for p in world.search.standing_yes] == ["bea", "carl"]


def test_first_match_triggers_once_per_run() -> None:
    world = first_match().launched()
    world.says("anna", Says.YES)
    world.do(steps.desist, "doctor", "")
    world.says("bea", Says.YES)
    assert world.state is State.PROPOSING


def test_the_office_being_closed_does_not_stop_first_match() -> None:
    world = first_match().launched()
    world.wait(hours=12)
    world.says("anna", Says.YES)
    assert world.state is State.RELEASED


@pytest.mark.parametrize("via", [Via.DELEGATE, Via.PHONE, Via.MAIL])
def test_only_the_doctors_own_link_triggers_first_match(via: Via) -> None:
    world = first_match().launched()
    world.says("anna", Says.YES, via=via)
    assert world.state is State.PROPOSING


def test_a_conditional_yes_is_a_proposal_and_an_unconditional_one_after_it_matches() -> None:
    world = first_match().launched()
    world.says("anna", Says.YES, terms=Terms(from_=date(2026, 7, 1)))
    assert world.state is State.PROPOSING
    world.says("bea", Says.YES)
    assert world.search.chosen == "bea"


def test_first_match_needs_fresh_need_and_consent_a_mailbox_and_a_doctor_who_still_fits() -> None:
    rules = replace(RULES, delays=replace(RULES.delays, reconfirm=Delay(open_time=timedelta(minutes=1))))
    old = first_match(rules=rules).launched()
    old.wait(minutes=5)
    old.says("anna", Says.YES)
    assert old.state is State.PROPOSING
    for candidates in (replace(members("anna"), with_mailbox=frozenset()), members("bea", "carl")):
        world = first_match().launched()
        world.candidates = candidates
        world.says("anna", Says.YES)
        assert world.state is State.PROPOSING


def test_first_match_needs_the_patients_agreement_given_beforehand() -> None:
    world = World(choice=Choice.FIRST_MATCH).launched()
    world.says("anna", Says.YES)
    assert world.state is State.PROPOSING
    world = first_match().launched()
    world.search = replace(world.search, consent=None)
    world.says("anna", Says.YES)
    assert world.state is State.PROPOSING


def test_first_match_without_consent_releases_nothing() -> None:
    world = first_match().launched()
    withdrawn = consent(Given.NO, first_match_agreed=True)
    world.search = replace(world.search, consent=withdrawn)
    world.says("anna", Says.YES)
    assert world.state is State.PROPOSING


def test_first_match_never_triggers_while_resting_nor_by_a_held_answer_that_is_kept() -> None:
    world = first_match().launched()
    world.do(steps.rest, None)
    world.says("anna", Says.YES)
    assert (world.state, world.stand("anna")) == (State.RESTING, Stand.YES)
    world.do(steps.wake)
    assert world.state is State.PROPOSING
    world = first_match().launched()
    given = world.says("anna", Says.YES, opened=0)
    world.do(steps.settle_held, given.id, True)
    assert world.state is State.PROPOSING


def test_a_settle_step_without_an_answer_is_harmless() -> None:
    world = World().launched()
    world.says("anna", Says.YES, settle=False)
    timer = world.timer(TimerKind.SETTLE, "anna")
    world.search = replace(world.search, positions=())
    world.take(steps.due(world.search, timer, world.around))
    assert world.state is State.ASKING
