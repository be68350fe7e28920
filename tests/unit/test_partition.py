"""Groups announced alike: none too small, whatever the tables hold, and nobody widened without need."""

from collections.abc import Collection

from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.protocol.announcement import Ground
from matcher.protocol.anonymity import audit
from matcher.protocol.partition import Cell, settled
from matcher.protocol.places import Gazetteer, Place, PlaceKind
from matcher.protocol.population import Households, Population, Residents

#: A cell is one of four bands of a quartier of a commune; two bands straddle "minor or adult".
sizes = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)), st.integers(1, 150), min_size=1
)


def rungs(commune: int, quartier: int, band: int) -> Cell[str]:
    """Band and quartier (one quartier is in no list), two bands and quartier, …, as the ladder has them."""
    place = f"c{commune}q{quartier}"
    near = (f"b{band} {place}", f"bb{band // 2} {place}") if quartier else (None, None)
    far = (f"b{band} c{commune}", f"bb{band // 2} c{commune}", f"m{(band + 1) // 2} c{commune}")
    return (*near, *far, f"m{(band + 1) // 2}")


@given(sizes, st.integers(1, 300), st.booleans())
def test_no_group_is_too_small_unless_nobody_else_could_be_taken_for_them(
    made: dict[tuple[int, int, int], int], least: int, backwards: bool
) -> None:
    people = {rungs(*where): made[where] for where in (reversed(made) if backwards else made)}

    def size(cells: Collection[Cell[str]]) -> int:
        return sum(people[cell] for cell in cells)

    found = settled(people, size, least)
    assert set(found) == set(people)
    for rung in set(found.values()) - {None}:
        assert size([cell for cell in people if found[cell] == rung]) >= least
    for cell, rung in found.items():
        if rung is None:
            assert size([other for other in people if other[-1] == cell[-1]]) < least
        else:
            assert rung in cell


@given(sizes, st.integers(1, 300))
def test_where_every_finest_group_is_large_enough_nobody_is_widened(
    made: dict[tuple[int, int, int], int], least: int
) -> None:
    cells = [rungs(*where) for where in made]
    found = settled(cells, lambda _: least, least)
    assert all(found[cell] == next(rung for rung in cell if rung) for cell in cells)


BANDS = ((0, 2), (3, 5), (6, 10), (11, 17), (18, 24), (25, 39), (40, 54), (55, 64), (65, 79), (80, None))
tables = st.lists(
    st.lists(st.floats(0, 900), min_size=len(BANDS), max_size=len(BANDS)), min_size=1, max_size=3
)


def _ground(tables: list[list[float]], homes: list[int], k: int, communes: int) -> Ground:
    places, residents = [], []
    for number, table in enumerate(tables):
        name, insee = f"Quartier-{number}", f"6990{number % communes}"
        at = {"lat": 45.7, "lon": 4.8 + number / 100, "insee": insee, "quartier": name}
        places.append(Place(name=name, kind=PlaceKind.QUARTIER, **at))  # type: ignore[arg-type]
        residence = f"Résidence {number}"
        places.append(Place(name=residence, kind=PlaceKind.EHPAD, residents=30 + 40 * number, **at))  # type: ignore[arg-type]
        residents += [
            Residents(quartier=name, insee=insee, age_from=from_, age_to=to, residents=count)
            for (from_, to), count in zip(BANDS, table, strict=True)
        ]
    households = [
        Households(insee=f"6990{number % communes}", adults=2, children=number // communes, households=count)
        for number, count in enumerate(homes)
    ]
    names = {f"6990{number}": f"Bourg-{number}" for number in range(communes)}
    return Ground(
        gazetteer=Gazetteer(territory="CPTS du Trait", places=tuple(places), communes=names),
        population=Population(residents=tuple(residents), households=tuple(households)),
        k=k,
    )


@settings(deadline=None, max_examples=10)
@given(tables, st.lists(st.integers(0, 400), max_size=6), st.sampled_from([50, 100, 200]), st.integers(1, 2))
def test_no_table_lets_an_intruder_under_k(
    tables: list[list[float]], homes: list[int], k: int, communes: int
) -> None:
    """With every mail of a search, the tables, this code, and the belief that what is proposed is taken."""
    communes = min(communes, len(tables))
    assert audit(_ground(tables, homes, k, communes), [(45.7, 4.8), (45.8, 4.9)]).under_k == ()
