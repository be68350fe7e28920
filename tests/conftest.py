"""The databases of the tests: each test that asks for one gets a fresh one, migrated, on SQLite and on
PostgreSQL. One private cluster serves a whole run, whatever the number of workers; it is made when first
asked for and stopped by the process that was started first.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from config.database import make_engine, make_sessions
from matcher.storage import migrate
from tests import postgres
from tests.acceptance import installed

pytest_plugins = ["tests.plugins.only_this_host", "tests.plugins.light"]

#: Makes a database for as long as it is needed, of a template.
FreshPostgreSQL = Callable[..., AbstractContextManager[str]]
_FOLDER = "TU_TESTS_CLUSTER"
_FIRST = "TU_TESTS_FIRST_PROCESS"
_TEMPLATE = "template_trait_union"
#: A cluster that is thrown away may lose its data with its power.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
}


#: Should the run be killed: stops the server and removes the folder once the first process ($0) is gone.
_WATCH = """(
    while kill -0 "$0"; do sleep 1; done
    kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")" && sleep 1
    rm -rf "$1"
) </dev/null >/dev/null 2>&1 &"""


def pytest_configure(config: pytest.Config) -> None:
    """Choose the cluster's folder once: workers inherit it."""
    if not hasattr(config, "workerinput"):
        # A short path: the server's socket is in it, and those have 107 places.
        os.environ[_FOLDER] = tempfile.mkdtemp(prefix="tu-pg-")
        os.environ[_FIRST] = str(os.getpid())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the cluster, if any test asked for one, and remove it."""
    installed.forget()
    if not hasattr(config, "workerinput"):
        folder = Path(os.environ.pop(_FOLDER))
        if (folder / "data" / "postmaster.pid").exists():
            postgres.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One worker at a time."""
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _admin(folder: Path) -> psycopg.Connection:
    return psycopg.connect(postgres.url(folder, "postgres"), autocommit=True)


def _start(folder: Path) -> None:
    data = folder / "data"
    if (data / "postmaster.pid").exists():
        return
    postgres.make(folder, _SETTINGS)
    subprocess.run(["/bin/sh", "-c", _WATCH, os.environ[_FIRST], str(folder)], check=True)


@pytest.fixture(scope="session")
def cluster() -> Path:
    """The folder of a running private PostgreSQL, its socket in it; shared by all workers of the run."""
    folder = Path(os.environ[_FOLDER])
    with _alone(folder):
        try:
            _start(folder)
        except postgres.NoPostgreSQL as problem:
            pytest.fail(str(problem), pytrace=False)
    return folder


@pytest.fixture(scope="session")
async def postgresql_template(cluster: Path) -> str:
    """The name of a migrated database, of which each test gets a copy."""
    with _alone(cluster):
        with _admin(cluster) as admin:
            known = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_TEMPLATE]).fetchone()
            if known is None:
                admin.execute(f"CREATE DATABASE {_TEMPLATE}")
        if known is None:
            await _migrated(postgres.url(cluster, _TEMPLATE))
    return _TEMPLATE


@pytest.fixture(scope="session")
def fresh_postgresql(cluster: Path, postgresql_template: str) -> FreshPostgreSQL:
    """``with fresh_postgresql() as url``: a migrated database on PostgreSQL, gone afterwards. Where another
    template is given, the database's name begins with its.
    """

    @contextmanager
    def fresh(template: str | None = None) -> Iterator[str]:
        template = template or postgresql_template
        name = f"{template}_{uuid4().hex[:16]}"
        with _admin(cluster) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield postgres.url(cluster, name)
        with _admin(cluster) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    return fresh


@pytest.fixture
def postgresql_url(fresh_postgresql: FreshPostgreSQL) -> Iterator[str]:
    """A fresh migrated database on PostgreSQL."""
    with fresh_postgresql() as url:
        yield url


@pytest.fixture(scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, of which each test gets a copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    await _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh migrated database on SQLite."""
    path = tmp_path / "trait-union.sqlite3"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(
    params=[pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.postgres)],
)
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh migrated database, on each of the two."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a fresh migrated database."""
    made = make_engine(database_url)
    yield made
    await made.dispose()


@pytest.fixture
def sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions on a fresh migrated database."""
    return make_sessions(engine)


async def _migrated(url: str) -> None:
    engine = make_engine(url)
    await migrate.upgrade(engine)
    await engine.dispose()
