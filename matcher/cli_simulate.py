"""``trait-union simulate``: play the protocol over a made period, and say what came of it."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from config.checks import BadSetting
from matcher.simulation import report
from matcher.simulation.assumptions import Assumptions
from matcher.simulation.comparison import Comparison, Leaning, compare, sensitivity
from matcher.simulation.course import START
from matcher.simulation.nation import lines, play_nation
from matcher.simulation.policies import POLICIES, Policy
from matcher.simulation.terrain import Terrain, read_terrain


def simulate(
    territory: Annotated[Path, typer.Option(help="Le dossier d’un territoire, avec son territory.toml.")],
    years: Annotated[float, typer.Option(min=0.02, max=20, help="Années de demandes à jouer.")] = 1.0,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Nombre de graines, pour les intervalles.")] = 3,
    policy: Annotated[
        list[str] | None,
        typer.Option(help=f"À comparer, la première sert de référence : {', '.join(POLICIES)}."),
    ] = None,
    searches: Annotated[int, typer.Option(min=1, help="Demandes par an.")] = 800,
    lean: Annotated[
        bool, typer.Option("--sensitivity", help="Faire varier chaque hypothèse, une par une.")
    ] = False,
    nation: Annotated[
        int, typer.Option(min=0, help="Jouer plutôt tant de recherches à l’échelle du pays.")
    ] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Écrire là le rapport, les chiffres et les images.")
    ] = None,
) -> None:
    """Jouer une année inventée avec le vrai protocole, et comparer des manières de faire."""
    chosen = _policies(policy or ["by-hand", "default", "own"])
    try:
        terrain = read_terrain(territory, START)
    except ValueError as problem:
        raise BadSetting(str(territory), str(problem)) from None
    assumed = Assumptions(searches_per_year=searches)
    if nation:
        _nation(terrain, chosen[-1], assumed, nation)
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as shown:
        comparison, leanings = _played(shown, terrain, chosen, assumed, seeds, years, lean=lean)
    heading = f"{terrain.name} : {comparison.searches} recherches jouées par manière de faire"
    typer.echo(f"# {heading}\n\n{report.table(comparison)}")
    if len(chosen) > 1:
        typer.echo(f"\n{report.ratios(comparison)}")
    if leanings:
        typer.echo(f"\n## Sensibilité : {chosen[-1].label}\n\n{report.leaning_table(leanings)}")
    if out is not None:
        written = report.write(out, comparison, leanings, heading)
        typer.echo(f"{len(written)} fichiers écrits dans {out}", err=True)


def _nation(terrain: Terrain, policy: Policy, assumed: Assumptions, searches: int) -> None:
    """The country under one policy, with the calendars and rules of this territory."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=Console(stderr=True)
    ) as shown:
        task = shown.add_task(policy.label, total=1.0)
        made = play_nation(
            terrain.rules,
            policy,
            assumed,
            searches=searches,
            progress=lambda share: shown.update(task, completed=share),
        )
    for line in lines(made):
        typer.echo(line)


def _policies(names: list[str]) -> list[Policy]:
    unknown = [name for name in names if name not in POLICIES]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)} ; possibles : {', '.join(POLICIES)}")
    return [POLICIES[name] for name in dict.fromkeys(names)]


def _played(
    shown: Progress,
    terrain: Terrain,
    chosen: list[Policy],
    assumed: Assumptions,
    seeds: int,
    years: float,
    *,
    lean: bool,
) -> tuple[Comparison, list[Leaning]]:
    """Both runs behind one bar each."""
    follow = _Bar(shown, len(chosen) * seeds)
    comparison = compare(
        terrain, chosen, assumed, seeds=range(1, seeds + 1), years=years, progress=follow.tell
    )
    if not lean or len(chosen) < 2:
        return comparison, []
    follow = _Bar(shown, None)
    leanings = sensitivity(
        terrain,
        chosen[0],
        chosen[-1],
        assumed,
        seeds=range(1, seeds + 1),
        years=years,
        progress=follow.tell,
    )
    return comparison, leanings


class _Bar:
    """One bar over several runs."""

    def __init__(self, shown: Progress, runs: int | None) -> None:
        self._shown = shown
        self._task: Any = shown.add_task("…", total=runs)
        self._done = 0

    def tell(self, what: str, share: float) -> None:
        """One run says how far it is."""
        self._shown.update(self._task, description=what, completed=self._done + share)
        if share >= 1.0:
            self._done += 1


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(simulate)
