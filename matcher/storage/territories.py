"""The territories of the installation, and the tables that their announcements are measured by."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.protocol.places import Place, PlaceKind
from matcher.protocol.population import Households, Residents
from matcher.storage.sql import upsert
from matcher.storage.tables import HouseholdsRow, PlaceRow, PopulationRow, TerritoryRow, table

_TERRITORIES = table(TerritoryRow)
_PLACES = table(PlaceRow)
_POPULATION = table(PopulationRow)
_HOUSEHOLDS = table(HouseholdsRow)


async def put(session: AsyncSession, territory: str, name: str, settings: str, now: datetime) -> None:
    """A territory, or its new name and settings (the text of its ``territory.toml``)."""
    require_transaction(session)
    row = {"id": territory, "name": name, "settings": settings, "created_at": now}
    await upsert(session, _TERRITORIES, [row], besides={"created_at": _TERRITORIES.c.created_at})


async def settings(session: AsyncSession) -> dict[str, str]:
    """Every territory's settings by id, as ``put`` got them."""
    rows = await session.execute(
        select(_TERRITORIES.c.id, _TERRITORIES.c.settings).order_by(_TERRITORIES.c.id)
    )
    return {row.id: row.settings for row in rows}


async def stop(session: AsyncSession, territory: str, at: datetime | None) -> None:
    """After a restore nothing is done until the office resumes (None)."""
    await session.execute(update(_TERRITORIES).where(_TERRITORIES.c.id == territory).values(stopped_at=at))


async def stopped(session: AsyncSession) -> frozenset[str]:
    """The territories that wait for their office to resume."""
    found = await session.scalars(select(_TERRITORIES.c.id).where(_TERRITORIES.c.stopped_at.is_not(None)))
    return frozenset(found)


async def is_stopped(session: AsyncSession, territory: str) -> bool:
    """Whether this territory waits for its office to resume."""
    found = select(_TERRITORIES.c.stopped_at).where(_TERRITORIES.c.id == territory)
    return await session.scalar(found) is not None


async def put_places(session: AsyncSession, territory: str, places: Iterable[Place]) -> None:
    """These places, and no others."""
    await _replace(
        session,
        _PLACES,
        territory,
        [
            {
                "territory_id": territory,
                "name": place.name,
                "kind": place.kind.value,
                "lat": place.lat,
                "lon": place.lon,
                "insee": place.insee,
                "quartier": place.quartier,
                "residents": place.residents,
            }
            for place in places
        ],
    )


async def places(session: AsyncSession, territory: str) -> tuple[Place, ...]:
    """The places that an announcement may name, by name."""
    rows = await session.execute(
        select(*_PLACES.c).where(_PLACES.c.territory_id == territory).order_by(_PLACES.c.name)
    )
    return tuple(
        Place(
            name=row["name"],
            kind=PlaceKind(row["kind"]),
            lat=row["lat"],
            lon=row["lon"],
            insee=row["insee"],
            quartier=row["quartier"],
            residents=row["residents"],
        )
        for row in rows.mappings()
    )


async def put_residents(session: AsyncSession, territory: str, residents: Iterable[Residents]) -> None:
    """These counts of residents, and no others."""
    await _replace(
        session,
        _POPULATION,
        territory,
        [
            {
                "territory_id": territory,
                "insee": row.insee,
                "quartier": row.quartier,
                "age_from": row.age_from,
                "age_to": row.age_to,
                "residents": row.residents,
            }
            for row in residents
        ],
    )


async def residents(session: AsyncSession, territory: str) -> tuple[Residents, ...]:
    """The counts of residents by commune, quartier and age."""
    rows = await session.execute(
        select(*_POPULATION.c)
        .where(_POPULATION.c.territory_id == territory)
        .order_by(_POPULATION.c.insee, _POPULATION.c.quartier, _POPULATION.c.age_from)
    )
    return tuple(
        Residents(
            insee=row["insee"],
            quartier=row["quartier"],
            age_from=row["age_from"],
            age_to=row["age_to"],
            residents=row["residents"],
        )
        for row in rows.mappings()
    )


async def put_households(session: AsyncSession, territory: str, households: Iterable[Households]) -> None:
    """These counts of households, and no others."""
    await _replace(
        session,
        _HOUSEHOLDS,
        territory,
        [
            {
                "territory_id": territory,
                "insee": row.insee,
                "adults": row.adults,
                "children": row.children,
                "households": row.households,
            }
            for row in households
        ],
    )


async def households(session: AsyncSession, territory: str) -> tuple[Households, ...]:
    """The counts of households by commune and composition."""
    rows = await session.execute(
        select(*_HOUSEHOLDS.c)
        .where(_HOUSEHOLDS.c.territory_id == territory)
        .order_by(_HOUSEHOLDS.c.insee, _HOUSEHOLDS.c.adults, _HOUSEHOLDS.c.children)
    )
    return tuple(
        Households(
            insee=row["insee"],
            adults=row["adults"],
            children=row["children"],
            households=row["households"],
        )
        for row in rows.mappings()
    )


async def _replace(session: AsyncSession, into: Table, territory: str, rows: list[dict[str, object]]) -> None:
    require_transaction(session)
    await session.execute(delete(into).where(into.c.territory_id == territory))
    if rows:
        await session.execute(into.insert(), rows)
