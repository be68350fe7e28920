"""The schema: migrations and tables agree, and what every table has in common."""

import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect

from config.database import make_engine
from matcher.storage import migrate, pulse
from matcher.storage.tables import metadata


async def test_the_migrations_build_what_the_tables_say(engine):
    def differences(connection):
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return compare_metadata(context, metadata)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_check_of_the_tables_is_in_the_migrations(sqlite_url):
    # Alembic does not compare checks: a word that the protocol gained would be refused by the database.
    # SQLite keeps their text as it was written; the migrations are the same for both.
    def checks(connection):
        inspector = inspect(connection)
        return {
            check["name"]: re.findall(r"[\w'<>=]+", check["sqltext"])
            for table in metadata.tables
            for check in inspector.get_check_constraints(table)
        }

    engine = make_engine(sqlite_url)
    async with engine.connect() as connection:
        built = await connection.run_sync(checks)
    await engine.dispose()
    assert built == {
        str(check.name): re.findall(r"[\w'<>=]+", str(check.sqltext))
        for table in metadata.tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }


async def test_migrating_twice_changes_nothing(engine, sessions):
    await migrate.upgrade(engine)
    assert await migrate.is_current(engine)
    async with sessions() as session:
        assert await pulse.revision(session) == migrate.head()


async def test_a_database_without_schema_is_not_current(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path}/empty.sqlite3")
    assert not await migrate.is_current(engine)
    await engine.dispose()


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_the_territory_leads_every_key_and_every_index(table):
    if table.name == "territories":
        return
    assert next(iter(table.primary_key.columns)).name == "territory_id"
    # The outbox is claimed over all territories at once, and knows nothing of them.
    claimed = {"ix_outbox_due", "ix_outbox_fresh", "ix_outbox_again"}
    leading = {next(iter(index.columns)).name for index in table.indexes if index.name not in claimed}
    assert leading <= {"territory_id"}
