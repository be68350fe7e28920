"""Short notices between the processes on one PostgreSQL (LISTEN and NOTIFY). They are not kept."""

from collections.abc import AsyncGenerator

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

CHANNEL = "trait_union"


class NoticesLost(Exception):
    """The connection that listens is gone, or could not be made."""


async def tell(engine: AsyncEngine, notice: str) -> None:
    """Send a notice to every process that listens, this one included.

    In a transaction of its own: one that sends a notice holds a lock on the whole server while it
    commits, and the transactions of searches should not wait for each other.
    """
    async with engine.begin() as connection:
        await connection.execute(
            text("SELECT pg_notify(:channel, :notice)"), {"channel": CHANNEL, "notice": notice}
        )


async def told(engine: AsyncEngine) -> AsyncGenerator[str, None]:
    """Every notice from now on, over a connection of its own. Raises NoticesLost when it breaks."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            async for notice in connection.notifies():
                yield notice.payload
    except psycopg.Error as problem:
        raise NoticesLost(type(problem).__name__) from None
