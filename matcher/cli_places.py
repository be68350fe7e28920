"""The commands about places: ``addresses import``, ``population import``, ``travel import``."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from matcher import directory
from matcher.cli_house import InHouse
from matcher.service import importing
from matcher.service.house import House

_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
_Territory = Annotated[str, typer.Option("--territory", help="L’identifiant du territoire.")]


def register(app: typer.Typer, in_house: InHouse) -> None:
    """Add the commands to the command line."""
    addresses = typer.Typer(help="Les rues, hors ligne.", no_args_is_help=True)
    population = typer.Typer(help="Les habitants, par quartier et tranche d’âge.", no_args_is_help=True)
    travel = typer.Typer(help="Les temps de trajet, à pied ou en voiture.", no_args_is_help=True)
    app.add_typer(addresses, name="addresses")
    app.add_typer(population, name="population")
    app.add_typer(travel, name="travel")

    # Without a callback a Typer of one command takes that command's place.
    for each in (addresses, population, travel):
        each.callback()(_nothing)

    @addresses.command("import")
    def import_addresses(
        files: Annotated[
            list[Path],
            typer.Argument(help="CSV de la Base Adresse Nationale, ou .gz.", exists=True, dir_okay=False),
        ],
        territory: _Territory,
    ) -> None:
        """Remplacer les rues connues d’un territoire par celles de ces fichiers."""
        streets, skipped = in_house(lambda house: _import(house, territory, files))
        for file, left in skipped.items():
            for line in left.first:
                _say(f"{Path(file).name}, {line}")
            if left.rows:
                _say(f"{Path(file).name} : {left.rows} lignes non reprises")
        _say(f"{streets} rues reprises ; le service les trouve dès maintenant")

    @population.command("import")
    def import_population(
        file: _File,
        territory: _Territory,
        iris: Annotated[
            Path | None,
            typer.Option(help="CSV « iris;quartier » ; sinon iris.csv du territoire.", exists=True),
        ] = None,
    ) -> None:
        """Remplacer les habitants d’un territoire : notre CSV, ou base-ic-evol-struct-pop de l’INSEE."""
        report, total = in_house(lambda house: importing.import_population(house, territory, file, iris))
        for name, problem in report.problems:
            _say(f"{name}, {problem}" if problem.line else f"{name} : {problem.message}")
        for name, count in report.taken.items():
            _say(f"{name} : {count} lignes reprises")
        _say(f"{total:,.0f} habitants ; redémarrez le service pour qu’il compte avec eux".replace(",", " "))

    @travel.command("import")
    def import_travel(file: _File, territory: _Territory) -> None:
        """Remplacer les temps de trajet d’un territoire : « place;rpps;walk;drive », en minutes."""
        text = directory.decode(file.read_bytes())
        report = in_house(lambda house: importing.import_travel(house, territory, text))
        for name, problem in report.problems:
            _say(f"{name}, {problem}")
        _say(f"{report.taken['travel.csv']} trajets repris")


async def _import(house: House, territory: str, files: list[Path]) -> importing.ImportedStreets:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bars:
        tasks = {file: bars.add_task(file.name, total=file.stat().st_size) for file in files}
        return importing.import_addresses(
            house,
            territory,
            files,
            lambda file, done: bars.update(tasks[file], completed=done),
            bars.console.print,
        )


def _nothing() -> None:
    return


def _say(text: str) -> None:
    typer.echo(text, err=True)
