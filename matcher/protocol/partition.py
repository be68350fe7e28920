"""Groups of people who are announced alike, none too small: pure combinatorics, nothing of patients.

Each cell (people who are never told apart) brings its rungs, finest first. It is announced at one of them,
and whoever knows the tables and the rule knows which cells share that rung. The rule therefore looks at
those who *remain* at a rung, not at all whom its words describe: too few take along the smallest group that
was to be announced more finely, whole, so that it leaves nobody behind.
"""

from collections.abc import Callable, Collection, Hashable, Iterable
from typing import Generic, TypeAlias, TypeVar

R = TypeVar("R", bound=Hashable)

#: A cell is known by its rungs, finest first and all of one length; None where it has no such rung.
Cell: TypeAlias = tuple[R | None, ...]


def settled(
    cells: Iterable[Cell[R]], size: Callable[[Collection[Cell[R]]], float], least: int
) -> dict[Cell[R], R | None]:
    """The rung of each cell, so that the cells of one rung are together of at least that size.

    ``size`` must not shrink when cells are added. None for cells that even their coarsest rung cannot
    gather ``least`` people around.
    """
    at = _Settling(cells, size, least)
    for depth in range(max((len(cell) for cell in at.rung), default=0)):
        while at.widen(depth) or at.take_along(depth):
            pass
    return at.rung


class _Settling(Generic[R]):
    """The rungs as they stand so far; cells only ever move to coarser ones, hence to an end."""

    def __init__(
        self, cells: Iterable[Cell[R]], size: Callable[[Collection[Cell[R]]], float], least: int
    ) -> None:
        self.rung: dict[Cell[R], R | None] = {cell: _from(cell, 0) for cell in cells}
        self._described: dict[R, list[Cell[R]]] = {}
        for cell in self.rung:
            for rung in cell:
                if rung is not None:
                    self._described.setdefault(rung, []).append(cell)
        self._size, self._least = size, least
        self._sizes: dict[frozenset[Cell[R]], float] = {}

    def widen(self, depth: int) -> bool:
        """Those whom even all that a rung of this depth describes would not hide go on to their next one."""
        moved = False
        for rung, members in self._short(depth):
            if self._small(self._described[rung]):
                moved = True
                for cell in members:
                    self.rung[cell] = _from(cell, depth + 1)
        return moved

    def take_along(self, depth: int) -> bool:
        """Each group of this depth that is too small is joined by the smallest of the finer ones."""
        groups = self._groups()
        #: Rungs of this depth that somebody came to, hence to be looked at again.
        touched: set[R | None] = set()
        for rung, _ in self._short(depth):
            nearby = dict.fromkeys(self.rung[cell] for cell in self._described[rung])
            finer = [groups[other] for other in nearby if other is not None and other != rung]
            if rung in touched or not finer:
                continue
            # Best those who lie wholly inside; of others, what lies outside is widened as well.
            joined = min(finer, key=lambda group: (any(c[depth] != rung for c in group), self._of(group)))
            for cell in joined:
                self.rung[cell] = _from(cell, depth)
                touched.add(self.rung[cell])
        return bool(touched)

    def _short(self, depth: int) -> list[tuple[R, list[Cell[R]]]]:
        """The groups at a rung of this depth that are too small."""
        return [
            (rung, members)
            for rung, members in self._groups().items()
            if any(cell[depth] == rung for cell in members) and self._small(members)
        ]

    def _groups(self) -> dict[R, list[Cell[R]]]:
        groups: dict[R, list[Cell[R]]] = {}
        for cell, rung in self.rung.items():
            if rung is not None:
                groups.setdefault(rung, []).append(cell)
        return groups

    def _small(self, group: Collection[Cell[R]]) -> bool:
        return self._of(group) < self._least

    def _of(self, group: Collection[Cell[R]]) -> float:
        known = frozenset(group)
        if known not in self._sizes:
            self._sizes[known] = self._size(group)
        return self._sizes[known]


def _from(cell: Cell[R], depth: int) -> R | None:
    """The finest rung of a cell that is no finer than ``depth``."""
    return next((rung for rung in cell[depth:] if rung is not None), None)
