"""How long one travels to a practice: minutes of a table where the territory gives one, else an estimate.

A table's minutes are from the announced place, like every distance (P3).
"""

from dataclasses import dataclass

from matcher.protocol.wishes import REACH_KM

#: ``REACH_KM`` is how far one gets in so many minutes.
REACH_MINUTES = 20
#: What « moins de 500 m » stands for beside minutes.
_CLOSE_KM = 0.25


@dataclass(frozen=True, kw_only=True)
class Travel:
    """Minutes from the announced place to one practice; None where the table does not say."""

    walk: int | None = None
    drive: int | None = None


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How far one practice is: rounded kilometres, and the minutes of a table where there are some."""

    km: float | None = None
    minutes: int | None = None
    #: ``walk`` or ``car``: what the minutes are of.
    means: str | None = None


def told(travel: Travel | None, means: str) -> int | None:
    """The table's minutes by these means (``walk``, ``transit``, ``car``); no table knows transit."""
    if travel is None:
        return None
    return {"walk": travel.walk, "car": travel.drive}.get(means)


def best(travel: Travel | None, wished: str | None) -> tuple[int | None, str | None]:
    """Minutes and means worth saying: by the means wished; without a wish on foot, else by car."""
    for means in (wished,) if wished is not None else ("walk", "car"):
        if (minutes := told(travel, means)) is not None:
            return minutes, means
    return None, None


def nearness(reach: Reach, wished: str | None) -> float | None:
    """Minutes for ordering: the table's, else the straight line at the pace of the same means.

    None where neither is known. One scale for both, so that a doctor missing in the table keeps a place.
    """
    if reach.minutes is not None and reach.means is not None:
        return _at_walking_pace(reach.minutes, reach.means, wished)
    if reach.km is None:
        return None
    return max(reach.km, _CLOSE_KM) * REACH_MINUTES / REACH_KM[wished or "walk"]


def _at_walking_pace(minutes: int, means: str, wished: str | None) -> float:
    """Minutes by car count as the walk of the same distance where nobody said how one travels."""
    if wished is None and means == "car":
        return minutes * REACH_KM["car"] / REACH_KM["walk"]
    return float(minutes)
