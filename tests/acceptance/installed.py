"""What two territories leave in an empty database, made once by each worker and copied for each test."""

import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from sqlalchemy.engine import make_url


@dataclass(frozen=True)
class _Made:
    """A database with its keys: a file, or the name of a template on the server."""

    database: str
    folder: Path
    #: The API key of each person.
    keys: dict[str, str]


#: Server or kind of file → what was made there.
_made: dict[str, _Made] = {}


async def into(url: str, keys: Path, install: Callable[[], Awaitable[dict[str, str]]]) -> dict[str, str]:
    """Bring the migrated database at ``url`` and the folder ``keys`` to where ``install`` leaves them; the
    API keys of everybody. A database made of ``template`` is there already.
    """
    parsed = make_url(url)
    here, name = _server_of(url), parsed.database
    assert name is not None
    known = _made.get(here)
    if known is None:
        given, folder = await install(), Path(tempfile.mkdtemp(prefix="tu-installed-"))
        _made[here] = _Made(_kept(url, name, folder), folder, given)
        shutil.copytree(keys, folder / "keys")
        return dict(given)
    if parsed.get_backend_name() == "sqlite":
        shutil.copyfile(known.database, name)
    elif not name.startswith(known.database):
        with _server(url) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {known.database}")
    shutil.copytree(known.folder / "keys", keys)
    return dict(known.keys)


def template(url: str) -> str | None:
    """The name of an installed database on the server of ``url``, to make others of; None: none was yet."""
    known = _made.get(_server_of(url))
    return known and known.database


def forget() -> None:
    """Remove what was kept on the disk; the server of the tests goes with its templates."""
    for one in _made.values():
        shutil.rmtree(one.folder, ignore_errors=True)
    _made.clear()


def _kept(url: str, name: str, folder: Path) -> str:
    """A copy of the database, for the tests to come."""
    if url.startswith("sqlite"):
        return str(shutil.copyfile(name, folder / "database.sqlite3"))
    kept = f"installed_{uuid4().hex}"
    with _server(url) as admin:
        admin.execute(f"CREATE DATABASE {kept} TEMPLATE {name}")
    return kept


def _server_of(url: str) -> str:
    return make_url(url).set(database="").render_as_string()


def _server(url: str) -> psycopg.Connection:
    address = make_url(url).set(drivername="postgresql", database="postgres")
    return psycopg.connect(address.render_as_string(hide_password=False), autocommit=True)
