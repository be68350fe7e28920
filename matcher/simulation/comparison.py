"""Policies against each other: the same seeds, hence the same people on the same days, and ratios by seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from matcher.simulation.assumptions import RANGES, Assumptions
from matcher.simulation.course import START, play
from matcher.simulation.measures import Interval, Period, figures, interval
from matcher.simulation.policies import Policy
from matcher.simulation.terrain import Terrain

#: Told what is being played and the share done, from 0 to 1.
Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The figures of every policy, seed by seed; the first policy is what the others are measured against."""

    policies: Sequence[Policy]
    seeds: Sequence[int]
    #: policy → figure → one value per seed.
    values: Mapping[str, Mapping[str, Sequence[float]]]
    #: policy → days to the first yes and to the attachment, of every search of every seed; None: never.
    first_yes: Mapping[str, Sequence[float | None]]
    attached: Mapping[str, Sequence[float | None]]
    #: policy → accepted patients of every doctor of the territory, of every seed.
    accepted: Mapping[str, Sequence[int]]
    searches: int

    def figure(self, policy: str, name: str) -> Interval:
        """A figure with its interval over seeds."""
        return interval(self.values[policy][name])

    def ratio(self, policy: str, name: str) -> Interval:
        """The figure against the first policy's, seed by seed, with its interval. 1 where both are 0."""
        against = self.values[self.policies[0].name][name]
        pairs = zip(self.values[policy][name], against, strict=True)
        return interval([_over(mine, theirs) for mine, theirs in pairs])


@dataclass(frozen=True, kw_only=True)
class Leaning:
    """What becomes of the ratios of the first two policies when one assumption is at an end of its range."""

    assumption: str
    value: float
    ratios: Mapping[str, float]


def compare(
    terrain: Terrain,
    policies: Sequence[Policy],
    assumed: Assumptions,
    *,
    seeds: Sequence[int],
    years: float = 1.0,
    start: datetime = START,
    progress: Progress | None = None,
) -> Comparison:
    """Play every policy with every seed."""
    played: dict[str, list[Period]] = {policy.name: [] for policy in policies}
    for seed in seeds:
        for policy in policies:
            said = f"{policy.label}, graine {seed}"

            def tell(share: float, said: str = said) -> None:
                if progress is not None:
                    progress(said, share)

            played[policy.name].append(
                play(terrain, policy, assumed, seed=seed, years=years, start=start, progress=tell)
            )
    values = {name: _columns([figures(period) for period in periods]) for name, periods in played.items()}
    return Comparison(
        policies=policies,
        seeds=seeds,
        values=values,
        first_yes={n: [o.first_yes for p in periods for o in p.outcomes] for n, periods in played.items()},
        attached={n: [o.attached for p in periods for o in p.outcomes] for n, periods in played.items()},
        accepted={n: [load.accepted for p in periods for load in p.loads] for n, periods in played.items()},
        searches=sum(len(period.outcomes) for period in played[policies[0].name]),
    )


def sensitivity(
    terrain: Terrain,
    base: Policy,
    other: Policy,
    assumed: Assumptions,
    *,
    seeds: Sequence[int],
    years: float,
    names: Sequence[str] = ("mails", "calls", "first_yes_median", "chosen_median", "all_met", "gini"),
    progress: Progress | None = None,
) -> list[Leaning]:
    """Each assumption at both ends of its range, the others as they are; and first, nothing moved."""
    points: list[tuple[str, float, Assumptions]] = [("—", 0.0, assumed)]
    for name, range_ in RANGES.items():
        kind = type(getattr(assumed, name))
        points += [(name, end, replace(assumed, **{name: kind(end)})) for end in (range_.low, range_.high)]
    found = []
    for name, value, moved in points:
        made = compare(terrain, [base, other], moved, seeds=seeds, years=years, progress=progress)
        ratios = {figure: made.ratio(other.name, figure).mean for figure in names}
        found.append(Leaning(assumption=name, value=value, ratios=ratios))
    return found


def _columns(rows: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _over(mine: float, theirs: float) -> float:
    if theirs:
        return mine / theirs
    return 1.0 if not mine else float("inf")
