"""Whether every group of patients ends with a doctor as often as the others. Never by doctor.

It stands on the counters of ended records alone, by whole quarters of the calendar of which every request is
counted, as the report's groups do: what is small is left out quarter by quarter, so that two readings on two
days cannot be subtracted from each other.
"""

from collections import defaultdict
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from matcher.protocol.search import State
from matcher.records import disparity
from matcher.records import figures as words
from matcher.records.disparity import MEASURES, Measure, Outcomes
from matcher.service import figures as counted
from matcher.service import refusals
from matcher.service.actors import Actor, Role, require
from matcher.service.house import House
from matcher.storage import figures, searches
from matcher.storage.figures import Figure

DIRECTION: Final = frozenset({Role.DIRECTRICE})


async def rates(house: House, actor: Actor, first: date, last: date) -> dict[str, Any]:
    """``{quarters, refusals: {kind: how many}, rates: [{measure, value, found, ended, share, low, high,
    others, difference, difference_low, difference_high, chance, unexplained}], course: {measure: {value:
    [share or None]}}}``:
    ``course`` has a place for each of ``quarters`` (``2026-01`` is the one that begins there), None where the
    group was too small in it.
    """
    require(actor, DIRECTION)
    async with house.sessions.begin() as session:
        living = await searches.in_states(session, actor.territory, list(State))
        quarters = counted.finished(house, actor.territory, first, last, living)
        held = await figures.of_months(session, actor.territory, [month for q in quarters for month in q])
    by_quarter = [_outcomes([one for one in held if one.month in quarter]) for quarter in quarters]
    compared = disparity.compared(_summed(by_quarter))
    return {
        "quarters": [quarter[0] for quarter in quarters],
        "refusals": await refusals.counts(house, actor, first, last),
        "rates": [_view(rate) for rate in compared],
        "course": {
            measure: {
                rate.value: [_share(one.get(measure, {}).get(rate.value)) for one in by_quarter]
                for rate in compared
                if rate.measure == measure
            }
            for measure in MEASURES
        },
    }


def _outcomes(held: list[Figure]) -> dict[Measure, dict[str, Outcomes]]:
    """Of one quarter, every group large enough to be shown."""
    found: dict[Measure, dict[str, Outcomes]] = {}
    for measure in MEASURES:
        ended: defaultdict[str, int] = defaultdict(int)
        attached: defaultdict[str, int] = defaultdict(int)
        for one in held:
            if one.measure == measure:
                ended[one.value] += one.count
                attached[one.value] += one.count if one.outcome == State.ATTACHED else 0
        found[measure] = {v: Outcomes(found=attached[v], ended=n) for v, n in words.shown(ended).items()}
    return found


def _summed(by_quarter: list[dict[Measure, dict[str, Outcomes]]]) -> dict[Measure, dict[str, Outcomes]]:
    found: dict[Measure, dict[str, Outcomes]] = {measure: {} for measure in MEASURES}
    for quarter in by_quarter:
        for measure, values in quarter.items():
            for value, one in values.items():
                before = found[measure].get(value, Outcomes(found=0, ended=0))
                found[measure][value] = Outcomes(
                    found=before.found + one.found, ended=before.ended + one.ended
                )
    return found


def _share(one: Outcomes | None) -> float | None:
    return None if one is None else round(one.found / one.ended, 3)


def _view(rate: disparity.Rate) -> dict[str, Any]:
    return {name: round(one, 4) if isinstance(one, float) else one for name, one in asdict(rate).items()}
