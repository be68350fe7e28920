"""Short notices between the processes on one PostgreSQL (LISTEN and NOTIFY). They are not kept."""

import asyncio
from collections.abc import AsyncGenerator

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

CHANNEL = "trait_union"
#: Seconds without a notice after which one is sent, and those in which it has to come: a connection that a
#: proxy or a network forgot says nothing for ever.
SILENCE = 30.0


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
    """Every notice from now on, over a connection of its own; an empty one first, once it listens. Raises
    NoticesLost when it breaks, or no longer carries anything.
    """
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        async with asyncio.timeout(SILENCE):
            connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        async with connection:
            async with asyncio.timeout(SILENCE):
                await connection.execute(f"LISTEN {CHANNEL}")
            yield ""
            while True:
                heard = 0
                async for notice in connection.notifies(timeout=SILENCE):
                    heard += 1
                    if notice.payload:
                        yield notice.payload
                if not heard:
                    # Over another connection, so that it comes only where this one still carries.
                    await tell(engine, "")
                    if not [one async for one in connection.notifies(timeout=SILENCE, stop_after=1)]:
                        raise NoticesLost("silence")
    except (psycopg.Error, SQLAlchemyError, TimeoutError) as problem:
        raise NoticesLost(type(problem).__name__) from None
