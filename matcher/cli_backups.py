"""The commands of a copy of the database: take one, begin again from one."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from config.database import make_engine
from config.settings import Settings
from matcher.cli_house import InHouse
from matcher.service import restoring
from matcher.service.errors import Invalid
from matcher.service.restoring import Restored
from matcher.service.vaulted import BadRegister
from matcher.storage import copies
from matcher.storage.copies import BadCopy, NotEmpty
from messaging.keyring import KeyRing, Mac

_File = Annotated[Path, typer.Argument(help="Le fichier de la sauvegarde.", dir_okay=False)]


def register(app: typer.Typer, in_house: InHouse, settings: Callable[[], Settings]) -> None:
    """Put ``backup`` and ``restore`` under ``app``."""

    @app.command()
    def backup(file: _File) -> None:
        """Copier toute la base, sans l’arrêter. Les clés n’y sont pas : sauvegardez-les à part."""
        try:
            in_house(lambda house: copies.save(house.engine, file))
        except FileExistsError:
            raise Invalid({"file": "ce fichier existe déjà"}) from None
        except OSError as problem:
            raise Invalid({"file": str(problem.strerror)}) from None
        _say(f"{file} : {file.stat().st_size} octets ; les clés se sauvegardent à part")

    @app.command()
    def restore(file: _File) -> None:
        """Remplir une base vide d’une sauvegarde ; tout reste arrêté jusqu’à ce que la CPTS reprenne."""
        if not file.is_file():
            raise Invalid({"file": "ce fichier n’existe pas"})
        given = settings()
        # Without them nothing could be opened, and mails that go again would be new ones.
        KeyRing(given.keys_dir).mac(Mac.MESSAGE_ID, 1)
        try:
            asyncio.run(_load(given, file))
            done = in_house(restoring.after)
        except BadCopy as problem:
            raise Invalid({"file": f"ce n’est pas une sauvegarde entière ({problem})"}) from None
        except NotEmpty:
            raise Invalid({"database": "la base n’est pas vide : rien n’est jamais écrasé"}) from None
        except BadRegister as problem:
            raise Invalid({"register": f"illisible ({problem}) : rien ne peut reprendre"}) from None
        _tell(done)


async def _load(settings: Settings, file: Path) -> None:
    engine = make_engine(settings.database_url)
    try:
        await copies.load(engine, file, datetime.now(UTC))
    finally:
        await engine.dispose()


def _tell(done: Restored) -> None:
    _say(f"territoires repris : {', '.join(done.territories)}")
    _say(f"accords retirés depuis la sauvegarde, rejoués : {done.withdrawn}")
    if done.erased:
        _say(f"recherches effacées depuis la sauvegarde, effacées de nouveau : {done.erased}")
    if done.keys_missing:
        _say(f"clés absentes, leurs fiches ne s’ouvrent plus : {', '.join(done.keys_missing)}")
    _say("tout est arrêté ; la coordination reprend sur la page Bureau")


def _say(text: str) -> None:
    typer.echo(text, err=True)
