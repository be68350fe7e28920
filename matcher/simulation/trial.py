"""A short run on a territory's own doctors and residents: its settings against others, in its own process.

Small enough to be waited for: some 150 searches a seed under either setting. It answers which way a figure
moves, not how far; ``trait-union simulate`` plays whole years.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from matcher.simulation.assumptions import Assumptions
from matcher.simulation.comparison import compare
from matcher.simulation.measures import Interval
from matcher.simulation.policies import Policy, own_settings, waves
from matcher.simulation.terrain import Terrain

SEEDS: Final = (1, 2, 3)
#: Searches a seed; the sooner ones find doctors who were asked by nobody yet, under both settings alike.
SEARCHES: Final = 150
#: What is shown, in this order: names of ``measures.FIGURES``.
SHOWN: Final = (
    "first_yes_median", "chosen_median", "attached_30", "mails", "calls", "calls_week", "all_met", "gini",
)  # fmt: skip
OWN, TRIED = "own", "tried"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is tried, as ``territory.toml`` writes it; ``reminder`` None for none."""

    size: int
    reminder: str | None
    next_wave: str
    calls: str
    #: Requests a year.
    searches: int
    #: Of which so many are played for each seed.
    played: int = SEARCHES


@dataclass(frozen=True, kw_only=True)
class Found:
    """The figures under both settings, by name; and over how many searches."""

    own: Mapping[str, Interval]
    tried: Mapping[str, Interval]
    searches: int


def play_both(terrain: Terrain, wanted: Wanted, tell: Connection) -> None:
    """The body of the process: sends the share done (a float) now and then, and a ``Found`` at the end."""
    # Whoever uses the service meanwhile comes first.
    os.nice(10)
    policies = [
        Policy(name=OWN, label="vos réglages", rules=own_settings),
        waves(
            wanted.size,
            reminder=wanted.reminder,
            next_wave=wanted.next_wave,
            calls=wanted.calls,
            name=TRIED,
        ),
    ]
    runs, done, last = len(SEEDS) * len(policies), 0, 0.0

    def progress(_: str, share: float) -> None:
        nonlocal done, last
        if share >= last + 0.1 or share >= 1.0:
            last = share
            tell.send((done + share) / runs)
        if share >= 1.0:
            done, last = done + 1, 0.0

    made = compare(
        terrain,
        policies,
        Assumptions(searches_per_year=wanted.searches),
        seeds=SEEDS,
        years=wanted.played / wanted.searches,
        progress=progress,
    )
    tell.send(
        Found(
            own={name: made.figure(OWN, name) for name in SHOWN},
            tried={name: made.figure(TRIED, name) for name in SHOWN},
            searches=made.searches,
        )
    )
    tell.close()
