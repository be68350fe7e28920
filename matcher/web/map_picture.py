"""A small map without tiles: the announced place and the doctors around it. Pure geometry."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 480
HEIGHT: Final = 360
MARGIN: Final = 26
#: Kilometres in one degree of latitude.
DEGREE_KM: Final = 111.2
#: Lengths that the scale may show, in kilometres.
SCALES: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
#: The picture is never finer than this across: two practices in one street do not fill it.
LEAST_KM: Final = 1.0

#: What a doctor's state is drawn as; each group has its own shape, so that colour alone says nothing.
YES, WAITING, NO, UNASKED = "yes", "waiting", "no", "unasked"
_GROUPS: Final = {
    "yes": YES, "unconfirmed": YES, "once": YES, "chosen": YES,
    "no": NO, "paused": NO, "declined": NO, "gave_up": NO, "unreached": NO, "dropped": NO,
}  # fmt: skip


def group_of(state: str) -> str:
    """The group of a solicitation's state; whoever has not answered is waited for."""
    return _GROUPS.get(state, WAITING)


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Somewhere on the Earth, in WGS 84 degrees, and what is said of it."""

    lat: float
    lon: float
    group: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A spot in the units of the view box; ``d`` is its shape as an SVG path."""

    x: float
    y: float
    group: str
    text: str
    d: str


@dataclass(frozen=True, kw_only=True)
class Map:
    """Everything that the template draws."""

    width: int
    height: int
    #: Where the announced place is, None where nothing is announced yet.
    place: tuple[float, float] | None
    marks: tuple[Mark, ...]
    #: How long the scale's line is, and what it says.
    scale: float
    scale_text: str
    #: The groups that occur, with the shape of each, for the legend.
    legend: tuple[tuple[str, str], ...]


def shape(group: str, x: float, y: float) -> str:
    """The path of a group's sign around (x, y): diamond, disc, cross, ring."""
    if group == YES:
        return f"M{x:g} {y - 10:g}l10 10l-10 10l-10 -10z"
    if group == NO:
        return f"M{x - 5:g} {y - 5:g}l10 10m0 -10l-10 10"
    r = 6 if group == WAITING else 4
    return f"M{x - r:g} {y:g}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z"


def drawn(place: tuple[float, float] | None, spots: Sequence[Spot]) -> Map | None:
    """The map around ``place`` (latitude, longitude); None where there is nothing to show."""
    if not spots:
        return None
    known = [(s.lat, s.lon) for s in spots] + ([] if place is None else [place])
    middle_lat, middle_lon = _middle(lat for lat, _ in known), _middle(lon for _, lon in known)
    east = DEGREE_KM * math.cos(math.radians(middle_lat))

    def kilometres(lat: float, lon: float) -> tuple[float, float]:
        return (lon - middle_lon) * east, (middle_lat - lat) * DEGREE_KM

    flat = [kilometres(lat, lon) for lat, lon in known]
    across = max(LEAST_KM, *(2 * abs(x) for x, _ in flat))
    down = max(LEAST_KM * HEIGHT / WIDTH, *(2 * abs(y) for _, y in flat))
    unit = min((WIDTH - 2 * MARGIN) / across, (HEIGHT - 2 * MARGIN) / down)

    def at(lat: float, lon: float) -> tuple[float, float]:
        x, y = kilometres(lat, lon)
        return round(WIDTH / 2 + x * unit, 1), round(HEIGHT / 2 + y * unit, 1)

    # What matters most is drawn last, on top.
    order = (UNASKED, NO, WAITING, YES)
    marks = []
    for spot in sorted(spots, key=lambda s: order.index(s.group)):
        x, y = at(spot.lat, spot.lon)
        marks.append(Mark(x=x, y=y, group=spot.group, text=spot.text, d=shape(spot.group, x, y)))
    length = max((s for s in SCALES if s * unit <= WIDTH / 3), default=SCALES[0])
    there = {spot.group for spot in spots}
    return Map(
        width=WIDTH,
        height=HEIGHT,
        place=None if place is None else at(*place),
        marks=tuple(marks),
        scale=round(length * unit, 1),
        scale_text=f"{length * 1000:g} m" if length < 1 else f"{length:g} km",
        legend=tuple((group, shape(group, 12, 12)) for group in reversed(order) if group in there),
    )


def _middle(values: Iterable[float]) -> float:
    found = list(values)
    return (min(found) + max(found)) / 2
