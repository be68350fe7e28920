"""The world of the tests of the API: a whole installation on a fresh database of each kind."""

import io
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest
import structlog

from config.logs import configure
from tests import postgres
from tests.acceptance import installed
from tests.acceptance.api_world import World, make_world
from tests.acceptance.house import House


@pytest.fixture(
    params=[pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.postgres)],
)
def world_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database for ``make_world``, on each of the two: on PostgreSQL installed already, once one was."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server = postgres.url(request.getfixturevalue("cluster"), "")
    with request.getfixturevalue("fresh_postgresql")(installed.template(server)) as url:
        yield url


@pytest.fixture
async def world(world_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """On SQLite and on PostgreSQL."""
    async with make_world(world_url, tmp_path) as made:
        yield made


@pytest.fixture
async def small_world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """On SQLite alone, where the database does not matter."""
    async with make_world(sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture
def house(world: World) -> House:
    """The world of whole searches, on SQLite and on PostgreSQL."""
    return House(**vars(world))


@pytest.fixture
def small_house(small_world: World) -> House:
    """The same on SQLite alone."""
    return House(**vars(small_world))


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile, at the most talkative level."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure("debug", stream)
    # The test's own server writes a line for each request; the service's does not (``app.serve``).
    access = logging.getLogger("aiohttp.access")
    access.disabled = True
    yield stream
    access.disabled = False
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture
def empty_url(
    world_url: str, fresh_postgresql: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> Iterator[str]:
    """An empty database of the same kind as the one of the test."""
    if world_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/again/base.sqlite3"
        return
    with fresh_postgresql() as url:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("DROP SCHEMA public CASCADE")
            admin.execute("CREATE SCHEMA public")
        yield url
