"""What a comparison says, as Markdown in French and as files beside it: figures and pictures."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from matcher.simulation import pictures
from matcher.simulation.comparison import Comparison, Leaning
from matcher.simulation.measures import FIGURES, Interval


def table(comparison: Comparison) -> str:
    """Every figure of every policy with its interval over seeds."""
    head = ["", *(policy.label for policy in comparison.policies)]
    rows = []
    for figure, (name, unit, _) in FIGURES.items():
        said = f"{name} ({unit})" if unit else name
        rows.append([said, *(_interval(comparison.figure(p.name, figure)) for p in comparison.policies)])
    return _markdown(head, rows)


def ratios(comparison: Comparison) -> str:
    """Every figure against the first policy's, seed by seed."""
    others = comparison.policies[1:]
    head = [f"rapport à « {comparison.policies[0].label} »", *(policy.label for policy in others)]
    rows = [
        [name, *(_interval(comparison.ratio(policy.name, figure)) for policy in others)]
        for figure, (name, _, _) in FIGURES.items()
        if figure != "misfits"
    ]
    return _markdown(head, rows)


def leaning_table(leanings: Sequence[Leaning]) -> str:
    """The ratios at both ends of every assumption's range."""
    figures = list(leanings[0].ratios)
    head = ["hypothèse", "valeur", *(FIGURES[figure][0] for figure in figures)]
    rows = [
        [
            one.assumption,
            "par défaut" if one.assumption == "—" else f"{one.value:g}".replace(".", ","),
            *(_number(one.ratios[figure]) for figure in figures),
        ]
        for one in leanings
    ]
    return _markdown(head, rows)


def write(folder: Path, comparison: Comparison, leanings: Sequence[Leaning], heading: str) -> list[Path]:
    """The report, a CSV of every value and a picture of each figure; returns the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {f"{figure}.svg": pictures.bars(comparison, figure) for figure in FIGURES}
    files["courbe-premier-oui.svg"] = pictures.curves(
        comparison, comparison.first_yes, "Recherches qui ont un premier oui", 21
    )
    files["courbe-rattachement.svg"] = pictures.curves(
        comparison, comparison.attached, "Recherches rattachées", 60
    )
    files["charge.svg"] = pictures.lorenz(comparison)
    parts = [f"# {heading}", table(comparison)]
    if len(comparison.policies) > 1:
        parts.append(ratios(comparison))
    if leanings:
        files |= {f"sensibilite-{f}.svg": pictures.tornado(leanings, f) for f in leanings[0].ratios}
        parts += ["## Sensibilité", leaning_table(leanings)]
    shown = [name for name in files if not name.startswith("sensibilite-")]
    parts.append("\n".join(f"![{name.removesuffix('.svg')}]({name})" for name in shown))
    files["rapport.md"] = "\n\n".join(parts) + "\n"
    files["chiffres.csv"] = _values(comparison)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in files]


def _values(comparison: Comparison) -> str:
    """One line per policy, figure and seed."""
    out = io.StringIO()
    lines = csv.writer(out, delimiter=";", lineterminator="\n")
    lines.writerow(["policy", "figure", "seed", "value"])
    for policy, columns in comparison.values.items():
        for figure, values in columns.items():
            lines.writerows(
                [policy, figure, seed, f"{value:.6g}"]
                for seed, value in zip(comparison.seeds, values, strict=True)
            )
    return out.getvalue()


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _interval(one: Interval) -> str:
    if not math.isfinite(one.mean):
        return "jamais"
    return f"{_number(one.mean)} [{_number(one.low)} – {_number(one.high)}]"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "∞"
    return (f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}").replace(".", ",")
