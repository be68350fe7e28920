"""What needs a person, in the order in which to do it."""

from dataclasses import replace

from matcher.protocol.search import SpeaksToPatient, TimerKind
from matcher.service import to_do
from matcher.storage.searches import Owned
from tests.unit.protocol_world import World


def kinds(world: World) -> list[str]:
    """The kinds of what comes before the calls."""
    before, _ = to_do.things([Owned(search=world.search, reference="VEN-26-0001")], world.now)
    return [thing.kind for thing in before]


def test_a_yes_is_to_be_put_to_the_person_at_once_and_once() -> None:
    world = World().proposing("anna", "bea")
    assert kinds(world) == ["yes_to_propose"]
    world.until(TimerKind.CHOICE_CHASE)
    assert kinds(world) == ["choice_waited_for"]


def test_a_yes_that_the_requester_puts_to_the_person_is_no_work_of_the_office() -> None:
    world = World().proposing("anna")
    world.search = replace(world.search, speaks_to_patient=SpeaksToPatient.REQUESTER)
    assert kinds(world) == []
