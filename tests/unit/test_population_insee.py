"""INSEE's table by IRIS becomes residents by quartier; what it lacks is said."""

import pytest

from matcher.directory.insee import is_insee, read_insee
from matcher.protocol.population import Population

BANDS = ("0002", "0305", "0610", "1117", "1824", "2539", "4054", "5564", "6579", "80P")


def header(year: int = 20) -> str:
    bands = (f"P{year}_POP{band}" for band in BANDS)
    return ";".join(("IRIS", "COM", "TYP_IRIS", "LAB_IRIS", f"P{year}_POP", *bands, f"P{year}_POP0014"))


def row(iris: str, each: str = "10.25", commune: str | None = None) -> str:
    return ";".join((iris, commune or iris[:5], "H", f"Label {iris}", "999", *[each] * 10, "999"))


@pytest.mark.parametrize("year", [20, 21, 22])
def test_the_table_of_any_year_is_known_by_its_columns(year: int) -> None:
    assert is_insee("\ufeff" + header(year))
    counted = read_insee([header(year), row("692590101")], ["69259"], {"692590101": "Centre"})
    assert len(counted.residents) == 10
    assert not is_insee("quartier;insee;age_from;age_to;residents")


def test_a_quartier_is_the_sum_of_its_iris_decimals_and_all() -> None:
    lines = [header(), row("692590101"), row("692590102", "0,5"), row("692590201"), row("750010101")]
    counted = read_insee(
        lines, ["69259"], {"692590101": "Centre", "692590102": "Centre", "692590201": "Parilly"}
    )
    assert counted.taken == 3
    assert not counted.problems
    population = Population(residents=tuple(counted.residents))
    assert population.count(0, None, quartier="Centre", insee="69259") == 107
    assert population.count(80, None, quartier="centre", insee="69259") == 10
    assert population.count(0, None, insee="69259") == 210
    assert population.open_from == 80


def test_an_iris_without_quartier_counts_for_its_commune_and_is_named() -> None:
    counted = read_insee([header(), row("692590101"), row("692590102")], ["69259"], {"692590101": "Centre"})
    population = Population(residents=tuple(counted.residents))
    assert population.count(0, None, insee="69259") == 205
    assert population.count(0, None, insee="69259", quartier="Centre") == 102
    assert counted.unplaced == ["692590102 Label 692590102"]


def test_arrondissements_count_for_the_commune_that_the_territory_lists() -> None:
    counted = read_insee([header(), row("693880101"), row("693870101")], ["69388"], {})
    assert {r.insee for r in counted.residents} == {"69388"}
    assert counted.taken == 1
    whole = read_insee([header(), row("693880101"), row("693870101")], ["69123"], {})
    assert whole.taken == 2
    assert {r.insee for r in whole.residents} == {"69123"}


def test_lines_without_numbers_are_named_and_left_out() -> None:
    counted = read_insee(
        [header(), row("692590101", "ND"), "692590102;69259", row("692590103")], ["69259"], {}
    )
    assert counted.taken == 1
    assert [problem.line for problem in counted.problems] == [2, 3]


def test_a_table_without_all_bands_is_not_used() -> None:
    counted = read_insee([header().replace("P20_POP6579", "P20_X"), row("692590101")], ["69259"], {})
    assert not counted.residents
    assert "rien n’est repris" in str(counted.problems[0])
