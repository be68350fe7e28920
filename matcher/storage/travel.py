"""The minutes of a territory's table: from a place that may be announced to a practice."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.protocol.ids import DoctorId
from matcher.protocol.travel import Travel
from matcher.storage.sql import batches
from matcher.storage.tables import TravelRow, table

_TRAVEL = table(TravelRow)


@dataclass(frozen=True, kw_only=True)
class Journey:
    """One line of the table. ``place`` as ``places.normalised`` writes its name."""

    place: str
    doctor: DoctorId
    travel: Travel


async def put(session: AsyncSession, territory: str, journeys: Iterable[Journey]) -> None:
    """These minutes, and no others."""
    require_transaction(session)
    await session.execute(delete(_TRAVEL).where(_TRAVEL.c.territory_id == territory))
    for batch in batches(journeys):
        await session.execute(
            _TRAVEL.insert(),
            [
                {
                    "territory_id": territory,
                    "place": one.place,
                    "doctor_id": one.doctor,
                    "walk": one.travel.walk,
                    "drive": one.travel.drive,
                }
                for one in batch
            ],
        )


async def from_place(session: AsyncSession, territory: str, place: str) -> dict[DoctorId, Travel]:
    """The minutes from one place, by doctor."""
    rows = await session.execute(
        select(_TRAVEL.c.doctor_id, _TRAVEL.c.walk, _TRAVEL.c.drive).where(
            _TRAVEL.c.territory_id == territory, _TRAVEL.c.place == place
        )
    )
    return {DoctorId(row.doctor_id): Travel(walk=row.walk, drive=row.drive) for row in rows}
