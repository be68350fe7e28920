"""``trait-union patient``: everything held on one person, handed over or erased. Both are journaled."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from matcher.cli_house import InHouse
from matcher.service import erasing, exporting
from matcher.service.actors import operator
from matcher.service.erasing import AskedBy
from matcher.service.errors import Invalid, NotFound
from matcher.service.house import House
from matcher.web import export_files


class Who(StrEnum):
    """Who asked."""

    PATIENT = "patient"
    REPRESENTATIVE = "representative"
    AUTHORITY = "authority"


_Reference = Annotated[str, typer.Argument(metavar="REF", help="La référence d’une recherche : VEN-26-0042.")]
_Who = Annotated[
    Who, typer.Option("--asked-by", help="Qui le demande : patient, representative ou authority.")
]
_Output = Annotated[Path, typer.Option("-o", "--output", help="Le fichier ZIP à écrire.", dir_okay=False)]
patient_app = typer.Typer(help="Ce qui est gardé d’une personne.", no_args_is_help=True)


def register(app: typer.Typer, in_house: InHouse) -> None:
    """Put ``patient`` under ``app``."""
    app.add_typer(patient_app, name="patient")

    @patient_app.command()
    def export(reference: _Reference, output: _Output, asked_by: _Who = Who.PATIENT) -> None:
        """Tout ce qui est gardé d’une personne, dans un fichier à lui remettre ; inscrit au journal."""

        async def made(house: House) -> bytes:
            territory, search = await _found(house, reference)
            found = await exporting.export(house, operator(territory), search, _asked(asked_by))
            _warn(found.same_person)
            return await export_files.archive(found, house.territory(territory), house.now())

        try:
            handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as problem:
            raise Invalid({"output": str(problem.strerror)}) from None
        try:
            content = in_house(made)
        except BaseException:
            os.close(handle)
            output.unlink()
            raise
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        _say(f"{output} : {len(content)} octets, lisibles de vous seul")

    @patient_app.command()
    def erase(reference: _Reference, asked_by: _Who = Who.PATIENT) -> None:
        """Effacer tout ce qui est gardé d’une personne ; ne se défait pas."""

        async def done(house: House) -> dict[str, list[str]]:
            territory, search = await _found(house, reference)
            return await erasing.erase(house, operator(territory), search, reference, _asked(asked_by))

        told = in_house(done)
        _say(f"effacé : {', '.join(told['erased'])} ; les lignes restantes partent avec les derniers mails")
        _say("restent le journal, sans nom, et des compteurs sans identité")
        _warn(told["same_person"])


async def _found(house: House, reference: str) -> tuple[str, str]:
    try:
        return await exporting.by_reference(house, reference)
    except NotFound:
        raise Invalid({"REF": "aucune recherche ne porte cette référence"}) from None


def _asked(who: Who) -> AskedBy:
    return AskedBy(f"asked_by_{who}")


def _warn(same_person: list[str]) -> None:
    if same_person:
        _say(f"semblent concerner la même personne, et restent à voir : {', '.join(same_person)}")


def _say(text: str) -> None:
    typer.echo(text, err=True)
