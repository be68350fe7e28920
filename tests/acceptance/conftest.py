"""The world of the tests of the API: a whole installation on a fresh database of each kind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.api_world import World, make_world
from tests.acceptance.house import House


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """On SQLite and on PostgreSQL."""
    async with make_world(database_url, tmp_path) as made:
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
