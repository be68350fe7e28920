"""A small period is played with the real rules: what must hold in it, whatever chance does."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from matcher.protocol.search import CallOutcome
from matcher.simulation.assumptions import Assumptions
from matcher.simulation.chance import luck
from matcher.simulation.course import START, play
from matcher.simulation.measures import Period, figures
from matcher.simulation.policies import POLICIES, Policy
from matcher.simulation.telephone import reached
from matcher.simulation.terrain import Terrain, read_terrain

VENISSIEUX = Path(__file__).resolve().parents[2] / "config" / "territories" / "venissieux"
FEW = Assumptions(searches_per_year=400)


@cache
def terrain() -> Terrain:
    return read_terrain(VENISSIEUX, START)


@cache
def period(policy: str, seed: int = 1, assumed: Assumptions = FEW, years: float = 0.1) -> Period:
    return play(terrain(), POLICIES[policy], assumed, seed=seed, years=years)


def test_the_same_seed_plays_the_same_period() -> None:
    again = play(terrain(), POLICIES["default"], FEW, seed=1, years=0.1)
    assert again == period("default")


def test_another_seed_plays_another_period() -> None:
    assert period("default", seed=2) != period("default")


def test_every_policy_meets_the_same_requests() -> None:
    ours, theirs = period("default"), period("by-hand")
    assert sorted((o.number, o.requester, o.urgent, o.wishes) for o in ours.outcomes) == sorted(
        (o.number, o.requester, o.urgent, o.wishes) for o in theirs.outcomes
    )


def test_a_doctor_who_misses_a_binding_wish_is_never_asked() -> None:
    assert figures(period("default"))["misfits"] == 0
    assert figures(period("small-waves"))["misfits"] == 0


def test_by_hand_doctors_are_asked_whatever_the_patient_wishes() -> None:
    assert figures(period("by-hand"))["misfits"] > 0


def test_by_hand_nobody_is_reminded() -> None:
    assert figures(period("by-hand"))["reminders"] == 0
    assert figures(period("default"))["reminders"] > 0


@pytest.mark.parametrize("policy", ["by-hand", "default", "small-waves"])
def test_things_happen_in_their_order(policy: str) -> None:
    for one in period(policy).outcomes:
        assert one.first_yes is None or one.first_yes > 0
        if one.attached is not None:
            assert one.first_yes is not None
            assert one.chosen is not None
            assert one.first_yes <= one.chosen < one.attached
            assert one.met <= one.wishes


@pytest.mark.parametrize("policy", ["by-hand", "default"])
def test_what_doctors_were_put_through_is_what_searches_did(policy: str) -> None:
    played = period(policy)
    mails = sum(one.mails for one in played.outcomes)
    assert sum(load.mails for load in played.loads) == pytest.approx(mails)
    # A call to the neighbouring zone is nobody's load here.
    assert sum(load.calls for load in played.loads) <= round(sum(one.calls for one in played.outcomes))
    assert sum(load.accepted for load in played.loads) <= sum(
        one.attached is not None for one in played.outcomes
    )


def test_a_call_for_several_searches_counts_once() -> None:
    ours = figures(period("default"))
    assert ours["calls"] <= ours["told"]
    by_hand = figures(period("by-hand"))
    assert by_hand["calls"] == by_hand["told"]


def test_where_nobody_answers_nobody_is_attached() -> None:
    silent = replace(FEW, searches_per_year=100, mail_answered=0.0, phone_reached=0.0, phone_secretary=0.0)
    played = period("default", assumed=silent, years=0.05)
    assert all(one.first_yes is None for one in played.outcomes)
    assert figures(played)["attached_ever"] == 0


def test_where_everybody_is_willing_the_first_wave_is_enough() -> None:
    eager = replace(
        FEW, mail_answered=0.9, keen=1.0, refusing=0.0, capacity=100.0, patient_declines=0.0, choosiness=0.0
    )
    ours = figures(period("default", assumed=eager, years=0.05))
    assert ours["calls"] == 0
    assert ours["attached_ever"] == 100


def test_more_calls_a_day_never_make_the_wait_longer_by_much() -> None:
    slow = figures(period("by-hand", assumed=replace(FEW, calls_per_day=6)))
    fast = figures(period("by-hand", assumed=replace(FEW, calls_per_day=120)))
    assert fast["first_yes_p90"] <= slow["first_yes_p90"]


def test_a_secretary_who_promised_to_ask_has_asked() -> None:
    lot = replace(luck(1, 0, 1).lots[0], calls=(0.5,) * 6)
    assert reached(lot, 0, False, FEW) is CallOutcome.SECRETARY_WILL_ASK
    assert reached(lot, 1, True, FEW) is None


def test_own_settings_are_played_as_they_are() -> None:
    own: Policy = POLICIES["own"]
    assert own.rules(terrain().rules) == terrain().rules


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_thousand_searches_ask_no_doctor_against_a_binding_wish() -> None:
    """P4 over many searches; ``make bench`` plays 100,000. ``choosiness`` doubles the wishes; a third of the
    doctors, who hardly tire, keep it short.
    """
    assumed = Assumptions(
        searches_per_year=800, choosiness=2.0, capacity=100.0, mail_answered=0.3, calls_per_day=200
    )
    few = replace(terrain(), doctors=terrain().doctors[::3])
    played = play(few, POLICIES["small-waves"], assumed, seed=7, years=1.3)
    assert len(played.outcomes) > 950
    assert sum(one.wishes for one in played.outcomes) > 1000
    assert sum(one.told for one in played.outcomes) > 1000
    assert sum(one.misfits for one in played.outcomes) == 0
