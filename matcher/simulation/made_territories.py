"""Made-up territories of every size, drawn from a seed, to try the ladder on: nothing in them is anywhere."""

import random

from matcher.protocol.announcement import Ground
from matcher.protocol.places import Gazetteer, Place, PlaceKind
from matcher.protocol.population import Households, Population, Residents

INSEE_BANDS = (
    (0, 2),
    (3, 5),
    (6, 10),
    (11, 17),
    (18, 24),
    (25, 39),
    (40, 54),
    (55, 64),
    (65, 79),
    (80, None),
)
FIVE_YEARS = (*((age, age + 4) for age in range(0, 95, 5)), (95, None))


def territory(seed: int) -> tuple[Ground, list[tuple[float, float]]]:
    """What announcements are measured on, and where the doctors are."""
    draw = random.Random(seed)  # noqa: S311 (nothing secret: the same seed must make the same territory)
    places: list[Place] = []
    residents: list[Residents] = []
    households: list[Households] = []
    communes = {f"69{900 + number}": f"Bourg-{number}" for number in range(draw.choice((1, 1, 2, 3)))}
    bands = draw.choice((INSEE_BANDS, INSEE_BANDS, FIVE_YEARS))
    for insee in communes:
        middle = 45 + draw.random(), 4 + draw.random()
        size = draw.lognormvariate(8.5, 1.2)
        for number in range(draw.randint(1, 5)):
            # Two communes may have quartiers of one name, and « Sans-Place » is in no list of places.
            quartier = f"Quartier-{number}"
            share = size * draw.lognormvariate(-1, 1)
            listed = draw.random() < 0.9
            lat, lon = middle[0] + draw.gauss(0, 0.01), middle[1] + draw.gauss(0, 0.015)
            at = {"lat": lat, "lon": lon, "insee": insee, "quartier": quartier}
            if listed:
                places.append(Place(name=quartier, kind=PlaceKind.QUARTIER, **at))  # type: ignore[arg-type]
            for kind, chance in ((PlaceKind.LANDMARK, 0.8), (PlaceKind.STREET, 0.7), (PlaceKind.EHPAD, 0.4)):
                if draw.random() < chance:
                    name = f"{kind.value} {insee} {number}"
                    own = draw.randint(20, 2000) if kind is not PlaceKind.LANDMARK else None
                    spot = at | {"lat": lat + draw.gauss(0, 0.004), "lon": lon + draw.gauss(0, 0.004)}
                    places.append(Place(name=name, kind=kind, residents=own, **spot))  # type: ignore[arg-type]
            for from_, to in bands:
                width = (105 if to is None else to + 1) - from_
                count = share * width / 85 * draw.lognormvariate(0, 0.4)
                residents.append(
                    Residents(quartier=quartier, insee=insee, age_from=from_, age_to=to, residents=count)
                )
        if draw.random() < 0.8:
            households += [
                Households(
                    insee=insee, adults=a, children=c, households=int(size * draw.random() / 20 / (c + 1))
                )
                for a in (1, 2, 3)
                for c in range(4)
            ]
    if not places:
        return territory(seed + 10_000)
    ground = Ground(
        gazetteer=Gazetteer(territory="CPTS du Trait", places=tuple(places), communes=communes),
        population=Population(residents=tuple(residents), households=tuple(households)),
        k=draw.choice((50, 100, 100, 200)),
    )
    home = places[0]
    doctors = [
        (home.lat + draw.gauss(0, 0.02), home.lon + draw.gauss(0, 0.03)) for _ in range(draw.randint(3, 30))
    ]
    return ground, doctors
