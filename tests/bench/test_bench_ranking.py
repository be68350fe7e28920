"""Ranking a country's doctors for one search, beside what numpy takes to look at every one of them."""

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pytest

from matcher.protocol.doctors import Doctor
from matcher.protocol.nearest import Nearest
from matcher.protocol.places import EARTH_KM, Place, PlaceKind
from matcher.protocol.ranking import candidates
from matcher.protocol.wishes import Wish, WishKind
from tests.bench.figures import quote
from tests.unit.test_ranking import TODAY, doctor

pytestmark = pytest.mark.bench

DOCTORS, SEARCHES, WAVE = 57_000, 200, 20
WISHES = (
    Wish(kind=WishKind.SECTOR1, value=True, hard=True),
    Wish(kind=WishKind.DOCTOR_SEX, value="F", hard=False),
)


def _country() -> list[Doctor]:
    """Towns of very different sizes, and everybody else in between."""
    chance = np.random.default_rng(57)
    towns = chance.uniform((43.0, -1.0), (49.5, 7.0), (300, 2))
    sizes = chance.zipf(1.4, 300).clip(1, 4_000).astype(float)
    town = chance.choice(300, DOCTORS, p=sizes / sizes.sum())
    at = towns[town] + chance.normal(0.0, 0.04, (DOCTORS, 2))
    sexes, sectors = chance.choice(["F", "M"], DOCTORS), chance.choice([1, 2], DOCTORS, p=[0.93, 0.07])
    return [
        doctor(
            f"d{n:05}", sex=str(sexes[n]), sector=int(sectors[n]), lat=float(at[n, 0]), lon=float(at[n, 1])
        )
        for n in range(DOCTORS)
    ]


def test_the_first_wave_of_a_search_costs_a_fraction_of_looking_at_every_doctor() -> None:
    everybody = _country()
    chance = np.random.default_rng(58)
    places = [
        Place(name="P", kind=PlaceKind.QUARTIER, lat=float(one.lat or 0), lon=float(one.lon or 0))
        for one in (everybody[n] for n in chance.integers(0, DOCTORS, SEARCHES))
    ]
    started = time.perf_counter()
    index = Nearest(everybody)
    asked = {"wishes": WISHES, "conditions": (), "declined": (), "today": TODAY}
    index.first(WAVE, place=places[0], **asked)
    built = time.perf_counter() - started

    lat, lon = (np.radians([getattr(d, name) for d in everybody]) for name in ("lat", "lon"))
    fits = np.array([d.sector == 1 for d in everybody])
    female = np.array([d.sex == "F" for d in everybody])

    def plain(place: Place) -> object:
        """Distances and masks over all, and the first ones of it: no wording, no load, no quotas."""
        phi, lam = np.radians(place.lat), np.radians(place.lon)
        half = np.sin((lat - phi) / 2) ** 2 + np.cos(phi) * np.cos(lat) * np.sin((lon - lam) / 2) ** 2
        km = 2 * EARTH_KM * np.arcsin(np.sqrt(half))
        cost = np.where(fits, km + 1e6 * ~female, np.inf)
        return np.argpartition(cost, WAVE)[:WAVE]

    numpy_pass = _each(plain, places)
    ours = _each(lambda place: index.first(WAVE, place=place, **asked), places)
    print(f"\nindex of {DOCTORS} doctors, built once: {built:.2f} s")
    print(f"numpy haversine and mask: {numpy_pass * 1000:.2f} ms a search")
    quote(
        f"ranking {DOCTORS:,} doctors for a wave of {WAVE}",
        f"{ours / numpy_pass:.2f} of one pass of numpy over all ({ours * 1000:.2f} ms)",
        "0.40 at most",
    )
    exact = candidates(everybody, place=places[0], offers=(), **asked).ordered[:WAVE]
    assert index.first(WAVE, place=places[0], **asked) == exact
    assert ours / numpy_pass <= 0.4


def _each(work: Callable[[Place], object], places: list[Place]) -> float:
    """The median seconds of one search."""
    took = []
    for place in places:
        started = time.perf_counter()
        work(place)
        took.append(time.perf_counter() - started)
    return median(took)
