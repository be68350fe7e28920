"""The first doctors for a search among many thousands, exactly as ``ranking.candidates`` orders them.

A country has 57,000 of them. They are put once into a k-d tree on the unit sphere, with an array for whatever
a wish or a condition asks; a search then looks at the few hundred around its place only. numpy and scipy are
used here and in ``sharing``: nothing else in the rules counts so much.
"""

from collections.abc import Collection, Sequence
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from matcher.protocol.announcement import Condition, ConditionKind
from matcher.protocol.doctors import Candidate, Doctor, declines, fulfils
from matcher.protocol.fairness import turn, usual
from matcher.protocol.ids import DoctorId
from matcher.protocol.places import EARTH_KM, Place
from matcher.protocol.ranking import candidate_of, candidates
from matcher.protocol.wishes import REACH_KM, Wish, WishKind

_Mask = NDArray[np.bool_]
_Floats = NDArray[np.float64]
_Index = NDArray[np.intp]

#: Looked at around a place, and then once more, before every doctor is.
_AROUND: Final = (256, 4096)
_BY_DISTANCE: Final = frozenset({WishKind.MAX_DISTANCE_KM, WishKind.TRAVEL})
_BY_NAME: Final = frozenset({WishKind.EXCLUDE, WishKind.PREFER})


class Nearest:
    """Doctors as they are at one moment; built once, asked for many searches."""

    def __init__(self, doctors: Sequence[Doctor]) -> None:
        # In the order of their ids, which breaks the last ties.
        self._doctors = sorted(doctors, key=lambda doctor: doctor.id)
        self._common = usual(self._doctors)
        self._place_of = {doctor.id: index for index, doctor in enumerate(self._doctors)}
        self._turn: _Floats = np.array([turn(doctor, self._common) for doctor in self._doctors])
        self._masks: dict[tuple[WishKind, object], _Mask] = {}
        self._declines: dict[ConditionKind, _Mask] = {}
        located = [(d.lat, d.lon) for d in self._doctors if d.lat is not None and d.lon is not None]
        self._located: _Index = np.array(
            [i for i, d in enumerate(self._doctors) if d.lat is not None and d.lon is not None], dtype=np.intp
        )
        radians = np.radians(np.array(located, dtype=np.float64).reshape(-1, 2))
        self._phi, self._lambda = radians[:, 0], radians[:, 1]

    @cached_property
    def _tree(self) -> Any:
        return cKDTree(_on_sphere(self._phi, self._lambda))

    def first(
        self,
        most: int,
        *,
        wishes: Sequence[Wish],
        conditions: Collection[Condition],
        place: Place | None,
        declined: Collection[DoctorId],
        today: date,
    ) -> tuple[Candidate, ...]:
        """The ``most`` best candidates, best first: the beginning of what ``ranking.candidates`` gives."""
        names = self._named(wishes, conditions, place, declined, today)
        left_out: set[str] = {*declined, *(candidate.doctor for candidate in names)}
        left_out |= {d for w in wishes if w.kind is WishKind.EXCLUDE for d in _ids(w)}
        # As a hard wish: nobody else.
        if len(names) >= most or any(w.kind is WishKind.PREFER and w.hard for w in wishes):
            return names[:most]
        question = _Question(self, wishes, conditions, place, left_out)
        found = question.best(most - len(names))
        others = (candidate_of(self._doctors[i], wishes, conditions, place, today) for i in found.tolist())
        return (*names, *(candidate for candidate in others if candidate is not None))

    def _named(
        self,
        wishes: Sequence[Wish],
        conditions: Collection[Condition],
        place: Place | None,
        declined: Collection[DoctorId],
        today: date,
    ) -> tuple[Candidate, ...]:
        """Those whom the patient named come before everybody; they are few."""
        named = {d for w in wishes if w.kind is WishKind.PREFER for d in _ids(w)}
        found = candidates(
            [self._doctors[self._place_of[DoctorId(d)]] for d in named if d in self._place_of],
            wishes=wishes,
            conditions=conditions,
            place=place,
            declined=declined,
            offers=(),
            today=today,
            common=self._common,
        )
        return found.ordered

    def mask(self, wish: Wish) -> _Mask:
        """Who surely fulfils a wish that does not depend on the place."""
        key = (wish.kind, wish.value)
        if key not in self._masks:
            said = [fulfils(doctor, wish, None) is True for doctor in self._doctors]
            self._masks[key] = np.array(said, dtype=np.bool_)
        return self._masks[key]

    def declining(self, condition: Condition) -> _Mask:
        """Who declines such a condition."""
        if condition.kind not in self._declines:
            said = [declines(doctor, condition) for doctor in self._doctors]
            self._declines[condition.kind] = np.array(said, dtype=np.bool_)
        return self._declines[condition.kind]

    def places(self, ids: Collection[str]) -> _Index:
        """Where these doctors stand in the arrays."""
        known = [self._place_of[DoctorId(one)] for one in ids if one in self._place_of]
        return np.array(known, dtype=np.intp)

    def around(self, place: Place, most: int) -> _Index:
        """The nearest located doctors, as places among the located; all of them where there are no more."""
        count = len(self._located)
        if most >= count:
            return np.arange(count, dtype=np.intp)
        point = _on_sphere(np.radians(np.array([place.lat])), np.radians(np.array([place.lon])))[0]
        return np.asarray(self._tree.query(point, k=most)[1], dtype=np.intp)

    def kilometres(self, place: Place, which: _Index) -> _Floats:
        """Unrounded distances to some of the located (haversine, as ``places.distance_km``)."""
        phi, lam = np.radians(place.lat), np.radians(place.lon)
        half = np.sin((self._phi[which] - phi) / 2) ** 2
        half += np.cos(phi) * np.cos(self._phi[which]) * np.sin((self._lambda[which] - lam) / 2) ** 2
        found: _Floats = 2 * EARTH_KM * np.arcsin(np.minimum(1.0, np.sqrt(half)))
        return found

    def turns(self, which: _Index) -> _Floats:
        """Whose turn it is, lower first."""
        return self._turn[which]

    @property
    def located(self) -> _Index:
        """The doctors whose place is known."""
        return self._located

    @property
    def everybody(self) -> int:
        """How many doctors there are."""
        return len(self._doctors)


class _Question:
    """One search, asked of an index."""

    def __init__(
        self,
        index: Nearest,
        wishes: Sequence[Wish],
        conditions: Collection[Condition],
        place: Place | None,
        left_out: Collection[str],
    ) -> None:
        self._index = index
        self._wishes = [w for w in wishes if w.kind not in _BY_NAME]
        self._conditions = conditions
        self._place = place
        self._left_out = index.places(left_out)
        #: Nobody farther can satisfy a hard wish.
        hard = (_limit(w) for w in self._wishes if w.hard and w.kind in _BY_DISTANCE)
        self._limit = min(hard, default=np.inf)

    def best(self, most: int) -> _Index:
        """The best ``most`` doctors, as places in the arrays."""
        if self._place is not None:
            for around in _AROUND:
                near = self._index.around(self._place, around)
                if len(near) == len(self._index.located):
                    break
                if (found := self._among(near, self._place, most)) is not None:
                    return found
        return self._of_all(most)

    def _among(self, near: _Index, place: Place, most: int) -> _Index | None:
        """The best of the nearest; None where somebody farther might stand before one of them."""
        km = self._index.kilometres(place, near)
        which = self._index.located[near]
        missed = self._missed(which, km)
        frontier = km.max()
        rounded, ends = _rounded(km), _rounded(km.max(keepdims=True))[0]
        # Whoever is farther than the frontier stands behind these: they miss nothing and are nearer.
        sure = np.flatnonzero((missed == 0) & (rounded < ends))
        if len(sure) < most and frontier <= self._limit:
            return None
        if len(sure) < most:
            sure = np.flatnonzero(missed < _UNFIT)
        best = np.lexsort((which[sure], self._index.turns(which[sure]), rounded[sure], missed[sure]))
        return which[sure[best[:most]]]

    def _of_all(self, most: int) -> _Index:
        """The best of everybody, whose place is known or not."""
        which = np.arange(self._index.everybody, dtype=np.intp)
        km = np.full(self._index.everybody, np.inf)
        if self._place is not None:
            located = self._index.located
            km[located] = self._index.kilometres(self._place, np.arange(len(located), dtype=np.intp))
        missed = self._missed(which, km)
        fit = np.flatnonzero(missed < _UNFIT)
        rounded = _rounded(km[fit])
        best = np.lexsort((fit, self._index.turns(fit), rounded, missed[fit]))
        return fit[best[:most]]

    def _missed(self, which: _Index, km: _Floats) -> NDArray[np.int64]:
        """Missed wishes as a number, the most important one heaviest; ``_UNFIT`` where one of them binds."""
        missed = np.zeros(len(which), dtype=np.int64)
        for wish in self._wishes:
            by_distance = wish.kind in _BY_DISTANCE
            fails = ~(km <= _limit(wish)) if by_distance else ~self._index.mask(wish)[which]
            missed <<= 1
            missed |= fails
            if wish.hard:
                missed[fails] |= _UNFIT
        for condition in self._conditions:
            missed[self._index.declining(condition)[which]] |= _UNFIT
        missed[np.isin(which, self._left_out)] |= _UNFIT
        # Shifted on by the wishes that follow, the mark only grows.
        missed[missed >= _UNFIT] = _UNFIT
        return missed


#: Heavier than any number of missed wishes.
_UNFIT: Final = 1 << 40


def _limit(wish: Wish) -> float:
    if wish.kind is WishKind.TRAVEL:
        return REACH_KM[str(wish.value)]
    return float(str(wish.value))


def _rounded(km: _Floats) -> _Floats:
    """As ``places.rounded_km``, all at once."""
    halves = np.floor(km * 2 + 0.5) / 2
    rounded: _Floats = np.where(km < 0.5, 0.0, np.where(km < 2, halves, np.floor(km + 0.5)))
    return rounded


def _on_sphere(phi: _Floats, lam: _Floats) -> _Floats:
    return np.column_stack((np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)))


def _ids(wish: Wish) -> tuple[str, ...]:
    return wish.value if isinstance(wish.value, tuple) else (str(wish.value),)
