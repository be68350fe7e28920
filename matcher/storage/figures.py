"""The counters of what is gone. Counting and destroying what was counted are one transaction."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.storage.sql import insert
from matcher.storage.tables import FigureRow, table

_FIGURES = table(FigureRow)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One counter."""

    month: str
    measure: str
    value: str
    outcome: str
    count: int = 1


async def add(session: AsyncSession, territory: str, figures: Iterable[Figure]) -> None:
    """Raise the counters. In the order of their keys, so that two who count cannot lock each other out."""
    require_transaction(session)
    for one in sorted(figures, key=lambda figure: (figure.month, figure.measure, figure.value)):
        fresh = insert(session, _FIGURES).values(
            territory_id=territory,
            month=one.month,
            measure=one.measure,
            value=one.value,
            outcome=one.outcome,
            count=one.count,
        )
        await session.execute(
            fresh.on_conflict_do_update(
                index_elements=[column.name for column in _FIGURES.primary_key],
                set_={"count": _FIGURES.c.count + one.count},
            )
        )


async def of_months(session: AsyncSession, territory: str, months: Collection[str]) -> list[Figure]:
    """Every counter of these months."""
    rows = await session.execute(
        select(
            _FIGURES.c.month, _FIGURES.c.measure, _FIGURES.c.value, _FIGURES.c.outcome, _FIGURES.c.count
        ).where(_FIGURES.c.territory_id == territory, _FIGURES.c.month.in_(months))
    )
    return [Figure(**row) for row in rows.mappings()]
