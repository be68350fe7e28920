"""Who is phoning which doctor now: one doctor, one person, for a while."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.protocol.ids import DoctorId, SearchId
from matcher.storage.sql import insert
from matcher.storage.tables import CallClaimRow, PositionRow, SearchRow, SolicitationRow, table

_CLAIMS = table(CallClaimRow)
_SEARCHES = table(SearchRow)
_SOLICITATIONS = table(SolicitationRow)
_POSITIONS = table(PositionRow)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A person phones a doctor, until the claim lapses."""

    doctor: DoctorId
    person: str
    name: str
    at: datetime
    until: datetime


async def claim(
    session: AsyncSession,
    territory: str,
    doctor: str,
    person: str,
    name: str,
    now: datetime,
    until: datetime,
) -> Claim:
    """Take a doctor to phone, or keep him longer. The claim that now stands: another's where it is not
    over yet.
    """
    require_transaction(session)
    mine = insert(session, _CLAIMS).values(
        territory_id=territory, doctor_id=doctor, person=person, name=name, at=now, until=until
    )
    await session.execute(
        mine.on_conflict_do_update(
            index_elements=["territory_id", "doctor_id"],
            set_={column: mine.excluded[column] for column in ("person", "name", "at", "until")},
            # Lapsed, or one's own: decided by the statement that writes, so that two cannot both win.
            where=or_(_CLAIMS.c.until <= now, _CLAIMS.c.person == person),
        )
    )
    return (await _claims(session, territory, doctor))[DoctorId(doctor)]


async def claimed(session: AsyncSession, territory: str, now: datetime) -> dict[DoctorId, Claim]:
    """The doctors whom somebody phones now."""
    found = await _claims(session, territory)
    return {doctor: one for doctor, one in found.items() if now < one.until}


async def release(session: AsyncSession, territory: str, doctor: str, person: str) -> None:
    """Let a doctor go; nothing where he is another's."""
    await session.execute(
        delete(_CLAIMS).where(
            _CLAIMS.c.territory_id == territory,
            _CLAIMS.c.doctor_id == doctor,
            _CLAIMS.c.person == person,
        )
    )


async def sweep(session: AsyncSession, territory: str, before: datetime) -> None:
    """Forget who phoned whom: claims that lapsed before then."""
    await session.execute(
        delete(_CLAIMS).where(_CLAIMS.c.territory_id == territory, _CLAIMS.c.until < before)
    )


async def open_questions(session: AsyncSession, territory: str, doctor: str) -> list[SearchId]:
    """« Dr X rappelle » : the searches under way in whose current run this doctor was asked or answered."""
    alive = ("asking", "calling", "proposing", "released", "resting")
    found: set[str] = set()
    for met in (_SOLICITATIONS, _POSITIONS):
        found.update(
            await session.scalars(
                select(_SEARCHES.c.id)
                .join(
                    met,
                    (met.c.territory_id == _SEARCHES.c.territory_id)
                    & (met.c.search_id == _SEARCHES.c.id)
                    & (met.c.run == _SEARCHES.c.run),
                )
                .where(
                    met.c.territory_id == territory,
                    met.c.doctor_id == doctor,
                    _SEARCHES.c.state.in_(alive),
                )
            )
        )
    return [SearchId(one) for one in sorted(found)]


async def _claims(session: AsyncSession, territory: str, doctor: str | None = None) -> dict[DoctorId, Claim]:
    wanted = select(*_CLAIMS.c).where(_CLAIMS.c.territory_id == territory)
    if doctor is not None:
        wanted = wanted.where(_CLAIMS.c.doctor_id == doctor)
    rows = (await session.execute(wanted)).mappings()
    return {
        row["doctor_id"]: Claim(
            doctor=row["doctor_id"],
            person=row["person"],
            name=row["name"],
            at=row["at"],
            until=row["until"],
        )
        for row in rows
    }
