"""Groups compared: what is flagged, how sure, and what is too small to be shown."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.records.disparity import ENOUGH, Outcomes, compared, wilson


def _of(**values: tuple[int, int]) -> dict[str, dict[str, Outcomes]]:
    return {"coverage": {name: Outcomes(found=f, ended=n) for name, (f, n) in values.items()}}


def test_a_large_difference_is_flagged_with_its_uncertainty() -> None:
    first, second = compared(_of(ame=(20, 60), regime_general=(190, 240)))
    assert first.unexplained
    assert (first.value, round(first.share, 2), round(first.others, 2)) == ("ame", 0.33, 0.79)
    assert first.difference_low < first.difference < first.difference_high < 0
    assert second.difference == pytest.approx(-first.difference)


def test_a_difference_that_chance_explains_is_not_flagged() -> None:
    rates = compared(_of(ame=(14, 20), regime_general=(152, 200)))
    assert rates
    assert not any(rate.unexplained for rate in rates)


@pytest.mark.parametrize(
    "values", [{"ame": (2, ENOUGH - 1), "other": (150, 200)}, {"ame": (2, 200), "other": (1, ENOUGH - 1)}]
)
def test_a_small_group_is_not_shown_nor_told_by_the_rest(values) -> None:
    assert compared(_of(**values)) == []


def test_where_nothing_differs_hardly_any_report_flags_a_group() -> None:
    chance = random.Random(20261126)
    flagged = 0
    for _ in range(120):
        groups = {
            measure: {
                str(n): Outcomes(found=sum(chance.random() < 0.7 for _ in range(40)), ended=40)
                for n in range(5)
            }
            for measure in ("age", "coverage", "quartier")
        }
        flagged += any(rate.unexplained for rate in compared(groups))
    # 5 % of 120 are 6; fewer, since the exact test is cautious.
    assert flagged <= 6


@given(ended=st.integers(1, 500), part=st.floats(0, 1))
def test_the_interval_holds_the_share_and_stays_a_share(ended: int, part: float) -> None:
    one = Outcomes(found=round(part * ended), ended=ended)
    low, high = wilson(one)
    assert 0 <= low <= one.found / ended + 1e-12
    assert one.found / ended - 1e-12 <= high <= 1


def test_wilson_gives_the_published_bounds() -> None:
    # Newcombe 1998, table I, method 3: 81 of 263.
    low, high = wilson(Outcomes(found=81, ended=263))
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_differences_have_the_published_bounds() -> None:
    # Newcombe 1998 (comparison of two proportions), table II, method 10: 56 of 70 against 48 of 80.
    rate = next(r for r in compared(_of(a=(56, 70), b=(48, 80))) if r.value == "a")
    assert (round(rate.difference_low, 4), round(rate.difference_high, 4)) == (0.0524, 0.3339)
