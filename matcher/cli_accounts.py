"""The commands about who may come in: ``user``, ``key``, ``structure``, ``form``.

The operator has no records: here people and keys are added, replaced and closed, and nothing is opened.
"""

import sys
from collections.abc import Awaitable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, TypeVar

import typer

from matcher.cli_house import InHouse
from matcher.service import access, people
from matcher.service.actors import Role, operator
from matcher.service.errors import Invalid, NotFound
from matcher.service.house import House
from matcher.storage.people import User

_T = TypeVar("_T")


class Holder(StrEnum):
    """The roles that a person or a key may have."""

    COORDINATRICE = Role.COORDINATRICE
    COORDINATRICE_SOCIALE = Role.COORDINATRICE_SOCIALE
    SECRETAIRE = Role.SECRETAIRE
    DIRECTRICE = Role.DIRECTRICE
    REQUESTER = Role.REQUESTER


Territory = Annotated[str, typer.Option("--territory", help="L’identifiant du territoire.")]
Email = Annotated[str, typer.Argument(help="Son adresse.")]
KeyId = Annotated[str, typer.Argument(help="L’identifiant de la clé, tel que « key list » le donne.")]
FormId = Annotated[str, typer.Argument(help="L’identifiant du formulaire, tel que « form list » le donne.")]

user_app = typer.Typer(help="Les personnes qui se connectent.", no_args_is_help=True)
key_app = typer.Typer(help="Les clés de l’API.", no_args_is_help=True)
structure_app = typer.Typer(help="Les structures qui adressent.", no_args_is_help=True)
form_app = typer.Typer(help="Les formulaires que des structures partagent.", no_args_is_help=True)


def register(app: typer.Typer, in_house: InHouse) -> None:
    """Add the commands to ``app``."""
    for name, group in (
        ("user", user_app),
        ("key", key_app),
        ("structure", structure_app),
        ("form", form_app),
    ):
        app.add_typer(group, name=name)
    _users(in_house)
    _keys(in_house)
    _structures(in_house)
    _forms(in_house)


def _users(in_house: InHouse) -> None:
    @user_app.command("add")
    def add_user(
        email: Email,
        role: Annotated[Holder, typer.Option(help="Son rôle.")],
        territory: Territory,
        name: Annotated[str, typer.Option(help="Son nom, tel que ses collègues le lisent.")] = "",
        structure: Annotated[
            str | None, typer.Option(help="La structure d’une personne qui adresse.")
        ] = None,
    ) -> None:
        """Ajouter une personne ; imprime son lien d’inscription, à usage unique."""

        async def add(house: House) -> str:
            _known(house, territory)
            return await people.add_user(
                house, territory, email, Role(role.value), name=name, structure=structure
            )

        link = in_house(add)
        _say("Lien d’inscription, à usage unique, valable 7 jours :")
        _secret(link)

    @user_app.command("list")
    def list_users(territory: Territory) -> None:
        """Les personnes du territoire."""

        async def look(house: House) -> access.Doors:
            _known(house, territory)
            return await access.doors(house, operator(territory))

        doors = in_house(look)
        for one in doors.users:
            state = "fermé" if one.disabled else "" if one.password_hash else "pas encore inscrit"
            second = "second facteur" if one.id in doors.protected else ""
            typer.echo("\t".join((one.email, one.role, one.name, state, second)).rstrip())

    @user_app.command("disable")
    def disable_user(email: Email, territory: Territory) -> None:
        """Fermer un compte et ses sessions, à l’instant."""

        async def close(house: House) -> None:
            _known(house, territory)
            by = operator(territory)
            await access.disable_user(house, by, (await _user(house, territory, email)).id)

        in_house(close)
        _say("compte fermé")

    @user_app.command("reset-factors")
    def reset_factors(email: Email, territory: Territory) -> None:
        """Retirer le second facteur d’une personne qui a perdu son téléphone."""

        async def reset(house: House) -> None:
            _known(house, territory)
            by = operator(territory)
            await access.reset_factors(house, by, (await _user(house, territory, email)).id)

        in_house(reset)
        _say("second facteur retiré ; la personne en choisira un autre")


def _keys(in_house: InHouse) -> None:
    @key_app.command("add")
    def add_key(
        name: Annotated[str, typer.Argument(help="Le nom de la structure ou du logiciel.")],
        role: Annotated[Holder, typer.Option(help="Le rôle que la clé donne.")],
        territory: Territory,
        kind: Annotated[
            str | None, typer.Option(help="Ce qu’est la structure qui adresse : pass, ccas …")
        ] = None,
        scopes: Annotated[
            str | None, typer.Option(help="Ce que la clé permet, sinon tout : read,create,act.")
        ] = None,
        days: Annotated[int | None, typer.Option(min=1, help="Sa durée en jours ; sinon sans fin.")] = None,
    ) -> None:
        """Ajouter une clé de l’API ; imprimée une fois."""

        async def add(house: House) -> str:
            _known(house, territory)
            return await people.add_key(
                house,
                territory,
                name,
                Role(role.value),
                kind=kind,
                scopes=None if scopes is None else frozenset(one.strip() for one in scopes.split(",")),
                expires_at=None if days is None else house.now() + timedelta(days=days),
            )

        key = in_house(add)
        _say("Clé de l’API ; elle ne sera plus montrée :")
        _secret(key)

    @key_app.command("list")
    def list_keys(territory: Territory) -> None:
        """Les clés du territoire : identifiant, nom, rôle, portée, dernier usage, fin."""

        async def look(house: House) -> list[tuple[str, ...]]:
            _known(house, territory)
            keys = (await access.doors(house, operator(territory))).keys
            return [
                (
                    one.id,
                    one.name,
                    one.role,
                    ",".join(sorted(one.scopes or ())) or "tout",
                    "jamais" if one.used_at is None else f"{one.used_at:%Y-%m-%d}",
                    "sans fin" if one.expires_at is None else f"{one.expires_at:%Y-%m-%d}",
                    "" if one.opens(house.now()) else "fermée",
                )
                for one in keys
            ]

        for line in in_house(look):
            typer.echo("\t".join(line).rstrip())

    @key_app.command("rotate")
    def rotate_key(
        key: KeyId,
        territory: Territory,
        now: Annotated[bool, typer.Option("--now", help="L’ancienne ne vaut plus dès maintenant.")] = False,
    ) -> None:
        """Remplacer une clé ; l’ancienne vaut encore 7 jours. Imprime la nouvelle, une fois."""

        async def rotate(house: House) -> str:
            _known(house, territory)
            return await _there(access.rotate_key(house, operator(territory), key, at_once=now), "key")

        fresh = in_house(rotate)
        _say("Clé de l’API ; elle ne sera plus montrée :")
        _secret(fresh)

    @key_app.command("revoke")
    def revoke_key(key: KeyId, territory: Territory) -> None:
        """Fermer une clé, à l’instant."""

        async def revoke(house: House) -> None:
            _known(house, territory)
            await _there(access.revoke_key(house, operator(territory), key), "key")

        in_house(revoke)
        _say("clé fermée")


def _structures(in_house: InHouse) -> None:
    @structure_app.command("add")
    def add_structure(
        name: Annotated[str, typer.Argument(help="Son nom.")],
        kind: Annotated[str, typer.Option(help="Ce qu’elle est : pass, urgences, ccas …")],
        territory: Territory,
        email: Annotated[str | None, typer.Option(help="Où vont les nouvelles.")] = None,
        phone: Annotated[str | None, typer.Option(help="Son téléphone.")] = None,
    ) -> None:
        """Ajouter une structure, ou corriger celle qui a ce nom."""

        async def add(house: House) -> None:
            _known(house, territory)
            await access.put_structure(house, operator(territory), name, kind, email, phone)

        in_house(add)
        _say("structure enregistrée")


def _forms(in_house: InHouse) -> None:
    @form_app.command("add")
    def add_form(
        structure: Annotated[str, typer.Argument(help="Le nom de la structure.")], territory: Territory
    ) -> None:
        """Partager un formulaire ; dit son adresse, imprime son code une fois."""

        async def add(house: House) -> tuple[str, str]:
            _known(house, territory)
            doors = await access.doors(house, operator(territory))
            found = next((one.id for one in doors.structures if one.name == structure), "")
            return await _there(access.add_form(house, operator(territory), found), "structure")

        _shared(in_house(add))

    @form_app.command("list")
    def list_forms(territory: Territory) -> None:
        """Les formulaires partagés : identifiant, structure, fin du code."""

        async def look(house: House) -> list[tuple[str, ...]]:
            _known(house, territory)
            doors = await access.doors(house, operator(territory))
            names = {one.id: one.name for one in doors.structures}
            return [(one.id, names[one.structure], f"{one.expires_at:%Y-%m-%d}") for one in doors.forms]

        for line in in_house(look):
            typer.echo("\t".join(line))

    @form_app.command("rotate")
    def rotate_form(form: FormId, territory: Territory) -> None:
        """Un autre code : l’ancien et les sessions qu’il a ouvertes ne valent plus."""

        async def rotate(house: House) -> tuple[str, str]:
            _known(house, territory)
            return await _there(access.renew_form(house, operator(territory), form), "form")

        _shared(in_house(rotate))

    @form_app.command("revoke")
    def revoke_form(form: FormId, territory: Territory) -> None:
        """Fermer un formulaire, à l’instant."""

        async def revoke(house: House) -> None:
            _known(house, territory)
            await _there(access.revoke_form(house, operator(territory), form), "form")

        in_house(revoke)
        _say("formulaire fermé")


async def _user(house: House, territory: str, email: str) -> User:
    return await _there(access.user_by_address(house, operator(territory), email), "email")


async def _there(asked: Awaitable[_T], field: str) -> _T:
    try:
        return await asked
    except NotFound:
        raise Invalid({field: "rien de ce nom dans ce territoire"}) from None


def _shared(made: tuple[str, str]) -> None:
    _say(f"Formulaire : {made[0]}")
    _say("Code, valable 90 jours ; il ne sera plus montré :")
    _secret(made[1])


def _known(house: House, territory: str) -> None:
    if territory not in house.territories:
        raise Invalid({"territory": "ce territoire n’existe pas ; « trait-union init » le crée"})


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _secret(text: str) -> None:
    sys.stderr.flush()
    typer.echo(text)
