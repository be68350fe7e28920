"""The schema: brought up to date from code, and asked which revision it is at."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

_HERE = Path(__file__).with_name("migrations")


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; without an ini file, since everything it would say is here."""
    made = Config()
    made.set_main_option("script_location", str(_HERE))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


async def upgrade(engine: AsyncEngine) -> None:
    """Bring the schema to the newest revision, in one transaction; safe to repeat."""
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config(sync), "head"))


def upgrade_to(connection: Connection, revision: str) -> None:
    """Bring an empty schema to a revision, in the caller's transaction: for a copy that is as old."""
    command.upgrade(config(connection), revision)


def revision_of(connection: Connection) -> str | None:
    """The revision that the schema is at; None where there is none."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def revisions() -> frozenset[str]:
    """Every revision that the code knows."""
    return frozenset(one.revision for one in ScriptDirectory.from_config(config()).walk_revisions())


@cache
def head() -> str:
    """The newest revision that the code knows."""
    newest = ScriptDirectory.from_config(config()).get_current_head()
    assert newest is not None
    return newest


def suits(revision: str | None) -> bool:
    """Whether this code works on a schema at that revision: its own, or a newer one.

    Migrations only add what older code can do without (docs/sending.md, "Upgrading"), so that replicas are
    replaced one after the other: those of before go on, and may start again, beside the new ones.
    """
    return revision is not None and int(revision) >= int(head())


async def is_current(engine: AsyncEngine) -> bool:
    """Whether the schema is at the newest revision that the code knows, or at one that came after it."""
    async with engine.connect() as connection:
        found = await connection.run_sync(revision_of)
    return suits(found)
