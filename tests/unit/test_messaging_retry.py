"""When a mail is tried again, and when it is given up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.retry import AMBIGUOUS_ATTEMPTS, FIRST, LONGEST, PATIENCE, Failure, next_attempt

ENQUEUED = datetime(2026, 11, 23, 8, tzinfo=UTC)


def pause(failure, attempts, *, after=timedelta(), chance=0.5):
    now = ENQUEUED + after
    again = next_attempt(failure, attempts=attempts, since=ENQUEUED, now=now, chance=chance)
    return None if again is None else again - now


def test_never_is_never():
    assert pause(Failure.PERMANENT, 1) is None


def test_pauses_double_up_to_half_an_hour():
    for failure, first in FIRST.items():
        assert [pause(failure, n) for n in (1, 2, 3)] == [first, first * 2, first * 4]
        assert pause(failure, AMBIGUOUS_ATTEMPTS - 1 if failure is Failure.AMBIGUOUS else 50) <= LONGEST
    assert pause(Failure.CONNECTION, 50) == LONGEST


def test_who_says_later_is_given_more_time_than_a_line_that_broke():
    assert pause(Failure.CONNECTION, 1) < pause(Failure.AMBIGUOUS, 1) < pause(Failure.DEFERRED, 1)


def test_a_relay_away_for_days_loses_no_mail():
    assert pause(Failure.DEFERRED, 10_000, after=timedelta(days=4)) is not None
    assert pause(Failure.DEFERRED, 2, after=PATIENCE) is None


def test_an_ambiguous_mail_is_not_repeated_for_ever():
    assert pause(Failure.AMBIGUOUS, AMBIGUOUS_ATTEMPTS - 1) is not None
    assert pause(Failure.AMBIGUOUS, AMBIGUOUS_ATTEMPTS) is None


@pytest.mark.parametrize("failure", [Failure.DEFERRED, Failure.AMBIGUOUS])
@given(chance=st.floats(0, 1, exclude_max=True), attempts=st.integers(0, AMBIGUOUS_ATTEMPTS - 1))
def test_pauses_are_spread_by_a_quarter(failure, chance, attempts):
    exact = pause(failure, attempts)
    assert exact * 0.74 < pause(failure, attempts, chance=chance) < exact * 1.26
