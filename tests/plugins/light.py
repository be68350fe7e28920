"""What a test pays for without being about it, made cheap. Loaded by ``tests/conftest.py``.

- A database that is thrown away may lose its data with its power: SQLite does not wait for the disk.
- A password’s hash costs little; ``as_installed`` gives a test of passwords, or of SQLite’s settings, those
  of the product.
- Each test has an engine of its own, and all of them compile the same statements: they share what came out.
  The same goes for the templates of mails.
- What the modules hold lives as long as the run: the garbage collector does not look through it each time.

``make bench`` measures what is installed, and gets none of this.
"""

import gc
from collections.abc import Callable
from pathlib import Path
from types import CodeType

import pytest
from argon2 import PasswordHasher
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy import event, util
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import Connection, Engine

from config import database
from matcher.service import passwords
from messaging import letters

_PRAGMAS, _HASHER = database._PRAGMAS, passwords._hasher
#: Statement, and the kind of database → its SQL.
_compiled: util.LRUCache[object, object] = util.LRUCache(4_000)
_changed = pytest.MonkeyPatch()
_environment = letters._environment


class _Templates(BytecodeCache):
    """Templates as Jinja compiled them, for as long as the run."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._kept[bucket.key, bucket.checksum] = bucket.code


#: Whether what is filled in goes through a function, which is compiled in → the templates.
_templates = {False: _Templates(), True: _Templates()}


def _is_bench(config: pytest.Config) -> bool:
    return bool(config.getoption("markexpr") == "bench")


def pytest_configure(config: pytest.Config) -> None:
    if _is_bench(config):
        return
    # One that is said later counts.
    _changed.setattr(database, "_PRAGMAS", (*_PRAGMAS, "PRAGMA synchronous=OFF"))
    _changed.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    _changed.setattr(letters, "_environment", _ready)
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


def _ready(folder: Path, finalize: Callable[..., object] | None = None) -> Environment:
    made = _environment(folder, finalize)
    made.bytecode_cache = _templates[finalize is not None]
    return made
