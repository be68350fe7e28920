"""The commands of the vault's keys: a new month, sealing again, destroying, escrow, and the drill."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from config.settings import Settings
from matcher.cli_house import InHouse
from matcher.service import drill, keys
from matcher.service.errors import Invalid
from matcher.service.house import House
from matcher.storage.backups import NotABackup
from messaging import escrow
from messaging.escrow import BadEscrowKey, Escrow

_File = typer.Argument(help="Le fichier de la clé secrète (AGE-SECRET-KEY-1…) ; « - » : l’entrée standard.")


def register(app: typer.Typer, in_house: InHouse, settings: Callable[[], Settings]) -> None:
    """Put the commands under ``app``: ``keys …`` and ``drill``."""
    group = typer.Typer(help="Les clés du coffre, une par mois.", no_args_is_help=True)
    escrow_group = typer.Typer(
        help="Les copies des clés pour un désastre, qu’ouvre une clé gardée hors ligne.", no_args_is_help=True
    )
    app.add_typer(group, name="keys")
    group.add_typer(escrow_group, name="escrow")
    _life(group, in_house)
    _escrow(escrow_group, in_house)
    _drill(app, settings)


def _life(group: typer.Typer, in_house: InHouse) -> None:
    @group.command("new")
    def new() -> None:
        """Créer les clés du mois en cours ; nouvelles fiches et nouveaux brouillons leur sont scellés."""

        async def create(house: House) -> str:
            return house.keyring.create(house.now())

        _say(f"clé {in_house(create)} créée ; sauvegardez le dossier des clés")

    @group.command("rewrap")
    def rewrap() -> None:
        """Sceller de nouveau fiches et brouillons vivants aux clés du mois ; reprend où il s’était arrêté."""

        async def again(house: House) -> int:
            return await keys.rewrap(house, lambda done, total: _say(f"{done} sur {total} …"))

        _say(f"{in_house(again)} sections scellées de nouveau")

    @group.command("destroy")
    def destroy(
        month: Annotated[str, typer.Argument(help="AAAA-MM (tout le mois, sauf ce qui sert), AAAA-MM-N.")],
    ) -> None:
        """Détruire les clés d’un mois : fiches et brouillons illisibles dans toutes ses sauvegardes."""
        for name in in_house(lambda house: keys.destroy(house, month)):
            _say(
                f"clé {name} détruite, avec sa copie de secours ; détruisez aussi les copies faites ailleurs"
            )

    @group.command("publish")
    def publish(
        folder: Annotated[Path, typer.Argument(help="Le dossier de clés de « serve --role intake ».")],
    ) -> None:
        """Copier ailleurs ce qu’il faut pour recevoir des demandes, et rien qui ouvre une fiche."""

        async def copy(house: House) -> list[str]:
            return house.keyring.publish(folder, house.now())

        for path in in_house(copy):
            _say(path)


def _escrow(group: typer.Typer, in_house: InHouse) -> None:
    def use(recipient: str) -> None:
        async def copy(house: House) -> list[str]:
            house.escrow.use(recipient)
            return house.keyring.copy_all()

        done = in_house(copy)
        _say(f"{len(done)} clés copiées pour {recipient} ; gardez ces copies avec les sauvegardes")

    @group.command("new")
    def new() -> None:
        """Créer la clé hors ligne et copier pour elle chaque clé ; imprime son secret, une seule fois."""
        secret, recipient = escrow.new_identity()
        use(recipient)
        _say("Le secret : imprimez-le ou gardez-le au coffre, jamais sur cette machine.")
        sys.stderr.flush()
        typer.echo(secret)

    @group.command("use")
    def given(
        recipient: Annotated[str, typer.Argument(help="age1…, d’une clé faite ailleurs (age-keygen).")],
    ) -> None:
        """Copier chaque clé pour une clé hors ligne faite ailleurs ; les copies d’une autre disparaissent."""
        with _explained("recipient"):
            use(recipient)

    @group.command("recover")
    def recover(identity: Annotated[str, _File]) -> None:
        """Remettre les clés perdues à partir de leurs copies."""
        text = _read(identity)
        with _explained("escrow"):
            back = in_house(lambda house: keys.recover(house, text), schema=False)
        _say(f"{len(back)} clés remises : {', '.join(back) or 'aucune ne manquait'}")


def _drill(app: typer.Typer, settings: Callable[[], Settings]) -> None:
    @app.command("drill")
    def exercise(
        backup: Annotated[Path, typer.Option(help="La sauvegarde : fichier SQLite, ou dump de pg_dump.")],
        identity: Annotated[str, typer.Option("--escrow", help=_File.help)],
        copies: Annotated[
            Path | None,
            typer.Option(help="Le dossier des copies de clés, sinon celui des réglages."),
        ] = None,
    ) -> None:
        """L’exercice : cette sauvegarde s’ouvre-t-elle avec la clé hors ligne ? N’écrit ni ne montre rien."""
        text = _read(identity)
        with _explained("escrow"):
            kept = Escrow(copies or settings().escrow_dir)
            found, lacking = drill.drill(backup, kept, text), drill.lacking(kept, text)
        for key, tried in found.items():
            said = f"{tried.opened} ouvertes sur {tried.opened + tried.refused} essayées"
            said = "aucune copie de cette clé ne s’ouvre" if tried.key_missing else said
            _say(f"{key} : {tried.sections} sections, {said}")
        if not all(tried.good for tried in found.values()):
            raise Invalid({"backup": "cette sauvegarde ne s’ouvre pas tout entière"})
        if lacking:
            raise Invalid({"copies": f"sans copie qui s’ouvre : {', '.join(lacking)} (keys escrow use)"})
        _say("la sauvegarde s’ouvre, et les clés des liens, des codes et du journal sont là")


class _explained:  # noqa: N801 - read as a word of the sentence
    """Turn what is wrong with a file or a key into one line that names the argument."""

    def __init__(self, argument: str) -> None:
        self._argument = argument

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, BadEscrowKey):
            raise Invalid({self._argument: f"ce n’est pas une clé age ({problem})"}) from None
        if isinstance(problem, NotABackup):
            raise Invalid({"backup": f"ce n’est pas une sauvegarde lisible ({problem})"}) from None


def _read(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise Invalid({"escrow": str(problem)}) from None


def _say(text: str) -> None:
    typer.echo(text, err=True)
