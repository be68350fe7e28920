"""What is measured of a played period: one line per search, one per doctor, and the figures made of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

DAY: Final = 86400.0


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of one search. Times in days from the request; None where it did not happen."""

    number: int
    requester: str
    urgent: bool
    wishes: int
    first_yes: float | None = None
    chosen: float | None = None
    attached: float | None = None
    #: Wishes that the doctor of the attachment meets.
    met: int = 0
    #: Announcements and reminders mailed: a mail for three searches counts a third.
    mails: float = 0.0
    reminders: float = 0.0
    #: Doctors' telephones rung on behalf of this search: a call for three counts a third.
    calls: float = 0.0
    #: Times this search was put to a doctor by phone.
    told: int = 0
    runs: int = 1
    #: Doctors asked who miss a wish that binds (P4): none, but by hand.
    misfits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one doctor of the territory was put through."""

    doctor: str
    kind: str
    mails: int
    calls: int
    accepted: int


@dataclass(frozen=True, kw_only=True)
class Period:
    """One played period under one policy."""

    policy: str
    seed: int
    years: float
    outcomes: Sequence[Outcome]
    loads: Sequence[Load]
    not_announced: int
    events: int


#: Every figure: its name in French, its unit, and whether less is better.
FIGURES: Final[Mapping[str, tuple[str, str, bool]]] = {
    "first_yes_median": ("premier oui, médiane", "jours", True),
    "first_yes_p90": ("premier oui, 90ᵉ centile", "jours", True),
    "chosen_median": ("médecin choisi, médiane", "jours", True),
    "attached_median": ("rattachement, médiane", "jours", True),
    "attached_p90": ("rattachement, 90ᵉ centile", "jours", True),
    "attached_30": ("rattachées en 30 jours", "%", False),
    "attached_ever": ("rattachées", "%", False),
    "mails": ("mails par recherche", "", True),
    "reminders": ("dont relances", "", True),
    "calls": ("appels par recherche", "", True),
    "told": ("annonces dites au téléphone, par recherche", "", True),
    "mails_week": ("mails par membre et semaine", "", True),
    "calls_week": ("appels par médecin et semaine", "", True),
    "gini": ("Gini des patients accueillis", "", True),
    "all_met": ("tous les souhaits exaucés, des recherches qui en ont", "%", False),
    "wishes_met": ("souhaits exaucés, des rattachées", "%", False),
    "misfits": ("médecins sollicités contre un souhait indispensable, par recherche", "", True),
}


def figures(period: Period) -> dict[str, float]:
    """The figures of one period, by the names of ``FIGURES``. A time that never came is infinite."""
    outcomes, loads = period.outcomes, period.loads
    count = max(1, len(outcomes))
    weeks = 52.18 * period.years
    first = [_or_never(one.first_yes) for one in outcomes]
    attached = [_or_never(one.attached) for one in outcomes]
    wishing = [one for one in outcomes if one.wishes]
    wishing_attached = [one for one in wishing if one.attached is not None]
    members = [load for load in loads if load.mails]
    return {
        "first_yes_median": quantile(first, 0.5),
        "first_yes_p90": quantile(first, 0.9),
        "chosen_median": quantile([_or_never(one.chosen) for one in outcomes], 0.5),
        "attached_median": quantile(attached, 0.5),
        "attached_p90": quantile(attached, 0.9),
        "attached_30": 100 * sum(days <= 30 for days in attached) / count,
        "attached_ever": 100 * sum(days < math.inf for days in attached) / count,
        "mails": sum(one.mails for one in outcomes) / count,
        "reminders": sum(one.reminders for one in outcomes) / count,
        "calls": sum(one.calls for one in outcomes) / count,
        "told": sum(one.told for one in outcomes) / count,
        "mails_week": sum(load.mails for load in members) / max(1, len(members)) / weeks,
        "calls_week": sum(load.calls for load in loads) / max(1, len(loads)) / weeks,
        "gini": gini([load.accepted for load in loads]),
        "all_met": 100 * sum(one.met == one.wishes for one in wishing_attached) / max(1, len(wishing)),
        "wishes_met": 100
        * sum(one.met for one in wishing_attached)
        / max(1, sum(one.wishes for one in wishing_attached)),
        "misfits": sum(one.misfits for one in outcomes) / count,
    }


def _or_never(days: float | None) -> float:
    return math.inf if days is None else days


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of them do not exceed; infinite for none at all.

    Nothing is interpolated, so that searches that never got there weigh as what they are.
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf


def gini(values: Sequence[float]) -> float:
    """Gini's coefficient: 0 where all have the same, near 1 where one has everything; 0 of nothing."""
    ordered = sorted(values)
    total = sum(ordered)
    if not total:
        return 0.0
    weighted = sum(rank * value for rank, value in enumerate(ordered, start=1))
    return 2 * weighted / (len(ordered) * total) - (len(ordered) + 1) / len(ordered)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds with its 95 % interval (Student's t)."""

    mean: float
    low: float
    high: float


#: Student's t at 97.5 % by degrees of freedom; 1.96 beyond.
_T: Final = (
    12.706,
    4.303,
    3.182,
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
    2.201,
    2.179,
    2.160,
    2.145,
)


def interval(values: Sequence[float]) -> Interval:
    """The interval of a figure over seeds; of one seed, or where one is infinite, from least to most.

    No figure can be negative, so no interval is.
    """
    mean = sum(values) / len(values)
    if len(values) < 2 or not math.isfinite(mean):
        return Interval(mean, min(values), max(values))
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    degrees = len(values) - 1
    t = _T[degrees - 1] if degrees <= len(_T) else 1.96
    half = t * math.sqrt(variance / len(values))
    return Interval(mean, max(0.0, mean - half), mean + half)
