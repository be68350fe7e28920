"""The references that people read and say: "VEN-26-0042"."""

import re

from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.storage.sql import insert
from matcher.storage.tables import CounterRow, table

_COUNTERS = table(CounterRow)


async def next_one(session: AsyncSession, territory: str, year: int) -> str:
    """The next reference of the territory: three letters of its id, the year, a number from 1.

    Those who ask together wait for each other; one that rolls back leaves no gap.
    """
    require_transaction(session)
    counter = insert(session, _COUNTERS).values(territory_id=territory, name="search", year=year, value=1)
    number = (
        await session.execute(
            counter.on_conflict_do_update(
                index_elements=["territory_id", "name", "year"], set_={"value": _COUNTERS.c.value + 1}
            ).returning(_COUNTERS.c.value)
        )
    ).scalar_one()
    letters = re.sub(r"[^A-Z]", "", territory.upper())[:3] or "TU"
    return f"{letters}-{year % 100:02d}-{number:04d}"
