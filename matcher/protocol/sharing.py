"""One assignment over all searches that are about to ask: ten patients do not go to the same two doctors.

Each search would like its own first doctors; each doctor has room for so many announcements this week, and
the more he carries already the later he comes. Place by place every search is given one more doctor, by the
cheapest assignment of all searches at once (a flow, cut into rounds of scipy's linear_sum_assignment). Nobody
is given who was not on the search's list: hard wishes are never relaxed here.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from matcher.protocol.doctors import Doctor
from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.needs import Need

#: One announcement more this week weighs as much as standing so many places lower in a search's order.
PLACES_LOWER = 3.0
#: Of a doctor without a weekly limit.
_UNLIMITED = 1_000
#: Costlier than any place and load: such a pair is not to be.
_NEVER = 1e9


def share(
    needs: Sequence[Need],
    room: Mapping[DoctorId, int],
    carried: Mapping[DoctorId, int] | None = None,
    *,
    places_lower: float = PLACES_LOWER,
) -> dict[SearchId, tuple[DoctorId, ...]]:
    """Whom each search is given, in its own order.

    ``room``: how many announcements each doctor may still get; one who is not in it gets none.
    ``carried``: how many each has had lately. The result depends on the order of ``needs`` in ties only.
    """
    given: dict[SearchId, list[DoctorId]] = {need.search: [] for need in needs}
    left = dict(room)
    load = dict(carried or {})
    for number in range(max((need.wanted for need in needs), default=0)):
        open_ = [need for need in needs if need.wanted > number]
        pairs = _round(open_, given, left, load, places_lower)
        if not pairs:
            break
        for need, doctor in pairs:
            given[need.search].append(doctor)
            left[doctor] -= 1
            load[doctor] = load.get(doctor, 0) + 1
    return {
        need.search: tuple(doctor for doctor in need.doctors if doctor in given[need.search])
        for need in needs
    }


def _round(
    needs: Sequence[Need],
    given: Mapping[SearchId, Sequence[DoctorId]],
    left: Mapping[DoctorId, int],
    load: Mapping[DoctorId, int],
    places_lower: float,
) -> list[tuple[Need, DoctorId]]:
    """One doctor more for as many searches as possible, at the least cost in all."""
    wanted = sorted({doctor for need in needs for doctor in need.doctors if left.get(doctor, 0) > 0})
    # A doctor who may get several of this round stands in several columns, each dearer than the one before.
    columns = [(doctor, taken) for doctor in wanted for taken in range(min(left[doctor], len(needs)))]
    if not columns:
        return []
    weights = np.array([places_lower * (load.get(doctor, 0) + taken) for doctor, taken in columns])
    column_of = {doctor: index for index, (doctor, _) in reversed(list(enumerate(columns)))}
    widths = {doctor: min(left[doctor], len(needs)) for doctor in wanted}
    costs: NDArray[np.float64] = np.full((len(needs), len(columns)), _NEVER)
    for row, need in enumerate(needs):
        for place, doctor in enumerate(need.doctors):
            if doctor in column_of and doctor not in given[need.search]:
                start = column_of[doctor]
                costs[row, start : start + widths[doctor]] = place
    chosen = zip(*linear_sum_assignment(costs + weights), strict=True)
    return [(needs[row], columns[column][0]) for row, column in chosen if costs[row, column] < _NEVER]


def room(doctors: Iterable[Doctor]) -> dict[DoctorId, int]:
    """How many announcements each may still get this week."""
    return {
        doctor.id: _UNLIMITED
        if doctor.asked_per_week is None
        else max(0, doctor.asked_per_week - doctor.asked_this_week)
        for doctor in doctors
    }


def said(need: Need, given: Sequence[DoctorId]) -> str:
    """Why these: « répartie entre 6 médecins : les 4 premiers de l’ordre, et 2 suivants, car … »."""
    if not given:
        return "aucun médecin n’a plus de place cette semaine"
    count = len(given)
    first = sum(doctor in given for doctor in need.doctors[:count])
    between = f"répartie entre {count} médecins" if count > 1 else "confiée à un médecin"
    if first == count:
        return f"{between}, les premiers de l’ordre" if count > 1 else f"{between}, le premier de l’ordre"
    later = count - first
    others = "un suivant" if later == 1 else f"{later} suivants"
    why = "d’autres patients attendent en même temps et les premiers ont déjà des annonces cette semaine"
    return f"{between} : {first} parmi les premiers de l’ordre et {others}, car {why}"
