"""From a draft to a request that is ready, and what is corrected later."""

from dataclasses import replace

import pytest

from matcher.protocol import steps
from matcher.protocol.announcement import AgeBand, Condition, ConditionKind
from matcher.protocol.effects import (
    DestroyRecord,
    Letter,
)
from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Refused
from matcher.protocol.search import (
    Given,
    Household,
    Next,
    SpeaksToPatient,
    Stand,
    State,
    TaskKind,
    WithdrawalReason,
)
from matcher.protocol.wishes import Wish, WishKind
from tests.unit.protocol_world import ANNOUNCED, VENISSIEUX, World, consent, members

ANNA, BEA = DoctorId("anna"), DoctorId("bea")
A_WOMAN = (Wish(kind=WishKind.DOCTOR_SEX, value="F", hard=True),)


def refused(world: World, *event: object, **named: object) -> str:
    with pytest.raises(Refused) as found:
        world.do(*event, **named)  # type: ignore[arg-type]
    return found.value.code


def test_a_request_is_submitted_returned_completed_and_validated() -> None:
    world = World()
    world.do(steps.submit)
    seniority = world.search.seniority
    world.wait(days=1)
    world.do(steps.give_back, ("phone", "consent"))
    assert world.search.missing == ("phone", "consent")
    assert world.news() == 1
    world.wait(days=1)
    world.do(steps.submit)
    assert world.search.missing == ()
    assert world.search.seniority == seniority
    world.do(steps.validate)
    assert world.state is State.READY
    assert world.search.confirmed_at == world.now


@pytest.mark.parametrize("given", [Given.UNDECIDED, Given.NO])
def test_without_a_yes_a_request_is_saved_and_not_validated(given: Given) -> None:
    world = World(consent=consent(given))
    world.do(steps.submit)
    assert refused(world, steps.validate) == "consent"
    world.do(steps.take_consent, consent(Given.NO))
    assert world.state is State.SUBMITTED
    world.do(steps.take_consent, consent())
    world.do(steps.validate)
    assert world.state is State.READY


def test_a_search_without_any_consent_can_be_taken_out() -> None:
    world = World(consent=None)
    world.do(steps.withdraw, WithdrawalReason.CONSENT)
    assert world.search.consent is not None
    assert world.search.consent.given is Given.NO


def test_after_validation_a_no_is_a_withdrawal_and_a_yes_a_confirmation() -> None:
    world = World().launched()
    world.wait(days=1)
    assert refused(world, steps.take_consent, consent(Given.UNDECIDED)) == "consent_stands"
    world.do(steps.take_consent, consent(outcome_shared=True))
    assert world.search.confirmed_at == world.now
    assert world.search.consent == consent(outcome_shared=True)
    world.do(steps.take_consent, consent(Given.NO))
    assert world.state is State.WITHDRAWN
    assert world.sent[-1] == DestroyRecord(consent_taken_back=True)
    assert refused(world, steps.take_consent, consent()) == "over"


def test_an_announcement_once_sent_may_only_be_repeated_or_widened_by_a_later_run() -> None:
    world = World().calling()
    world.do(steps.close, Next.NOTHING, None)
    world.do(steps.relaunch, None)
    birthday = replace(ANNOUNCED, age=AgeBand(from_=70, to=74))
    assert refused(world, steps.announce, birthday) == "announcement_frozen"
    world.do(steps.announce, ANNOUNCED)
    visits = (Condition(kind=ConditionKind.HOME_VISITS),)
    world.do(steps.announce, replace(ANNOUNCED, conditions=visits))
    wider = replace(ANNOUNCED, age=AgeBand(from_=60, to=69), place=VENISSIEUX, residents=9000)
    world.do(steps.announce, wider)
    assert world.search.announcement == wider


def test_a_correction_leaves_what_it_does_not_name() -> None:
    world = World(wishes=A_WOMAN).launched()
    world.do(
        steps.correct,
        urgent=True,
        household=Household(adults=2),
        speaks_to_patient=SpeaksToPatient.REQUESTER,
        conditions=[Condition(kind=ConditionKind.EVENINGS)],
    )
    assert world.search.wishes == A_WOMAN
    assert world.search.urgent
    assert world.search.household == Household(adults=2)
    assert world.search.speaks_to_patient is SpeaksToPatient.REQUESTER
    world.do(steps.correct, wishes=())
    assert world.search.conditions == {Condition(kind=ConditionKind.EVENINGS)}


def test_a_hard_wish_made_stricter_stops_the_proposals_that_no_longer_fit() -> None:
    world = World().proposing("anna", "bea")
    world.candidates = replace(world.candidates, ordered=members("bea", "dora").ordered)
    world.do(steps.correct, wishes=A_WOMAN)
    assert (world.state, world.stand("anna")) == (State.PROPOSING, Stand.DECLINED)
    assert world.letters(Letter.THANKED) == ["anna"]
    world.candidates = members("dora")
    world.do(steps.correct, wishes=(*A_WOMAN, *A_WOMAN))
    assert world.state is State.ASKING
    assert TaskKind.LAST_YES_GONE in world.tasks()
    assert world.search.declined == frozenset()


def test_a_stricter_wish_leaves_the_chosen_doctor_to_a_persons_decision() -> None:
    world = World().released("anna", "bea")
    world.candidates = members("dora")
    world.do(steps.correct, wishes=A_WOMAN)
    assert world.search.chosen == "anna"
    assert world.search.standing_yes == ()
