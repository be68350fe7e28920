"""Chance, drawn per search and doctor, so that every policy meets the same people on the same days.

The draws of a search depend on the seed and its number alone, never on what a policy did before: the
difference between two policies is then theirs and not luck's (common random numbers).
"""

import math
from dataclasses import dataclass

import numpy as np

#: Calls to one doctor for one search that have chances of their own.
CALLS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What chance holds for one doctor in one search: uniform in [0, 1), ``slow`` standard normal."""

    yes: float
    answers: float
    answers_reminder: float
    confirms: float
    patient_wants: float
    why_not: float
    slow: float
    slow_reminder: float
    calls: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Luck:
    """What chance holds for one search: a lot per doctor, in list order, and the patient's own."""

    lots: tuple[Lot, ...]
    #: Uniform draws for the office and the patient.
    patient: tuple[float, ...]
    #: Standard normal draws for the patient's delays.
    delays: tuple[float, ...]


def luck(seed: int, number: int, doctors: int) -> Luck:
    """The luck of search ``number``."""
    chance = np.random.default_rng((seed, 1, number))
    even = chance.random((doctors, 6 + CALLS)).tolist()
    normal = chance.standard_normal((doctors, 2)).tolist()
    return Luck(
        lots=tuple(
            Lot(
                yes=u[0],
                answers=u[1],
                answers_reminder=u[2],
                confirms=u[3],
                patient_wants=u[4],
                why_not=u[5],
                slow=z[0],
                slow_reminder=z[1],
                calls=tuple(u[6:]),
            )
            for u, z in zip(even, normal, strict=True)
        ),
        patient=tuple(chance.random(8).tolist()),
        delays=tuple(chance.standard_normal(8).tolist()),
    )


def lognormal(median: float, spread: float, z: float) -> float:
    """A log-normal value from a standard normal draw."""
    return median * math.exp(spread * z)
