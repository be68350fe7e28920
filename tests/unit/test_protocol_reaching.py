"""Three tries on different days and hours, one through the requester, before a patient is unreachable."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from matcher.protocol import steps
from matcher.protocol.outcomes import ContactAttempt, PatientContact
from matcher.protocol.reaching import Half, Wanted, wanted
from matcher.protocol.search import State, TaskKind
from tests.unit.protocol_world import PARIS, World

MONDAY, TUESDAY = date(2026, 6, 1), date(2026, 6, 2)
VAIN, THROUGH = PatientContact.NO_ANSWER, PatientContact.THROUGH_REQUESTER


def _tried(*tries: str) -> list[ContactAttempt]:
    """« 1 9:30 » on 1 June at half past nine, with ``r`` at its end through the requester."""
    made = []
    for one in tries:
        day, clock = one.removesuffix("r").split()
        at = datetime.strptime(f"2026-06-{day} {clock}", "%Y-%m-%d %H:%M").replace(tzinfo=PARIS)
        made.append(ContactAttempt(at=at, outcome=THROUGH if one.endswith("r") else VAIN))
    return made


@pytest.mark.parametrize(
    ("tries", "still"),
    [
        ([], Wanted(calls=2, requester=True)),
        (["1 9:30"], Wanted(calls=1, half=Half.AFTERNOON, other_than=MONDAY, requester=True)),
        # The same morning once more is no other try.
        (["1 9:30", "1 11:00"], Wanted(calls=1, half=Half.AFTERNOON, other_than=MONDAY, requester=True)),
        (["1 9:30", "1 15:00"], Wanted(calls=1, other_than=MONDAY, requester=True)),
        (["1 9:30", "2 9:30"], Wanted(calls=1, half=Half.AFTERNOON, requester=True)),
        (["2 15:00", "3 16:00"], Wanted(calls=1, half=Half.MORNING, requester=True)),
        (["1 9:30", "2 15:00"], Wanted(requester=True)),
        (["1 9:30r"], Wanted(calls=2)),
        (["1 9:30", "2 15:00", "2 15:10r"], Wanted()),
        (["1 9:30", "1 9:40r", "3 13:00"], Wanted()),
    ],
)
def test_what_is_missing_is_said(tries: list[str], still: Wanted) -> None:
    found = wanted(_tried(*tries), 3, PARIS)
    assert found == still
    assert bool(found) is (still != Wanted())


@pytest.mark.parametrize(
    ("number", "tries", "still"),
    [
        (1, [], Wanted(requester=True)),
        (1, ["1 9:30r"], Wanted()),
        (2, ["1 9:30"], Wanted(requester=True)),
        (2, ["1 9:30", "1 9:31r"], Wanted()),
        (4, ["1 9:30", "2 15:00", "3 9:30"], Wanted(requester=True)),
        (4, ["1 9:30", "2 15:00", "2 16:00r"], Wanted(calls=1)),
    ],
)
def test_a_territory_sets_how_many_tries(number: int, tries: list[str], still: Wanted) -> None:
    assert wanted(_tried(*tries), number, PARIS) == still


def test_days_and_hours_are_those_of_the_territory() -> None:
    late = datetime(2026, 6, 1, 22, 30, tzinfo=PARIS)
    reunion = wanted([ContactAttempt(at=late, outcome=VAIN)], 3, ZoneInfo("Indian/Reunion"))
    assert (reunion.half, reunion.other_than) == (Half.AFTERNOON, TUESDAY)


def test_three_calls_in_one_morning_do_not_rest_a_search() -> None:
    world = World().proposing("anna")
    for _ in range(3):
        world.do(steps.contact_attempt, VAIN)
    assert world.state is State.PROPOSING
    assert TaskKind.PATIENT_UNREACHABLE not in world.tasks()
    world.wait(days=1, hours=5)
    world.do(steps.contact_attempt, VAIN)
    assert world.state is State.PROPOSING
    world.do(steps.contact_attempt, THROUGH)
    assert world.state is State.RESTING
    assert TaskKind.PATIENT_UNREACHABLE in world.tasks()
