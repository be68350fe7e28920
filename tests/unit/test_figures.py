"""What is shown of groups: nothing small, and nothing that two reports give away together."""

from datetime import date
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.records import figures

ADULT = {"birth_date": "1958-03-02", "coverage": "c2s", "ald": "no", "birth_name": "Aubépine"}


@pytest.mark.parametrize(
    ("born", "band"),
    [
        ("2011-06-01", "0-15"),
        ("2009", "16-29"),
        ("1976-11", "30-49"),
        ("1957-11-24", "50-69"),
        ("1956-11-23", "70-"),
    ],
)
def test_an_age_is_kept_as_a_band_alone(born, band):
    kept = figures.of_record(ADULT | {"birth_date": born}, date(2026, 11, 23))
    assert kept == {"age": band, "coverage": "c2s", "ald": "no"}


def test_what_was_not_said_is_unknown():
    kept = figures.of_record({"birth_date": "1958"}, date(2026, 11, 23))
    assert kept == {"age": "50-69", "coverage": "unknown", "ald": "unknown"}


def test_a_month_counts_with_all_its_days():
    assert figures.whole_months(date(2026, 1, 1), date(2026, 3, 31)) == ["2026-01", "2026-02", "2026-03"]
    assert figures.whole_months(date(2025, 12, 2), date(2026, 2, 28)) == ["2026-01", "2026-02"]
    assert figures.whole_months(date(2026, 1, 1), date(2026, 1, 30)) == []


def test_a_period_touches_each_month_of_which_it_has_a_day() -> None:
    assert figures.months(date(2025, 11, 30), date(2026, 1, 1)) == ["2025-11", "2025-12", "2026-01"]
    assert figures.whole_months(date(2024, 2, 1), date(2024, 2, 29)) == ["2024-02"]


def test_a_quarter_counts_with_all_its_months():
    months = figures.whole_months(date(2025, 12, 1), date(2026, 8, 31))
    assert figures.quarters(months) == [("2026-01", "2026-02", "2026-03"), ("2026-04", "2026-05", "2026-06")]


def test_a_small_group_is_not_shown_nor_given_away_by_the_total():
    assert figures.shown({"c2s": 12, "ame": 4, "msa": 2}) == {"c2s": 12}
    # 23 in all, 12 and 9 shown: the two that are missing would be known.
    assert figures.shown({"c2s": 12, "msa": 9, "ame": 2}) == {"c2s": 12}
    assert figures.shown({"c2s": 12, "ame": 2}) == {}
    assert figures.shown({"c2s": 12, "msa": 9}) == {"c2s": 12, "msa": 9}
    assert figures.shown({}) == {}


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 30)))
def test_nothing_shown_is_small_and_what_is_hidden_is_a_group_or_nothing(counts):
    large = figures.shown(counts)
    assert all(counts[value] == count >= figures.SMALLEST for value, count in large.items())
    hidden = sum(counts.values()) - sum(large.values())
    assert not large or hidden == 0 or hidden >= figures.SMALLEST


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 12)), min_size=1, max_size=4))
def test_two_periods_compared_tell_no_more_than_their_quarters(quarters):
    each = [figures.shown(counts) for counts in quarters]
    for size in range(1, len(quarters) + 1):
        for chosen in combinations(range(len(quarters)), size):
            told = figures.grouped([{"coverage": quarters[n]} for n in chosen])["coverage"]
            told.pop("other", None)
            for value in "abcd":
                assert told.get(value, 0) == sum(each[n].get(value, 0) for n in chosen)
