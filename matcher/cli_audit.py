"""``announcements audit``: every announcement a territory can make, and what an intruder makes of it."""

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from matcher.cli_house import InHouse
from matcher.protocol.anonymity import Audit
from matcher.protocol.anonymity import audit as audit_ground
from matcher.service import anonymity
from matcher.simulation.made_territories import territory as made_territory


def register(app: typer.Typer, in_house: InHouse) -> None:
    """Add the command to the command line."""
    announcements = typer.Typer(help="Ce que les annonces laissent deviner.", no_args_is_help=True)
    app.add_typer(announcements, name="announcements")

    # Without a callback a Typer of one command takes that command's place.
    @announcements.callback()
    def group() -> None:
        return

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
