"""Whether groups of patients end with a doctor as often as the others, and how sure that is.

Each group is compared with all others of its measure by Fisher's exact test, which holds for small numbers.
Many comparisons find a difference by chance alone, so the probabilities are corrected together by Holm's
method (S. Holm, 1979): where nothing differs, the chance that any group is flagged stays under 5 %. Rates are
given with Wilson's interval (E. B. Wilson, 1927), differences with Newcombe's (R. G. Newcombe, 1998, method
10).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from scipy.stats import fisher_exact

#: What groups differ by; a long illness is a reason to be found sooner, and the report counts it.
Measure = Literal["age", "coverage", "quartier"]
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
#: Fewer ended searches than this say nothing of a group, and might tell of a person.
ENOUGH = 20
#: The chance of flagging anything where nothing differs.
LEVEL = 0.05
_Z = 1.959964


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Of the searches of a group that ended, how many ended with a médecin traitant."""

    found: int
    ended: int


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One group beside all others of its measure. Shares are between 0 and 1, bounds of 95 %."""

    measure: Measure
    value: str
    found: int
    ended: int
    share: float
    low: float
    high: float
    others: float
    #: Share minus the others' share.
    difference: float
    difference_low: float
    difference_high: float
    #: The probability of such a difference by chance, corrected for the number of comparisons.
    chance: float
    #: Chance does not explain the difference.
    unexplained: bool


def compared(groups: Mapping[Measure, Mapping[str, Outcomes]]) -> list[Rate]:
    """Every group large enough: those that chance does not explain first, then by measure and value. A group
    is left out where it, or the rest of its measure, has fewer than ``ENOUGH`` ended searches.
    """
    found = []
    for measure, values in groups.items():
        whole = Outcomes(
            found=sum(one.found for one in values.values()), ended=sum(one.ended for one in values.values())
        )
        for value, one in values.items():
            others = Outcomes(found=whole.found - one.found, ended=whole.ended - one.ended)
            if min(one.ended, others.ended) >= ENOUGH:
                found.append(_rate(measure, value, one, others))
    corrected = _holm([rate.chance for rate in found])
    rates = [
        replace(rate, chance=chance, unexplained=chance < LEVEL)
        for rate, chance in zip(found, corrected, strict=True)
    ]
    return sorted(rates, key=lambda rate: (not rate.unexplained, rate.measure, rate.value))


def wilson(one: Outcomes) -> tuple[float, float]:
    """The bounds of the share, by Wilson's score."""
    share, n = one.found / one.ended, one.ended
    middle = share + _Z**2 / (2 * n)
    spread = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return max((middle - spread) / scale, 0.0), min((middle + spread) / scale, 1.0)


def _rate(measure: Measure, value: str, one: Outcomes, others: Outcomes) -> Rate:
    share, rest = one.found / one.ended, others.found / others.ended
    low, high = wilson(one)
    rest_low, rest_high = wilson(others)
    table = [[one.found, one.ended - one.found], [others.found, others.ended - others.found]]
    chance = float(fisher_exact(table).pvalue)
    return Rate(
        measure=measure,
        value=value,
        found=one.found,
        ended=one.ended,
        share=share,
        low=low,
        high=high,
        others=rest,
        difference=share - rest,
        difference_low=share - rest - math.hypot(share - low, rest_high - rest),
        difference_high=share - rest + math.hypot(high - share, rest - rest_low),
        chance=chance,
        unexplained=chance < LEVEL,
    )


def _holm(chances: Sequence[float]) -> list[float]:
    """The probabilities, each corrected for all of them."""
    corrected, least = [0.0] * len(chances), 0.0
    for rank, index in enumerate(sorted(range(len(chances)), key=lambda i: chances[i])):
        least = max(least, min(chances[index] * (len(chances) - rank), 1.0))
        corrected[index] = least
    return corrected
