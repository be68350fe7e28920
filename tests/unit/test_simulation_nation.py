"""The country: every commune of the table in a territory once, and each territory as large as Vénissieux."""

from functools import cache
from pathlib import Path

from matcher.simulation.assumptions import Assumptions
from matcher.simulation.course import START
from matcher.simulation.nation import (
    DOCTORS,
    SEARCHES_A_YEAR,
    TERRITORY,
    Commune,
    communes,
    groups,
    lines,
    play_nation,
    terrain,
)
from matcher.simulation.policies import POLICIES
from matcher.simulation.terrain import read_terrain

VENISSIEUX = Path(__file__).resolve().parents[2] / "config" / "territories" / "venissieux"


@cache
def known() -> list[Commune]:
    return communes()


def test_the_table_holds_the_communes_of_2026_with_their_residents() -> None:
    assert len(known()) > 34_900
    assert all(one.residents > 0 for one in known())
    assert sum(one.residents for one in known()) == 68_952_941
    assert next(one for one in known() if one.insee == "69259").residents > 50_000


def test_every_commune_is_in_one_territory_and_none_is_much_larger_than_venissieux() -> None:
    made = list(groups(known()))
    assert {one.insee for group in made for one in group} == {one.insee for one in known()}
    everybody = sum(one.residents for group in made for one in group)
    assert abs(everybody - 68_952_941) < 1000
    assert max(sum(one.residents for one in group) for group in made) < 3 * TERRITORY
    assert all(len({one.insee[:2] for one in group}) == 1 for group in made)


def test_the_doctors_of_all_territories_are_about_those_of_the_country() -> None:
    rules = read_terrain(VENISSIEUX, START).rules
    made = list(groups(known()))[::40]
    everybody = sum(one.residents for one in known())
    doctors = sum(len(terrain(n, group, everybody, rules, 1).doctors) for n, group in enumerate(made))
    here = sum(one.residents for group in made for one in group)
    assert abs(doctors - DOCTORS * here / everybody) < len(made)


def test_a_few_territories_are_played_and_extrapolated() -> None:
    rules = read_terrain(VENISSIEUX, START).rules
    assumed = Assumptions(calls_per_day=120)
    made = play_nation(rules, POLICIES["quick-waves"], assumed, searches=60)
    assert made.searches >= 60
    assert made.misfits == 0
    assert made.mails > 0
    assert made.of_a_year(made.searches) == SEARCHES_A_YEAR
    said = list(lines(made))
    assert said[-1].startswith("une année du pays")
    assert said[-2].endswith("0")
