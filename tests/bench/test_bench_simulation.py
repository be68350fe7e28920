"""How fast the simulator plays, in seconds of processor time and as ratios within one run."""

import multiprocessing
import os
import resource
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from matcher.simulation.assumptions import Assumptions
from matcher.simulation.course import START, play
from matcher.simulation.nation import play_nation
from matcher.simulation.policies import POLICIES
from matcher.simulation.terrain import Terrain, read_terrain
from tests.bench.figures import quote

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

VENISSIEUX = Path(__file__).resolve().parents[2] / "config" / "territories" / "venissieux"
#: No wait at the telephone, and no doctor lost to it for good: a longer period is then only longer.
QUIET = Assumptions(searches_per_year=800, calls_per_day=200, do_not_call=0.0)


@pytest.fixture(scope="module")
def terrain() -> Terrain:
    return read_terrain(VENISSIEUX, START)


def seconds(terrain: Terrain, policy: str, years: float) -> tuple[float, int]:
    """Processor time of one period, and its searches. Other processes of the machine do not count."""
    begun = time.process_time()
    played = play(terrain, POLICIES[policy], QUIET, seed=1, years=years)
    return time.process_time() - begun, len(played.outcomes)


@pytest.mark.parametrize("policy", ["by-hand", "default", "small-waves"])
def test_a_year_of_venissieux_takes_about_ten_seconds(terrain: Terrain, policy: str) -> None:
    spent, searches = seconds(terrain, policy, 1.0)
    quote(f"a simulated year of Vénissieux, policy {policy}", f"{spent:.1f} s, {searches} searches", "10 s")
    assert searches > 0


def test_the_time_per_search_does_not_grow_with_their_number(terrain: Terrain) -> None:
    """From one year on: before, doctors have not tired yet, and searches are shorter for that reason."""
    short, few = seconds(terrain, "small-waves", 1.0)
    long, many = seconds(terrain, "small-waves", 3.0)
    ratio = (long / many) / (short / few)
    print(f"\n{few} → {many} searches: time per search × {ratio:.2f}")
    assert ratio <= 1.2


def test_ended_searches_are_not_kept(terrain: Terrain) -> None:
    """Only one line per search grows with the period; the searches under way do not."""

    def peak(years: float) -> int:
        tracemalloc.start()
        play(terrain, POLICIES["small-waves"], QUIET, seed=1, years=years)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    short, long = peak(0.1), peak(0.4)
    print(f"\nmemory at most: {short / 1e6:.1f} MB → {long / 1e6:.1f} MB for four times the searches")
    assert long < 3 * short


#: Searches of the longer national run; NATION=100000 make bench plays more, in some quarter of an hour.
NATION = int(os.environ.get("NATION", "10000"))


def country(searches: int) -> tuple[float, int, int, int]:
    """Processor seconds, searches, doctors asked against a binding wish, and the process's peak of memory
    in kilobytes; to be called in a process of its own.
    """
    terrain = read_terrain(VENISSIEUX, START)
    begun = time.process_time()
    made = play_nation(terrain.rules, POLICIES["quick-waves"], QUIET, searches=searches)
    spent = time.process_time() - begun
    return spent, made.searches, made.misfits, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.timeout(7200)
def test_a_country_takes_no_more_time_per_search_and_no_more_memory_the_longer_it_is_played() -> None:
    """And no doctor is asked against a binding wish in all of it (P4)."""

    def run(searches: int) -> tuple[float, int, int, int]:
        # Memory once taken stays with a process: each run has its own.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
            return alone.submit(country, searches).result()

    short, few, none, least = run(NATION // 10)
    long, many, misfits, most = run(NATION)
    ratio = (long / many) / (short / few)
    quote(
        f"a country simulated over {many:,} searches",
        f"{ratio:.2f} of the time per search over {few:,}, {most / least:.2f} of the memory",
        "1.2 at most, both",
    )
    assert none == misfits == 0
    assert most <= 1.2 * least
    assert ratio <= 1.2
