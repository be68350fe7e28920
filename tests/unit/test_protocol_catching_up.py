"""After the service stood still: what was missed is done in order, and nobody is written to at night."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from matcher.protocol import steps
from matcher.protocol.effects import Letter
from matcher.protocol.search import Says, State, Timer, TimerKind
from tests.unit.protocol_world import PARIS, RULES, WALL_CLOCK, World


def paris(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=PARIS)


def stopped_until(world: World, moment: datetime) -> None:
    """Nothing is done before ``moment``; then what is due is, in order, until nothing is any more."""
    world.now = moment
    while due := sorted((t for t in world.search.timers if t.at <= moment), key=lambda t: t.at):
        world.take(steps.due(world.search, due[0], world.around))


def test_a_reminder_whose_hour_passed_and_that_is_found_at_night_leaves_next_morning() -> None:
    world = World().launched()
    stopped_until(world, paris(4, 23))
    assert world.letters(Letter.REMINDER) == []
    morning = world.timer(TimerKind.REMINDER).at
    assert paris(5, 8) <= morning < paris(5, 8, 1)
    world.at(morning)
    assert world.letters(Letter.REMINDER) == ["anna", "bea", "carl"]


def test_what_was_missed_for_days_is_done_in_order_and_the_calls_wait_for_the_second_wave() -> None:
    world = World().launched()
    # Reminder and wave were due on Thursday, the calls on Monday; it is Tuesday, in the small hours.
    stopped_until(world, paris(9, 3))
    kinds = (TimerKind.REMINDER, TimerKind.NEXT_WAVE, TimerKind.CALLS)
    mornings = [world.timer(kind).at for kind in kinds]
    assert mornings == sorted(mornings)
    assert mornings[0] >= paris(9, 8)
    assert world.sent[3:] == []
    world.at(paris(9, 8, 1))
    assert world.letters(Letter.REMINDER) == ["anna", "bea", "carl"]
    assert world.letters(Letter.ANNOUNCEMENT) == ["anna", "bea", "carl", "dora", "emil"]
    assert world.state is State.ASKING
    world.accept_mails()
    assert world.timer(TimerKind.CALLS).at > paris(11, 7)


def test_two_replicas_that_catch_up_side_by_side_skip_no_wave() -> None:
    world = World().launched()
    world.now = paris(9, 10)
    world.take(steps.due(world.search, world.timer(TimerKind.CALLS), world.around))
    assert world.letters(Letter.REMINDER) == ["anna", "bea", "carl"]
    assert world.letters(Letter.ANNOUNCEMENT)[3:] == ["dora", "emil"]
    assert world.state is State.ASKING


def test_where_nobody_is_left_for_the_wave_that_is_due_with_the_calls_these_open() -> None:
    world = World("anna", "bea").launched()
    world.now = paris(9, 10)
    world.take(steps.due(world.search, world.timer(TimerKind.CALLS), world.around))
    assert world.state is State.CALLING


def test_of_two_searches_the_one_that_was_due_first_comes_first_in_the_morning() -> None:
    night = replace(World().around, now=paris(6, 23))
    hours = [paris(4, 10), paris(4, 10) + timedelta(seconds=1), paris(5, 18, 59)]
    # Found one after the other, the last one hours later.
    later = replace(night, now=paris(7, 4))
    found = [
        steps.put_off(Timer(kind=TimerKind.REMINDER, at=at), around)
        for at, around in zip(hours, (night, later, night), strict=True)
    ]
    assert found == sorted(found)
    assert len(set(found)) == 3


def test_however_late_it_is_a_step_is_due_within_the_first_minute_of_the_opening() -> None:
    night = replace(World().around, now=paris(6, 23))
    long_ago = Timer(kind=TimerKind.CALLS, at=paris(1, 10) - timedelta(days=400))
    assert steps.put_off(long_ago, night) == paris(8, 8)


def test_a_step_of_the_last_minute_of_the_day_is_done_though_the_clock_ticks_after_closing() -> None:
    closing = replace(World().around, now=paris(4, 19))
    assert (
        steps.put_off(Timer(kind=TimerKind.REMINDER, at=paris(4, 19) - timedelta(seconds=1)), closing) is None
    )


def test_an_answer_takes_effect_at_any_hour() -> None:
    world = World().launched()
    world.says("anna", Says.YES, settle=False)
    stopped_until(world, paris(2, 23))
    assert world.state is State.PROPOSING


@pytest.mark.parametrize("hour", [3, 23])
def test_in_a_rehearsal_there_is_no_night(hour: int) -> None:
    always = replace(RULES, doctors_calendar=WALL_CLOCK, office_calendar=WALL_CLOCK)
    world = World(rules=always).launched()
    stopped_until(world, paris(4, hour) + timedelta(days=1))
    assert world.letters(Letter.REMINDER) == ["anna", "bea", "carl"]
