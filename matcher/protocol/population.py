"""How many residents an announcement would describe: counts of a territory, never of persons."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from matcher.protocol.places import normalised

#: What a part of a row is taken for, of its even share. Inside INSEE's row 65–79 the ages 75–79 hold
#: about four fifths of an even share (French age pyramid); K must hold for them too.
PRUDENCE = 0.75
#: A row of the table that ends here or later is read as "and over".
OPEN_FROM_AGE = 105
#: Nobody is older, as far as an announcement is concerned.
OLDEST = 125


@dataclass(frozen=True, kw_only=True)
class Residents:
    """One row of ``population.csv``: how many live in a quartier from one age to another, both included.

    INSEE's tables are estimates with decimals, hence the float.
    """

    quartier: str
    insee: str
    age_from: int
    #: None for "and over".
    age_to: int | None
    residents: float


@dataclass(frozen=True, kw_only=True)
class Households:
    """One row of ``households.csv``: how many households of one size a commune has. Children are under 18."""

    insee: str
    adults: int
    children: int
    households: int


@dataclass(frozen=True, kw_only=True)
class Population:
    """The counts behind K. Every estimate is rounded down, so that K is never reached by rounding."""

    residents: tuple[Residents, ...]
    households: tuple[Households, ...] = ()
    #: The share of residents who need home visits (PROTOCOL.md: a tenth by default).
    home_visits_share: float = 0.1
    #: The share of residents who need step-free access.
    step_free_share: float = 0.1
    #: The share of residents without a médecin traitant: about one adult in nine.
    without_doctor_share: float = 1 / 9

    @cached_property
    def open_from(self) -> int | None:
        """The age from which the table only says "and over" somewhere; None where it never does."""
        return min((row.age_from for row in self.residents if _is_open(row)), default=None)

    def count(
        self, from_: int, to: int | None, *, insee: str | None = None, quartier: str | None = None
    ) -> int:
        """Residents of these ages in a quartier, a commune, or the territory where neither is given.

        Both ends are included; ``to`` is None for "and over".
        A row that is wider than the ages asked for counts by its years, prudently and rounded down. An
        open row counts only when asked to the end: nobody knows how its ages are spread.
        """
        asked = (from_, to, insee, quartier)
        if asked not in self._counted:
            self._counted[asked] = self._count(*asked)
        return self._counted[asked]

    def _count(self, from_: int, to: int | None, insee: str | None, quartier: str | None) -> int:
        rows: Iterable[Residents] = self.residents
        if quartier is not None:
            rows = self._by_quartier.get(normalised(quartier), ())
        if insee is not None:
            rows = (row for row in rows if row.insee == insee)
        return math.floor(sum(_share(row, from_, to) for row in rows) + 1e-9)

    def crowd(self, ages: Mapping[tuple[str, str], int]) -> float:
        """Residents of these ages (``as_bits``) of each (INSEE code, normalised quartier), as prudently as
        ``count``.

        Never fewer when ages are added, and as many as ``count`` where they make up what it is asked for.
        """
        return sum(
            _of_ages(row, span, wanted)
            for where, wanted in ages.items()
            for row, span in self._of_quartier.get(where, ())
        )

    @cached_property
    def _counted(self) -> dict[tuple[int, int | None, str | None, str | None], int]:
        """Counts once made: there are few bands and few places, and they are asked for again and again."""
        return {}

    @cached_property
    def _by_quartier(self) -> Mapping[str, Sequence[Residents]]:
        """The rows by the normalised name of their quartier."""
        rows: dict[str, list[Residents]] = {}
        for row in self.residents:
            rows.setdefault(normalised(row.quartier), []).append(row)
        return rows

    @cached_property
    def _of_quartier(self) -> Mapping[tuple[str, str], Sequence[tuple[Residents, int]]]:
        """The rows by INSEE code and normalised name of their quartier, each with its ages as bits."""
        rows: dict[tuple[str, str], list[tuple[Residents, int]]] = {}
        for quartier, theirs in self._by_quartier.items():
            for row in theirs:
                span = as_bits(range(row.age_from, _last(row) + 1))
                rows.setdefault((row.insee, quartier), []).append((row, span))
        return rows

    def household_count(self, adults: int, children: int, *, insee: str | None = None) -> int:
        """Households of exactly that size in a commune, or in the territory."""
        return sum(
            row.households
            for row in self.households
            if (row.adults, row.children) == (adults, children) and (insee is None or row.insee == insee)
        )


def _is_open(row: Residents) -> bool:
    return row.age_to is None or row.age_to >= OPEN_FROM_AGE


def _last(row: Residents) -> int:
    """The oldest who are counted in a row."""
    return OLDEST if row.age_to is None or _is_open(row) else row.age_to


def as_bits(ages: Iterable[int]) -> int:
    """A set of ages as one number, bit 0 for the age of 0: joined and counted in one go."""
    return sum(1 << age for age in ages)


def _of_ages(row: Residents, span: int, wanted: int) -> float:
    """The residents of one row who are of these ages; an open row counts only when asked to its end."""
    inside = span & wanted
    if inside == span:
        return row.residents
    if _is_open(row):
        return 0.0
    return math.floor(row.residents * inside.bit_count() / span.bit_count() * PRUDENCE)


def _share(row: Residents, from_: int, to: int | None) -> float:
    """The residents of one row who are of these ages; prudently where the row has to be cut."""
    if _is_open(row):
        return row.residents if to is None and from_ <= row.age_from else 0.0
    assert row.age_to is not None
    last = row.age_to if to is None else min(to, row.age_to)
    years = last - max(from_, row.age_from) + 1
    width = row.age_to - row.age_from + 1
    if years <= 0:
        return 0.0
    return row.residents if years == width else math.floor(row.residents * years / width * PRUDENCE)
