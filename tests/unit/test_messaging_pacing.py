"""How fast mails go to one domain."""

from datetime import UTC, datetime, timedelta

from messaging import pacing
from messaging.pacing import Pace

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_without_a_limit_every_mail_goes_at_once():
    pace = Pace(0)
    assert {pace.turn("a@x.example", NOW) for _ in range(1000)} == {None}


def test_a_minutes_worth_goes_at_once_and_each_further_mail_has_a_turn_of_its_own():
    pace = Pace(60)
    turns = [pace.turn("a@x.example", NOW) for _ in range(63)]
    assert turns[:60] == [None] * 60
    assert turns[60:] == [NOW + timedelta(seconds=n) for n in (1, 2, 3)]


def test_a_mail_that_comes_in_its_turn_goes():
    pace = Pace(60)
    turns = [pace.turn("a@x.example", NOW) for _ in range(90)][60:]
    assert {pace.turn("a@x.example", turn) for turn in turns} == {None}


def test_one_domain_keeps_no_other_waiting():
    pace = Pace(1)
    assert pace.turn("a@x.example", NOW) is None
    assert pace.turn("b@X.example", NOW) == NOW + timedelta(minutes=1)
    assert pace.turn("a@y.example", NOW) is None


def test_domains_that_may_be_written_to_again_are_forgotten(monkeypatch):
    monkeypatch.setattr(pacing, "_REMEMBERED", 10)
    pace = Pace(1)
    for number in range(10):
        pace.turn(f"a@x{number}.example", NOW)
    later = NOW + timedelta(minutes=2)
    pace.turn("a@y.example", later)
    assert list(pace._domains) == ["y.example"]
