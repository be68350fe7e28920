"""Pictures of a comparison as SVG: made by hand, no script, no font, nothing fetched from anywhere."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from matcher.simulation.comparison import Comparison, Leaning
from matcher.simulation.measures import FIGURES

_WIDTH, _LEFT, _RIGHT, _LINE = 720.0, 230.0, 90.0, 30.0
#: Told apart in grey too, and by the colour-blind (Okabe and Ito's palette).
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def bars(comparison: Comparison, figure: str) -> str:
    """One figure of every policy, with its interval over seeds as a whisker."""
    name, unit, _ = FIGURES[figure]
    rows = [(policy.label, comparison.figure(policy.name, figure)) for policy in comparison.policies]
    finite = [interval.high for _, interval in rows if math.isfinite(interval.high)]
    most = max([*finite, 0.0]) or 1.0
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    parts = []
    for index, (label, interval) in enumerate(rows):
        y = 50 + index * _LINE
        parts.append(_text(_LEFT - 8, y + 14, label, anchor="end"))
        if not math.isfinite(interval.mean):
            parts.append(_text(_LEFT + 4, y + 14, "jamais"))
            continue
        parts.append(_bar(_LEFT, y, max(0.0, interval.mean) * scale, _colour(index)))
        low, high = (_LEFT + max(0.0, end) * scale for end in (interval.low, interval.high))
        parts.append(_line(low, y + 9, high, y + 9, "#333"))
        parts.append(_text(max(high, _LEFT + 4) + 6, y + 14, _said(interval.mean)))
    title = f"{name} ({unit})" if unit else name
    return _svg(title, 60 + len(rows) * _LINE, parts)


def curves(comparison: Comparison, of: Mapping[str, Sequence[float | None]], title: str, days: int) -> str:
    """The share of searches that got there, day after day, for every policy."""
    series = []
    for policy in comparison.policies:
        reached = sorted(value for value in of[policy.name] if value is not None)
        everybody = max(1, len(of[policy.name]))
        points = [(0.0, 0.0)]
        points += [(value, (rank + 1) / everybody) for rank, value in enumerate(reached) if value <= days]
        points.append((float(days), points[-1][1]))
        series.append((policy.label, _thinned(points)))
    return _plot(title, series, ("0", f"{days} jours"), float(days))


def lorenz(comparison: Comparison) -> str:
    """Who takes the patients: the share of patients that the least loaded doctors accepted."""
    series = []
    for policy in comparison.policies:
        loads = sorted(comparison.accepted[policy.name])
        total, running = max(1, sum(loads)), 0
        points = [(0.0, 0.0)]
        for rank, load in enumerate(loads, start=1):
            running += load
            points.append((rank / len(loads), running / total))
        series.append((policy.label, _thinned(points)))
    series.append(("parts égales", [(0.0, 0.0), (1.0, 1.0)]))
    return _plot("Patients accueillis : part des médecins les moins chargés", series, ("0", "tous"), 1.0)


def tornado(leanings: Sequence[Leaning], figure: str) -> str:
    """How far the ratio of a figure moves when one assumption goes to either end of its range."""
    base = leanings[0].ratios[figure]
    names = list(dict.fromkeys(one.assumption for one in leanings[1:]))
    ends = {name: [one for one in leanings if one.assumption == name] for name in names}
    values = [one.ratios[figure] for one in leanings if math.isfinite(one.ratios[figure])]
    least, most = min([*values, 1.0]), max([*values, 1.0])
    scale = (_WIDTH - _LEFT - _RIGHT) / ((most - least) or 1.0)

    def x(value: float) -> float:
        return _LEFT + (min(value, most) - least) * scale

    parts = []
    for index, name in enumerate(names):
        y = 50 + index * _LINE
        parts.append(_text(_LEFT - 8, y + 14, name, anchor="end"))
        for side, one in enumerate(ends[name]):
            start, end = sorted((x(base), x(one.ratios[figure])))
            parts.append(_bar(start, y, max(1.0, end - start), _colour(side)))
        span = " / ".join(f"{one.value:g} → {_said(one.ratios[figure])}" for one in ends[name])
        parts.append(_title_of(y, span))
    bottom = 50 + len(names) * _LINE
    parts.append(_line(x(1.0), 44, x(1.0), bottom, "#333", dashed=True))
    parts.append(_text(x(1.0), bottom + 14, "1", anchor="middle"))
    name = FIGURES[figure][0]
    return _svg(f"{name} : rapport au point de comparaison, hypothèse par hypothèse", bottom + 24, parts)


def _plot(
    title: str,
    series: Sequence[tuple[str, Sequence[tuple[float, float]]]],
    ends: tuple[str, str],
    width: float,
) -> str:
    left, top, wide, high = 50.0, 44.0, _WIDTH - 280, 300.0
    parts = [
        _line(left, top + high, left + wide, top + high, "#333"),
        _line(left, top, left, top + high, "#333"),
        _text(left - 6, top + 8, "100 %", anchor="end"),
        _text(left - 6, top + high, "0", anchor="end"),
        _text(left, top + high + 18, ends[0], anchor="middle"),
        _text(left + wide, top + high + 18, ends[1], anchor="middle"),
    ]
    for index, (label, points) in enumerate(series):
        path = " ".join(f"{left + x / width * wide:.1f},{top + (1 - y) * high:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{_colour(index)}" stroke-width="2"/>')
        y = top + 16 + index * 22
        parts.append(_bar(left + wide + 16, y - 10, 14, _colour(index), high=12))
        parts.append(_text(left + wide + 36, y, label))
    return _svg(title, top + high + 34, parts)


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most some 300 points, the last one kept."""
    step = max(1, len(points) // 300)
    return [*points[::step], points[-1]]


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {height:g}" role="img"'
        f' font-family="sans-serif" font-size="13"><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="12" y="24" font-size="16" font-weight="bold">{escape(title)}</text>'
        f"{''.join(parts)}</svg>\n"
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _title_of(y: float, text: str) -> str:
    return (
        f'<rect x="0" y="{y:.1f}" width="{_WIDTH:g}" height="18" fill="none">'
        f"<title>{escape(text)}</title></rect>"
    )


def _bar(x: float, y: float, wide: float, colour: str, high: float = 18) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:g}" fill="{colour}"/>'


def _line(x: float, y: float, to_x: float, to_y: float, colour: str, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"{dash}/>'


def _colour(index: int) -> str:
    return _COLOURS[index % len(_COLOURS)]


def _said(value: float) -> str:
    return f"{value:.2f}".replace(".", ",") if abs(value) < 10 else f"{value:.1f}".replace(".", ",")
