"""``trait-union patient``: everything held on one person, erased and journaled.

Somebody at a terminal is asked to type the reference again; a script has it in its command. Handing it over
opens the record, which an operator never does: that is the office’s, /recherches/{id}/droits.
"""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from matcher.cli_house import InHouse
from matcher.service import erasing, exporting
from matcher.service.actors import operator
from matcher.service.erasing import AskedBy
from matcher.service.errors import Invalid, NotFound
from matcher.service.house import House


class Who(StrEnum):
    """Who asked."""

    PATIENT = "patient"
    REPRESENTATIVE = "representative"
    AUTHORITY = "authority"


_Reference = Annotated[str, typer.Argument(metavar="REF", help="La référence d’une recherche : VEN-26-0042.")]
_Who = Annotated[
    Who, typer.Option("--asked-by", help="Qui le demande : patient, representative ou authority.")
]
patient_app = typer.Typer(help="Ce qui est gardé d’une personne.", no_args_is_help=True)


def register(app: typer.Typer, in_house: InHouse) -> None:
    """Put ``patient`` under ``app``."""
    app.add_typer(patient_app, name="patient")

    @patient_app.command()
    def erase(reference: _Reference, asked_by: _Who = Who.PATIENT) -> None:
        """Effacer tout ce qui est gardé d’une personne ; ne se défait pas."""
        _confirm(reference)

        async def done(house: House) -> dict[str, list[str]] | None:
            territory, search = await _found(house, reference)
            if erasing.is_erased(house, territory, search):
                await erasing.finish(house, territory)
                return None
            return await erasing.erase(house, operator(territory), search, reference, _asked(asked_by))

        told = in_house(done)
        if told is None:
            _say("déjà effacé : plus rien ne s’en lit ; les lignes restantes partent avec les derniers mails")
            return
        _say(f"effacé : {', '.join(told['erased'])} ; les lignes restantes partent avec les derniers mails")
        _say("restent le journal, sans nom, et des compteurs sans identité")
        _warn(told["same_person"])


def _confirm(reference: str) -> None:
    if sys.stdin.isatty():
        typed = typer.prompt("Ne se défait pas. Recopiez la référence pour confirmer", default="", err=True)
        if typed.strip().upper() != reference.strip().upper():
            raise Invalid({"REF": "non confirmée : rien n’a été effacé"})


async def _found(house: House, reference: str) -> tuple[str, str]:
    try:
        return await exporting.by_reference(house, reference)
    except NotFound:
        raise Invalid(
            {"REF": "aucune recherche ne porte cette référence : rien n’est gardé sous elle"}
        ) from None


def _asked(who: Who) -> AskedBy:
    return AskedBy(f"asked_by_{who}")


def _warn(same_person: list[str]) -> None:
    if same_person:
        _say(f"semblent concerner la même personne, et restent à voir : {', '.join(same_person)}")


def _say(text: str) -> None:
    typer.echo(text, err=True)
