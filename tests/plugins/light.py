"""What a test pays for without being about it, made cheap. Loaded by ``tests/conftest.py``.

- A database that is thrown away may lose its data with its power: SQLite does not wait for the disk.
- A password’s hash costs little; ``as_installed`` gives a test of passwords, or of SQLite’s settings, those
  of the product.
- Each test has an engine of its own, and all of them compile the same statements: they share what came out.
- What the modules hold lives as long as the run: the garbage collector does not look through it each time.

``make bench`` measures what is installed, and gets none of this.
"""

import gc

import pytest
from argon2 import PasswordHasher
from sqlalchemy import event, util
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import Connection, Engine

from config import database
from matcher.service import passwords

_PRAGMAS, _HASHER = database._PRAGMAS, passwords._hasher
#: Statement, and the kind of database → its SQL.
_compiled: util.LRUCache[object, object] = util.LRUCache(4_000)
_changed = pytest.MonkeyPatch()


def _is_bench(config: pytest.Config) -> bool:
    return bool(config.getoption("markexpr") == "bench")


def pytest_configure(config: pytest.Config) -> None:
    if _is_bench(config):
        return
    # One that is said later counts.
    _changed.setattr(database, "_PRAGMAS", (*_PRAGMAS, "PRAGMA synchronous=OFF"))
    _changed.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    # Two dialects of one kind say everything alike: there is one server, and one SQLite.
    for kind in (SQLiteDialect_aiosqlite, PGDialectAsync_psycopg):
        _changed.setattr(kind, "__eq__", lambda one, other: type(one) is type(other))
        _changed.setattr(kind, "__hash__", lambda one: hash(type(one)))
    event.listen(Engine, "engine_connect", _share)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _is_bench(config):
        event.remove(Engine, "engine_connect", _share)
        _changed.undo()


def pytest_collection_finish(session: pytest.Session) -> None:
    if not _is_bench(session.config):
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 100)


@pytest.fixture
def as_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The costs of the product: a slow hash, and a database that waits for the disk."""
    monkeypatch.setattr(database, "_PRAGMAS", _PRAGMAS)
    monkeypatch.setattr(passwords, "_hasher", _HASHER)


def _share(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_compiled)
