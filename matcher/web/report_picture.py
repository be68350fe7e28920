"""The report as one looks at it: months side by side, and a bar behind each count. Pure geometry."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any, Final

from matcher.web.report_files import Section

#: Of the drawing, in the units of its view box: a month's room at most and at least, what all have together
#: on a desk's screen, and the height of the highest column.
WIDE: Final = 60
NARROW: Final = 30
ALL: Final = 1100
HIGH: Final = 120
#: More months than this are no picture any more.
MOST: Final = 36
_SHORT: Final = (
    "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Month:
    """Two columns: what was handed in and who found a doctor. Places and sizes are in view box units."""

    #: The left edges of the two columns, and how wide each is.
    x: float
    second: float
    wide: float
    #: « nov. », or « N » where there is little room.
    name: str
    #: Where a year begins.
    year: str
    requests: int
    attached: int
    #: Heights, up to HIGH.
    asked: float
    found: float


@dataclass(frozen=True, kw_only=True)
class Line:
    """What is counted, its figure, and its share of the section's highest from 0 to 100; None is no count."""

    said: str
    value: str | float
    bar: int | None


def months(by_month: Sequence[Mapping[str, Any]]) -> list[Month]:
    """The report's months from left to right, from the first that has a figure; no picture of one month only,
    nor of too many.
    """
    told = list(dropwhile(lambda one: not (one["requests"] or one["attached"]), by_month))
    if not 1 < len(told) <= MOST:
        return []
    highest = max(max(one["requests"], one["attached"]) for one in told)
    room = max(NARROW, min(WIDE, ALL // len(told)))
    return [
        Month(
            x=(index + 0.12) * room,
            second=(index + 0.51) * room,
            wide=0.36 * room,
            name=_named(one["month"], short=room < WIDE),
            year=one["month"][:4] if index == 0 or one["month"].endswith("-01") else "",
            requests=one["requests"],
            attached=one["attached"],
            asked=round(HIGH * one["requests"] / highest, 1),
            found=round(HIGH * one["attached"] / highest, 1),
        )
        for index, one in enumerate(told)
    ]


def _named(month: str, *, short: bool) -> str:
    said = _SHORT[int(month[5:]) - 1]
    return said[0].upper() if short else said


def with_bars(sections: Iterable[Section]) -> list[tuple[str, list[Line]]]:
    """Each section, with bars where its lines count one thing: the acts and the delays have none."""
    return [(one.title, _lines(one.lines, counted=one.counted)) for one in sections]


def _lines(lines: Sequence[tuple[str, str | float]], *, counted: bool) -> list[Line]:
    highest = max((value for _, value in lines if not isinstance(value, str)), default=0)
    return [
        Line(
            said=said,
            value=value,
            bar=round(100 * value / highest) if counted and highest and not isinstance(value, str) else None,
        )
        for said, value in lines
    ]
