"""Whose turn it is, how long one travels, and how both are said."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.protocol.doctors import Doctor, fulfils
from matcher.protocol.fairness import FIRST_GUESS, chance, load, turn, usual
from matcher.protocol.ids import DoctorId
from matcher.protocol.reasons import why
from matcher.protocol.travel import Reach, Travel, best, nearness, told
from matcher.protocol.wishes import Wish, WishKind
from tests.unit.test_ranking import doctor, hard, names, only, rank, soft


def known(asked: int, yes: int, **more: Any) -> Doctor:
    return doctor("a", asked_before=asked, yes_before=yes, **more)


def test_a_new_doctor_counts_as_an_average_one_of_the_territory() -> None:
    common = usual([known(40, 10), known(60, 0)])
    assert chance(doctor("new"), common) == pytest.approx(common.yes)
    assert chance(known(60, 0), common) < common.yes < chance(known(40, 10), common)


def test_a_few_answers_move_the_expectation_little_and_many_move_it_far() -> None:
    common = usual([known(100, 20)])
    once, often = chance(known(1, 1), common), chance(known(50, 50), common)
    assert common.yes < once < 0.35
    assert often > 0.85
    silent, silent_long = chance(known(1, 0), common), chance(known(50, 0), common)
    assert common.yes > silent > silent_long > 0


def test_a_territory_without_history_expects_the_same_of_everybody() -> None:
    assert usual([]).yes == FIRST_GUESS
    assert usual([doctor("a"), doctor("b")]).yes == FIRST_GUESS


def test_the_load_is_in_shares_of_the_doctors_own_limits() -> None:
    common = usual([])
    assert load(doctor("a"), common) == 0
    assert load(doctor("a", asked_this_week=5), common) == 1
    assert load(doctor("a", asked_this_week=5, asked_per_week=10), common) == 0.5
    assert load(doctor("a", accepted_this_month=2), common) == 0.5
    assert load(doctor("a", accepted_this_month=2, accepted_per_month=2), common) == 1


def test_a_list_longer_than_usual_weighs_and_an_unknown_one_does_not() -> None:
    common = usual([doctor("a", list_size=800), doctor("b", list_size=1200), doctor("c")])
    assert common.list_size == 1000
    assert load(doctor("a", list_size=1200), common) == pytest.approx(0.1)
    assert load(doctor("a", list_size=400), common) == pytest.approx(-0.3)
    assert load(doctor("a", list_size=9000), common) == 0.5
    assert load(doctor("c"), common) == 0
    assert load(doctor("a", list_size=0), usual([doctor("a", list_size=0)])) == 0


@given(st.integers(0, 400), st.data())
def test_neither_silence_nor_readiness_ever_puts_a_doctor_out_of_reach(asked: int, data: Any) -> None:
    common = usual([known(100, 20)])
    one = known(asked, data.draw(st.integers(0, asked)))
    assert 0 < chance(one, common) < 1
    assert 0 < turn(one, common) < 100


def test_among_equally_near_doctors_who_says_yes_goes_first_until_he_carries_more() -> None:
    ready = {"asked_before": 30, "yes_before": 15}
    assert names(rank(doctor("usual"), doctor("ready", **ready))) == ["ready", "usual"]
    flooded = doctor("ready", **ready, asked_this_week=9, accepted_this_month=4)
    assert names(rank(doctor("usual"), flooded)) == ["usual", "ready"]
    never = doctor("never", asked_before=40, yes_before=0)
    assert names(rank(never, doctor("usual"), doctor("ready", **ready))) == ["ready", "usual", "never"]


def test_a_nearer_doctor_stays_before_one_who_says_yes_more_often() -> None:
    found = rank(doctor("near", 0.5), doctor("ready", 3.0, asked_before=30, yes_before=30))
    assert names(found) == ["near", "ready"]


# Travel ---------------------------------------------------------------------------------------------------


def test_the_minutes_of_a_table_go_before_the_straight_line() -> None:
    river = {DoctorId("across"): Travel(walk=45), DoctorId("far"): Travel(walk=25)}
    found = rank(doctor("across", 0.4), doctor("far", 1.5), doctor("unlisted", 2.5), times=river)
    # 2.5 km are 33 minutes on foot.
    assert names(found) == ["far", "unlisted", "across"]
    assert [c.minutes for c in found.ordered] == [25, None, 45]


def test_the_wished_means_decides_which_minutes_count() -> None:
    times = {
        DoctorId("a"): Travel(walk=50, drive=5),
        DoctorId("b"): Travel(walk=15, drive=25),
    }
    for means, first in (("car", "a"), ("walk", "b")):
        found = rank(doctor("a"), doctor("b"), wishes=(soft(WishKind.TRAVEL, means),), times=times)
        assert names(found)[0] == first
        assert [c.meets_all for c in found.ordered] == [True, False]


def test_a_hard_travel_wish_holds_to_the_minutes_where_they_are_known() -> None:
    wish = (hard(WishKind.TRAVEL, "walk"),)
    times = {DoctorId("slow"): Travel(walk=21), DoctorId("quick"): Travel(walk=20)}
    found = rank(doctor("slow", 0.2), doctor("quick", 9), doctor("line", 1.4), wishes=wish, times=times)
    assert names(found) == ["line", "quick"]
    assert fulfils(doctor("a"), wish[0], 1.0, Travel(drive=3)) is True  # no walk in the table: straight line
    assert fulfils(doctor("a"), wish[0], None, Travel(drive=3)) is None


def test_a_car_counts_as_the_walk_of_the_same_way_where_nobody_said_how_one_travels() -> None:
    assert best(Travel(walk=12, drive=4), None) == (12, "walk")
    assert best(Travel(drive=4), None) == (4, "car")
    assert best(Travel(drive=4), "walk") == (None, None)
    assert best(Travel(), None) == (None, None)
    assert told(Travel(walk=3), "transit") is None
    assert told(None, "walk") is None
    by_car = nearness(Reach(minutes=4, means="car"), None)
    assert by_car == nearness(Reach(km=3.0), None) == 40
    assert nearness(Reach(minutes=4, means="car"), "car") == 4
    assert nearness(Reach(km=3.0), "car") == 4
    assert nearness(Reach(), None) is None


# Why ------------------------------------------------------------------------------------------------------


def test_why_says_load_limit_and_past_plainly() -> None:
    told = why(only(rank(doctor("a", asked_this_week=3, accepted_this_month=2))))
    assert told == "à 1 km, déjà sollicité·e 3 fois cette semaine, choisi·e 2 fois depuis un mois"
    full = why(only(rank(doctor("a", asked_this_week=3, asked_per_week=3))))
    assert full == "à 1 km, sa limite de 3 sollicitations par semaine est atteinte"
    before = why(only(rank(known(9, 3))))
    assert before == "à 1 km, pas sollicité·e cette semaine, a dit oui à 3 demandes sur 9 depuis un an"
    assert "depuis un an" not in why(only(rank(known(2, 2))))


def test_why_says_minutes_and_what_is_missing() -> None:
    wishes = (
        soft(WishKind.DOCTOR_SEX, "M"),
        soft(WishKind.MAX_DISTANCE_KM, 0.5),
        soft(WishKind.TRAVEL, "walk"),
        Wish(kind=WishKind.PREFER, value=("b",), hard=False),
    )
    times = {DoctorId("a"): Travel(walk=24)}
    assert why(only(rank(doctor("a"), wishes=wishes, times=times))) == (
        "à 24 minutes à pied, pas sollicité·e cette semaine, "
        "non rempli ou inconnu : un homme, la distance souhaitée, le trajet souhaité"
    )
