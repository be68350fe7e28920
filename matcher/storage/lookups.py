"""Keyed hashes by which staff find a patient again, and by which two requests for one are noticed."""

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.protocol.ids import SearchId
from matcher.storage.sql import insert
from matcher.storage.tables import LookupRow, SearchRow, table

_LOOKUP = table(LookupRow)
_SEARCHES = table(SearchRow)


async def replace(
    session: AsyncSession, territory: str, search: str, terms: Iterable[tuple[str, str]]
) -> None:
    """Keep these hashes, and no others, for a search. Terms are (kind, keyed hash in hexadecimal)."""
    require_transaction(session)
    await session.execute(
        delete(_LOOKUP).where(_LOOKUP.c.territory_id == territory, _LOOKUP.c.search_id == search)
    )
    rows = [
        {"territory_id": territory, "kind": kind, "hmac": hmac, "search_id": search}
        for kind, hmac in dict.fromkeys(terms)
    ]
    if rows:
        await session.execute(insert(session, _LOOKUP).on_conflict_do_nothing(), rows)


async def find(session: AsyncSession, territory: str, terms: Collection[tuple[str, str]]) -> list[SearchId]:
    """The searches that have any of these terms."""
    if not terms:
        return []
    found = await session.scalars(
        select(_LOOKUP.c.search_id)
        .distinct()
        .where(
            _LOOKUP.c.territory_id == territory,
            _one_of(terms),
        )
        .order_by(_LOOKUP.c.search_id)
    )
    return [SearchId(one) for one in found]


def _one_of(terms: Collection[tuple[str, str]]) -> ColumnElement[bool]:
    # An OR, not a tuple IN: SQLite finds the rows of each by the index.
    return or_(*((_LOOKUP.c.kind == kind) & (_LOOKUP.c.hmac == hmac) for kind, hmac in sorted(set(terms))))


async def twins(session: AsyncSession, territory: str, search: str) -> list[tuple[SearchId, str]]:
    """Other searches, with their references, that seem to be the same person's: they share a NIR or one
    of the combined terms (``name+birth_date`` …) of ``records.lookup.duplicate_terms``. Not those that
    were withdrawn or joined.
    """
    combined = or_(_LOOKUP.c.kind == "nir", _LOOKUP.c.kind.contains("+", autoescape=True))
    # Found first and kept: else SQLite begins with every search of the territory.
    mine = (
        select(_LOOKUP.c.kind, _LOOKUP.c.hmac)
        .where(_LOOKUP.c.territory_id == territory, _LOOKUP.c.search_id == search, combined)
        .cte("mine")
        .prefix_with("MATERIALIZED")
    )
    shared = and_(_LOOKUP.c.kind == mine.c.kind, _LOOKUP.c.hmac == mine.c.hmac)
    same = select(_LOOKUP.c.search_id).where(_LOOKUP.c.territory_id == territory).join(mine, shared)
    found = await session.execute(
        select(_SEARCHES.c.id, _SEARCHES.c.reference)
        .where(
            _SEARCHES.c.territory_id == territory,
            _SEARCHES.c.id.in_(same),
            _SEARCHES.c.id != search,
            _SEARCHES.c.state != "withdrawn",
            _SEARCHES.c.joined_to.is_(None),
        )
        .order_by(_SEARCHES.c.id)
    )
    return [(SearchId(id), reference) for id, reference in found]
