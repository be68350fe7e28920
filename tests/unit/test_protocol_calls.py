"""The calls: what they come to, who is still to phone, who holds the telephone."""

from datetime import date, timedelta

import pytest

from matcher.protocol import steps
from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Refused
from matcher.protocol.search import (
    CallOutcome,
    Says,
    TaskKind,
    TimerKind,
)
from matcher.protocol.wishes import Wish, WishKind
from tests.unit.protocol_world import World, members

ANNA, BEA = DoctorId("anna"), DoctorId("bea")
A_WOMAN = (Wish(kind=WishKind.DOCTOR_SEX, value="F", hard=True),)


def test_the_calls_are_two_rounds_with_promised_ones_first_and_never_a_no() -> None:
    world = World().calling()
    world.phones("anna", CallOutcome.NO_ANSWER)
    world.phones("bea", CallOutcome.CALL_BACK, call_back_at=world.now + timedelta(hours=1))
    world.phones("carl", CallOutcome.NO)
    world.phones("dora", CallOutcome.WRONG_NUMBER)
    world.phones("emil", CallOutcome.DO_NOT_CALL)
    assert [c.doctor for c in steps.to_phone(world.search, world.around)] == ["anna", "bea"]
    world.wait(hours=1)
    assert TaskKind.CALL_BACK in world.tasks()
    assert [c.doctor for c in steps.to_phone(world.search, world.around)] == ["bea", "anna"]
    world.phones("anna", CallOutcome.MESSAGE_LEFT)
    assert not steps.exhausted(world.search, world.around)
    world.phones("bea", CallOutcome.SECRETARY_WILL_ASK)
    assert TaskKind.CALL_BACK not in world.tasks()
    assert world.timer(TimerKind.CALL_BACK, "bea").at > world.now
    world.phones("bea", CallOutcome.NO)
    assert not world.runs(TimerKind.CALL_BACK)
    assert steps.exhausted(world.search, world.around)


def test_who_takes_nobody_is_phoned_again_after_his_date() -> None:
    world = World("anna").calling()
    world.phones("anna", CallOutcome.NOT_TAKING, until=date(2026, 6, 10))
    assert steps.to_phone(world.search, world.around) == ()
    world.wait(days=9)
    assert [c.doctor for c in steps.to_phone(world.search, world.around)] == ["anna"]


def test_a_doctor_who_does_not_fit_and_was_never_asked_is_not_phoned() -> None:
    world = World().calling()
    world.candidates = members("bea")
    with pytest.raises(Refused) as found:
        world.phones("emil", CallOutcome.NO_ANSWER)
    assert found.value.code == "not_a_candidate"
    world.phones("anna", CallOutcome.NO_ANSWER)


def test_a_promise_made_while_a_doctor_is_chosen_arms_nothing() -> None:
    world = World().released("anna")
    world.phones("bea", CallOutcome.CALL_BACK)
    assert not world.runs(TimerKind.CALL_BACK)


def test_an_answer_that_settles_or_waits_for_its_confirmation_is_or_is_not_to_phone() -> None:
    world = World("anna", "bea").calling()
    world.says("anna", Says.YES, settle=False)
    assert [c.doctor for c in steps.to_phone(world.search, world.around)] == ["bea"]
    assert steps.to_phone(World().search, world.around) == ()


def test_one_doctor_is_claimed_by_one_person_until_the_claim_lapses() -> None:
    world = World()
    salima = steps.claim(None, "salima", world.now, world.rules)
    assert salima is not None
    assert steps.claim(salima, "ines", world.now, world.rules) is None
    assert steps.claim(salima, "salima", world.now, world.rules) == salima
    assert steps.claim(salima, "ines", salima.until, world.rules) is not None
