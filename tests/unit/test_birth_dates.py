"""Ages from birth dates known to the day, the month or the year."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.records.dates import age_on, earliest_and_latest, implausible

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("born", "age"),
    [
        ("1960-11-23", 66),
        ("1960-11-24", 65),
        ("1960-11", 65),
        ("1960-10", 66),
        ("1960", 65),
        ("2026", 0),
        ("2026-11-23", 0),
        ("2004-02-29", 22),
    ],
)
def test_the_age_reached_for_certain_is_taken(born: str, age: int) -> None:
    assert age_on(born, TODAY) == age


@pytest.mark.parametrize(
    ("born", "latest"),
    [("1960", date(1960, 12, 31)), ("2024-02", date(2024, 2, 29)), ("9999-12", date(9999, 12, 31))],
)
def test_an_approximate_date_ends_with_its_month_or_year(born: str, latest: date) -> None:
    assert earliest_and_latest(born)[1] == latest


@pytest.mark.parametrize(
    "born", ["", "84", "1984-5-2", "1984-02-30", "1984-00", "0000", "١٩٨٤", "1984-05-12T00:00", "1984\n"]
)
def test_a_date_that_is_none_is_refused(born: str) -> None:
    with pytest.raises(ValueError, match=r"quatre chiffres|existe"):
        earliest_and_latest(born)


@given(st.dates(date(1905, 1, 1), TODAY))
def test_knowing_less_never_makes_anybody_older_and_younger_by_a_year_at_most(day: date) -> None:
    exact = age_on(day.isoformat(), TODAY)
    for known in (7, 4):
        assert exact - 1 <= age_on(day.isoformat()[:known], TODAY) <= exact


def test_plausible_is_between_living_memory_and_today() -> None:
    assert implausible("1901", TODAY) is None
    assert implausible("2026-12", TODAY) is not None
    assert implausible("1900-12-31", TODAY) is not None
