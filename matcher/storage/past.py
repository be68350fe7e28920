"""What doctors were asked within a year and said yes to: counted, for the ranking; forgotten after it."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, case, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.protocol.answers import Stand
from matcher.protocol.ids import DoctorId
from matcher.storage.sql import changed
from matcher.storage.tables import PositionRow, ReleaseRow, SearchRow, SolicitationRow, table

_SOLICITATIONS = table(SolicitationRow)
_POSITIONS = table(PositionRow)
_RELEASES = table(ReleaseRow)
_SEARCHES = table(SearchRow)
#: Once said yes, whatever the patient or the calendar made of it.
_YES = (Stand.YES, Stand.UNCONFIRMED, Stand.ONCE, Stand.CHOSEN, Stand.DECLINED)


class Past(NamedTuple):
    """Questions that had the time to be answered, and how many ended in a yes."""

    asked: int = 0
    yes: int = 0


async def answers(
    session: AsyncSession, territory: str, *, since: datetime, settled: datetime
) -> dict[DoctorId, Past]:
    """By doctor: the searches that he was asked for since then, by mail or phone, each counted once.

    One that he has not answered counts only where he was asked before ``settled``.
    """
    questions = (
        select(
            _SOLICITATIONS.c.search_id,
            _SOLICITATIONS.c.run,
            _SOLICITATIONS.c.doctor_id,
            func.min(_SOLICITATIONS.c.at).label("at"),
        )
        .where(
            _SOLICITATIONS.c.territory_id == territory,
            _SOLICITATIONS.c.at > since,
            _SOLICITATIONS.c.delivery == "asked",
        )
        .group_by(_SOLICITATIONS.c.search_id, _SOLICITATIONS.c.run, _SOLICITATIONS.c.doctor_id)
        .subquery("questions")
    )
    his = and_(
        _POSITIONS.c.territory_id == territory,
        _POSITIONS.c.search_id == questions.c.search_id,
        _POSITIONS.c.run == questions.c.run,
        _POSITIONS.c.doctor_id == questions.c.doctor_id,
    )
    yes = case((_POSITIONS.c.stand.in_([stand.value for stand in _YES]), 1), else_=0)
    answered = func.coalesce(_POSITIONS.c.stand, Stand.OPEN.value) != Stand.OPEN.value
    rows = await session.execute(
        select(questions.c.doctor_id, func.count(), func.sum(yes))
        .select_from(questions.outerjoin(_POSITIONS, his))
        .where(or_(answered, questions.c.at <= settled))
        .group_by(questions.c.doctor_id)
    )
    return {DoctorId(doctor): Past(asked, said) for doctor, asked, said in rows}


async def forget(session: AsyncSession, territory: str, before: datetime) -> int:
    """Forget who was asked before then, by mail or phone, what he answered and what he was given. What a
    search that is not over stands on, its current run, stays. Returns how many answers went.
    """
    require_transaction(session)
    answered = 0
    for source in (_SOLICITATIONS, _RELEASES, _POSITIONS):
        over = exists().where(
            _SEARCHES.c.territory_id == source.c.territory_id,
            _SEARCHES.c.id == source.c.search_id,
            or_(_SEARCHES.c.record_destroyed.is_(True), _SEARCHES.c.run > source.c.run),
        )
        old = (source.c.territory_id == territory, source.c.at < before, over)
        answered = await changed(session, delete(source).where(*old))
    return answered
