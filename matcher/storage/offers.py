"""Standing offers: places that doctors declared beforehand."""

from datetime import date, datetime

from sqlalchemy import ColumnElement, RowMapping, and_, case, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.protocol.announcement import ConditionKind
from matcher.protocol.doctors import Offer
from matcher.protocol.ids import DoctorId, OfferId
from matcher.storage.sql import changed
from matcher.storage.tables import OfferRow, table

_OFFERS = table(OfferRow)


async def add(session: AsyncSession, territory: str, offer: Offer, now: datetime) -> None:
    """A doctor declares ``offer.left`` places."""
    require_transaction(session)
    await session.execute(
        _OFFERS.insert().values(
            territory_id=territory,
            id=offer.id,
            doctor_id=offer.doctor,
            places=offer.left,
            remaining=offer.left,
            starts_on=offer.from_,
            ends_on=offer.until,
            declines=sorted(kind.value for kind in offer.declines),
            by_link=offer.by_link,
            origin=offer.origin,
            created_at=now,
        )
    )


async def open_ones(session: AsyncSession, territory: str, today: date) -> list[Offer]:
    """The offers that hold today and have a place left; the oldest first."""
    rows = await session.execute(
        select(*_OFFERS.c)
        .where(
            _OFFERS.c.territory_id == territory,
            _OFFERS.c.withdrawn_at.is_(None),
            _OFFERS.c.remaining > 0,
            _OFFERS.c.starts_on <= today,
            or_(_OFFERS.c.ends_on.is_(None), _OFFERS.c.ends_on >= today),
        )
        .order_by(_OFFERS.c.created_at, _OFFERS.c.id)
    )
    return [_offer(row) for row in rows.mappings()]


async def of_doctor(session: AsyncSession, territory: str, doctor: str) -> list[Offer]:
    """All that a doctor has offered and not withdrawn, used up ones too; the oldest first."""
    rows = await session.execute(
        select(*_OFFERS.c)
        .where(
            _OFFERS.c.territory_id == territory,
            _OFFERS.c.doctor_id == doctor,
            _OFFERS.c.withdrawn_at.is_(None),
        )
        .order_by(_OFFERS.c.created_at, _OFFERS.c.id)
    )
    return [_offer(row) for row in rows.mappings()]


async def count(session: AsyncSession, territory: str, offer: str, by: int) -> bool:
    """Use a place (-1) or give it back (+1). False where none is left, or all are back."""
    require_transaction(session)
    after = _OFFERS.c.remaining + by
    statement = (
        update(_OFFERS)
        .where(_is(territory, offer), after >= 0, after <= _OFFERS.c.places)
        .values(remaining=after)
    )
    return await changed(session, statement) == 1


async def replace(session: AsyncSession, territory: str, offer: Offer) -> None:
    """The doctor says another number or period; the places that were used stay used."""
    require_transaction(session)
    used = _OFFERS.c.places - _OFFERS.c.remaining
    left = case((used < offer.left, offer.left - used), else_=0)
    await session.execute(
        update(_OFFERS)
        .where(_is(territory, offer.id))
        .values(
            places=case((used < offer.left, offer.left), else_=used),
            remaining=left,
            starts_on=offer.from_,
            ends_on=offer.until,
            declines=sorted(kind.value for kind in offer.declines),
            withdrawn_at=None,
        )
    )


async def withdraw(session: AsyncSession, territory: str, offer: str, now: datetime) -> None:
    """The offer no longer holds."""
    await session.execute(
        update(_OFFERS)
        .where(_is(territory, offer), _OFFERS.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )


async def sweep(session: AsyncSession, territory: str, before: datetime) -> None:
    """Forget the offers that ended before then: withdrawn, their period over, or old and used up."""
    require_transaction(session)
    used_up = and_(_OFFERS.c.remaining == 0, _OFFERS.c.created_at < before)
    over = or_(_OFFERS.c.withdrawn_at < before, _OFFERS.c.ends_on < before.date(), used_up)
    await session.execute(delete(_OFFERS).where(_OFFERS.c.territory_id == territory, over))


def _is(territory: str, offer: str) -> ColumnElement[bool]:
    return and_(_OFFERS.c.territory_id == territory, _OFFERS.c.id == offer)


def _offer(row: RowMapping) -> Offer:
    return Offer(
        id=OfferId(row["id"]),
        doctor=DoctorId(row["doctor_id"]),
        left=row["remaining"],
        from_=row["starts_on"],
        until=row["ends_on"],
        declines=frozenset(ConditionKind(kind) for kind in row["declines"]),
        by_link=row["by_link"],
        origin=row["origin"],
    )
