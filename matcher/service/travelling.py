"""Putting a table of travel minutes into a territory: places and doctors must be known."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.directory import Problem, TravelRow
from matcher.protocol.places import Gazetteer
from matcher.storage import doctors, travel
from matcher.storage.travel import Journey


async def put(
    session: AsyncSession, territory: str, rows: Sequence[TravelRow], places: Gazetteer
) -> list[Problem]:
    """Replace the table of a territory; returns the lines that name a place or a doctor it has not."""
    known = await doctors.by_rpps(session, territory)
    problems, journeys = [], []
    for row in rows:
        if places.find(row.place) is None:
            message = f"« {row.place} » n’est pas un lieu de ce territoire"
            problems.append(Problem(line=row.line, field="place", message=message))
        elif row.rpps not in known:
            message = f"« {row.rpps} » n’est pas un médecin de ce territoire"
            problems.append(Problem(line=row.line, field="rpps", message=message))
        else:
            journeys.append(Journey(place=row.place, doctor=known[row.rpps], travel=row.travel))
    await travel.put(session, territory, journeys)
    return problems
