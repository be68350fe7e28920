"""The command line: ``trait-union …``, the same as ``python -m matcher …``.

A command parses, calls one use case and says what came of it, in French, on standard error. A secret is
printed alone, on the last line of standard output. Exit status: 0 done, 1 refused, 2 a bad setting or use.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from sqlalchemy.exc import OperationalError

from config.logs import configure
from config.settings import BadSetting, Settings, load_settings
from matcher import app as building
from matcher import (
    cli_accounts,
    cli_audit,
    cli_backups,
    cli_keys,
    cli_patient,
    cli_places,
    cli_report,
    cli_simulate,
    directory,
    process,
)
from matcher.demo.rehearsal import rehearse
from matcher.service import audit, installation, retention
from matcher.service.errors import Conflict, Invalid
from matcher.service.house import House, Part
from matcher.storage import migrate
from messaging.keyring import KeyAbsent

_T = TypeVar("_T")


app = typer.Typer(
    name="trait-union",
    help="Trouver un médecin traitant : le service et ce qui l’entoure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
doctors_app = typer.Typer(help="L’annuaire des médecins.", no_args_is_help=True)
journal_app = typer.Typer(help="Le journal chaîné.", no_args_is_help=True)
app.add_typer(doctors_app, name="doctors")
app.add_typer(journal_app, name="journal")
cli_simulate.register(app)

Territory = Annotated[str, typer.Option("--territory", help="L’identifiant du territoire.")]
Host = Annotated[str, typer.Option(help="L’adresse d’écoute.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Le port d’écoute.")]


def main() -> None:
    """Run one command; refusals become one line on standard error and an exit status."""
    process.prepare()
    try:
        app()
    except BadSetting as problem:
        _refuse(str(problem), status=2)
    except Invalid as refused:
        _refuse(" ; ".join(f"{name} : {why}" for name, why in refused.fields.items()))
    except Conflict as refused:
        _refuse(refused.reason)
    except directory.NotUtf8 as refused:
        _refuse(str(refused))
    except KeyAbsent as absent:
        _refuse(f"aucune clé de ce nom : {absent}")
    except OperationalError as away:
        # The driver names the server and what happened, never the password.
        said = str(away.orig).partition("\n")[0]
        _refuse(f"TRAIT_UNION_DATABASE_URL : la base de données ne répond pas ({said})")


@app.command()
def init(
    territory: Annotated[Path, typer.Option(help="Le dossier d’un territoire, avec son territory.toml.")],
) -> None:
    """Le schéma, les clés, un territoire et ses fichiers ; peut être répété."""

    async def make(house: House) -> installation.Report:
        await migrate.upgrade(house.engine)
        return await installation.init(house, territory)

    _report(_in_house(make, schema=False))


@app.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    role: Annotated[
        Part, typer.Option(help="all ; ou séparés : intake reçoit les demandes, release fait le reste.")
    ] = Part.ALL,
) -> None:
    """Les pages, l’API, les échéances et les mails."""
    asyncio.run(building.run_serve(_settings(), host, port, role))


@app.command()
def worker() -> None:
    """Les échéances et les mails seuls, à côté de « serve » ; PostgreSQL seulement."""
    asyncio.run(building.run_worker(_settings()))


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="S’arrêter après le récit.")] = False,
    port: Port = 8080,
) -> None:
    """Une recherche entière, racontée pas à pas, puis un service à visiter."""
    raise typer.Exit(asyncio.run(rehearse(once=once, port=port)))


@doctors_app.command("import")
def import_doctors(
    file: Annotated[
        Path,
        typer.Argument(
            help="Notre CSV (UTF-8, « ; »), ou PS_LibreAcces_Personne_activite de l’Annuaire Santé.",
            dir_okay=False,
            exists=True,
        ),
    ],
    territory: Territory,
    mssante: Annotated[
        Path | None,
        typer.Option(help="Extraction_Correspondance_MSSante de l’Annuaire.", dir_okay=False, exists=True),
    ] = None,
) -> None:
    """Ajouter les médecins d’un fichier ou les mettre à jour ; dit par ligne ce qui est écarté."""
    _report(_in_house(lambda house: installation.import_doctors(house, territory, file, mssante)))


@journal_app.command("verify")
def verify() -> None:
    """Parcourir la chaîne ; statut 1 et la première entrée fautive si elle ne tient pas."""
    broken = _in_house(audit.verify_journal)
    if broken is not None:
        _refuse(f"le journal de {broken.territory} ne tient pas à l’entrée {broken.seq} : {broken.why}")
    _say("le journal tient")


@app.command()
def purge() -> None:
    """Oublier ce qu’aucune durée de conservation ne couvre plus."""
    gone = _in_house(retention.purge)
    _say(
        f"oubliés : {gone['searches']} recherches, {gone['answers']} réponses de médecins, {gone['lists']} "
        f"listes, {gone['mails']} mails, {gone['journal_months']} mois de journal"
    )


def _settings() -> Settings:
    settings = load_settings()
    configure(settings.log_level)
    return settings


def _in_house(work: Callable[[House], Awaitable[_T]], *, schema: bool = True) -> _T:
    """Open the installation, do one thing in it, close it. BadSetting where it lacks its ``schema``."""

    async def inside() -> _T:
        async with building.open_house(_settings()) as house:
            if schema and not await migrate.is_current(house.engine):
                raise BadSetting(
                    "TRAIT_UNION_DATABASE_URL", "no schema, or an older one: run trait-union init"
                )
            return await work(house)

    return asyncio.run(inside())


cli_accounts.register(app, _in_house)
cli_keys.register(app, _in_house, _settings)
cli_backups.register(app, _in_house, _settings)
cli_places.register(app, _in_house)
cli_audit.register(app, _in_house)
cli_report.register(app, _in_house)
cli_patient.register(app, _in_house)


def _report(report: installation.Report) -> None:
    for file, count in report.taken.items():
        _say(f"{file} : {count} lignes reprises")
    for file, problem in report.problems:
        _say(f"{file}, {problem}")


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _refuse(text: str, *, status: int = 1) -> NoReturn:
    _say(f"trait-union: {text}")
    sys.exit(status)
