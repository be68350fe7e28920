"""Lists of patients who come together, and the doctors who were asked how many they could take."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import ColumnElement, RowMapping, and_, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.protocol.announcement import ConditionKind
from matcher.protocol.ids import DoctorId
from matcher.storage.sql import changed, insert
from matcher.storage.tables import OriginAskRow, OriginRow, SearchRow, table

_ORIGINS = table(OriginRow)
_ASKS = table(OriginAskRow)
_SEARCHES = table(SearchRow)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """One list. ``persons`` and ``place`` are what its mail says, from the first one on."""

    id: str
    name: str
    created_at: datetime
    persons: int | None = None
    place: str | None = None


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One doctor asked for a list. ``state``: queued, asked, unreached, dropped, held, answered."""

    doctor: DoctorId
    state: str
    at: datetime
    answered_at: datetime | None = None
    places: int | None = None
    from_: date | None = None
    until: date | None = None
    declines: frozenset[ConditionKind] = frozenset()


async def named(
    session: AsyncSession, territory: str, name: str, structure: str | None, now: datetime
) -> str:
    """The id of the list that this structure (None: the office) calls so; a new one where there is none."""
    require_transaction(session)
    owner = structure or ""
    fresh = insert(session, _ORIGINS).values(
        territory_id=territory,
        id=uuid4().hex,
        name=name,
        owner=owner,
        structure_id=structure,
        created_at=now,
    )
    await session.execute(fresh.on_conflict_do_nothing())
    found = await session.execute(
        select(_ORIGINS.c.id).where(
            _ORIGINS.c.territory_id == territory, _ORIGINS.c.owner == owner, _ORIGINS.c.name == name
        )
    )
    return str(found.scalar_one())


async def listed(session: AsyncSession, territory: str) -> list[Origin]:
    """Every list of the territory, the newest first."""
    rows = await session.execute(
        select(*_ORIGINS.c)
        .where(_ORIGINS.c.territory_id == territory)
        .order_by(_ORIGINS.c.created_at.desc(), _ORIGINS.c.id)
    )
    return [_origin(row) for row in rows.mappings()]


async def get(session: AsyncSession, territory: str, origin: str, *, lock: bool = False) -> Origin | None:
    """One list; locked, nobody else asks for it or fills it until the transaction ends."""
    wanted = select(*_ORIGINS.c).where(_is(territory, origin))
    row = (await session.execute(wanted.with_for_update() if lock else wanted)).mappings().one_or_none()
    return None if row is None else _origin(row)


async def say(session: AsyncSession, territory: str, origin: str, persons: int, place: str) -> None:
    """What its mail says, to everybody and for ever."""
    await session.execute(update(_ORIGINS).where(_is(territory, origin)).values(persons=persons, place=place))


async def ask(
    session: AsyncSession, territory: str, origin: str, doctors: Iterable[str], now: datetime
) -> None:
    """These doctors are asked; one who was asked before is not asked again."""
    require_transaction(session)
    for doctor in doctors:
        fresh = insert(session, _ASKS).values(
            territory_id=territory, origin_id=origin, doctor_id=doctor, state="queued", at=now
        )
        await session.execute(fresh.on_conflict_do_nothing())


async def asks(session: AsyncSession, territory: str, origin: str) -> list[Ask]:
    """Everybody who was asked for a list."""
    rows = await session.execute(
        select(*_ASKS.c)
        .where(_ASKS.c.territory_id == territory, _ASKS.c.origin_id == origin)
        .order_by(_ASKS.c.at, _ASKS.c.doctor_id)
    )
    return [_ask(row) for row in rows.mappings()]


async def one(session: AsyncSession, territory: str, origin: str, doctor: str) -> Ask | None:
    """One doctor's, its row locked until the transaction ends."""
    found = await session.execute(select(*_ASKS.c).where(_his(territory, origin, doctor)).with_for_update())
    row = found.mappings().one_or_none()
    return None if row is None else _ask(row)


async def settled(session: AsyncSession, territory: str, origin: str, doctor: str, state: str) -> None:
    """What became of his mail; an answer that came meanwhile stays."""
    await changed(
        session,
        update(_ASKS)
        .where(_his(territory, origin, doctor), _ASKS.c.state.in_(("queued", "asked")))
        .values(state=state),
    )


async def answered(session: AsyncSession, territory: str, origin: str, ask_: Ask) -> None:
    """What he answered, in place of what he had answered."""
    await session.execute(
        update(_ASKS)
        .where(_his(territory, origin, ask_.doctor))
        .values(
            state=ask_.state,
            answered_at=ask_.answered_at,
            places=ask_.places,
            from_=ask_.from_,
            until=ask_.until,
            declines=sorted(kind.value for kind in ask_.declines),
        )
    )


async def sweep(session: AsyncSession, territory: str, before: datetime) -> int:
    """Forget the lists made before then of which every record is destroyed: the name, which is in clear, and
    what each doctor answered. Returns how many.
    """
    require_transaction(session)
    lives = exists().where(
        _SEARCHES.c.territory_id == _ORIGINS.c.territory_id,
        _SEARCHES.c.origin == _ORIGINS.c.id,
        _SEARCHES.c.record_destroyed.is_(False),
    )
    over = (_ORIGINS.c.territory_id == territory, _ORIGINS.c.created_at < before, ~lives)
    ids = list(await session.scalars(select(_ORIGINS.c.id).where(*over).with_for_update()))
    theirs = (_SEARCHES.c.territory_id == territory, _SEARCHES.c.origin.in_(ids))
    await session.execute(update(_SEARCHES).where(*theirs).values(origin=None))
    return await changed(
        session, delete(_ORIGINS).where(_ORIGINS.c.territory_id == territory, _ORIGINS.c.id.in_(ids))
    )


def _is(territory: str, origin: str) -> ColumnElement[bool]:
    return and_(_ORIGINS.c.territory_id == territory, _ORIGINS.c.id == origin)


def _his(territory: str, origin: str, doctor: str) -> ColumnElement[bool]:
    return and_(_ASKS.c.territory_id == territory, _ASKS.c.origin_id == origin, _ASKS.c.doctor_id == doctor)


def _origin(row: RowMapping) -> Origin:
    return Origin(
        id=row["id"],
        name=row["name"],
        created_at=row["created_at"],
        persons=row["persons"],
        place=row["place"],
    )


def _ask(row: RowMapping) -> Ask:
    return Ask(
        doctor=DoctorId(row["doctor_id"]),
        state=row["state"],
        at=row["at"],
        answered_at=row["answered_at"],
        places=row["places"],
        from_=row["from_"],
        until=row["until"],
        declines=frozenset(ConditionKind(kind) for kind in row["declines"] or ()),
    )
