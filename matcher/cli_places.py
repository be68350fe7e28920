"""The commands about places: ``addresses import``, ``population import``, ``travel import`` and
``announcements audit``.
"""

import csv
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from matcher import directory
from matcher.protocol.anonymity import Audit
from matcher.protocol.anonymity import audit as audit_ground
from matcher.service import anonymity, importing
from matcher.service.house import House
from matcher.simulation.made_territories import territory as made_territory

_T = TypeVar("_T")
_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
_Territory = Annotated[str, typer.Option("--territory", help="L’identifiant du territoire.")]


class InHouse(Protocol):
    """Opens the installation, does one thing in it, closes it."""

    def __call__(self, work: Callable[[House], Awaitable[_T]], /) -> _T: ...


def register(app: typer.Typer, in_house: InHouse) -> None:
    """Add the commands to the command line."""
    addresses = typer.Typer(help="Les rues, hors ligne.", no_args_is_help=True)
    population = typer.Typer(help="Les habitants, par quartier et tranche d’âge.", no_args_is_help=True)
    announcements = typer.Typer(help="Ce que les annonces laissent deviner.", no_args_is_help=True)
    travel = typer.Typer(help="Les temps de trajet, à pied ou en voiture.", no_args_is_help=True)
    app.add_typer(addresses, name="addresses")
    app.add_typer(population, name="population")
    app.add_typer(announcements, name="announcements")
    app.add_typer(travel, name="travel")

    # Without a callback a Typer of one command takes that command's place.
    for each in (addresses, population, announcements, travel):
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

    @announcements.command("audit")
    def audit(
        territory: Annotated[
            str | None, typer.Option("--territory", help="L’identifiant du territoire, ou son dossier.")
        ] = None,
        table: Annotated[
            Path | None, typer.Option("--csv", help="Où écrire une ligne par annonce.", dir_okay=False)
        ] = None,
        made: Annotated[
            int, typer.Option(min=0, max=10_000, help="Éprouver aussi tant de territoires inventés.")
        ] = 0,
    ) -> None:
        """Engendrer chaque annonce possible et jouer l’intrus ; statut 1 si l’une est sous le seuil."""
        if territory is None and not made:
            raise typer.BadParameter("donnez --territory, --made, ou les deux")
        spoiled = False
        if territory is not None:
            found = _audited(territory, in_house)
            spoiled = bool(found.under_k)
            if table is not None:
                with table.open("w", encoding="utf-8", newline="") as file:
                    csv.writer(file, delimiter=";").writerows(anonymity.table(found))
            for line in anonymity.lines(found):
                typer.echo(line)
        if made:
            spoiled |= _audited_made(made)
        if spoiled:
            raise typer.Exit(1)


def _audited(territory: str, in_house: InHouse) -> Audit:
    if Path(territory).is_dir():
        return anonymity.audit_folder(Path(territory))
    return in_house(lambda house: anonymity.audit_territory(house, territory))


def _audited_made(count: int) -> bool:
    """Audit so many made-up territories and say what came of it; whether any announcement is under its K."""
    announcements = under = 0
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
        for seed in bars.track(range(count), description="territoires inventés"):
            ground, doctors = made_territory(seed)
            found = audit_ground(ground, doctors)
            announcements += len(found.announcements)
            under += len(found.under_k)
            for each in found.under_k:
                typer.echo(f"  territoire {seed}, {each.least} pour {found.k}")
    typer.echo(
        f"{count} territoires inventés, {announcements} annonces : {under} sous leur seuil, pour l’intrus"
        " le mieux renseigné"
    )
    return under > 0


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
