"""Alembic's entry: on the connection that ``storage.migrate`` gives, or on the one of the settings."""

import asyncio

from alembic import context
from sqlalchemy import Connection, MetaData

from config.database import make_engine
from config.settings import load_settings
from matcher.storage.tables import metadata


def run(connection: Connection, target: MetaData = metadata) -> None:
    """Run what was asked for inside the caller's transaction."""
    context.configure(
        connection=connection,
        target_metadata=target,
        # SQLite cannot change a column in place: alembic copies the table.
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _run_on_settings() -> None:
    engine = make_engine(load_settings().database_url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


if context.is_offline_mode():
    raise SystemExit("the migrations need a database: they are not written as a script")

given: Connection | None = context.config.attributes.get("connection")
if given is None:
    asyncio.run(_run_on_settings())
else:
    run(given)
