"""Searches: insert, lock, save, list. A search is locked before it is moved, by whoever moves it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, Select, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.protocol.ids import SearchId
from matcher.protocol.search import Search, State
from matcher.records.priority import Level
from matcher.storage import parts
from matcher.storage.convert import SEARCH
from matcher.storage.sql import batches, changed
from matcher.storage.tables import SearchRow, StructureRow, TaskRow, table

#: Searches made without a pause: some 15 ms of work.
_AT_A_TIME = 20
_SEARCHES = table(SearchRow)
_STRUCTURES = table(StructureRow)
_TASKS = table(TaskRow)


_PARTS = ("solicitations", "positions", "timers", "tasks")


class Gone(Exception):
    """The search that was to be saved is not there."""


@dataclass(frozen=True, kw_only=True)
class Owned:
    """A search with what the rules do not need to know: whose it is, how people call it."""

    search: Search
    #: "VEN-26-0042".
    reference: str
    #: The requester's structure; None where the office took the request in.
    structure: str | None = None
    structure_name: str | None = None
    structure_kind: str | None = None
    #: The user or key that took it in.
    created_by: str | None = None
    #: The search that this one ended in, as a duplicate.
    joined_to: SearchId | None = None
    #: The first search of the household whose record this one holds too.
    split_from: SearchId | None = None
    #: The reasons are health data: they are in the sealed record.
    priority: Level = Level.NORMAL
    #: A person set the priority.
    priority_set: bool = False


async def insert(
    session: AsyncSession,
    search: Search,
    *,
    reference: str,
    structure: str | None,
    created_by: str | None = None,
    priority: Level = Level.NORMAL,
    split_from: str | None = None,
) -> None:
    """A new search. The reference is unique in its territory (IntegrityError)."""
    require_transaction(session)
    await session.execute(
        _SEARCHES.insert().values(
            reference=reference,
            structure_id=structure,
            created_by=created_by,
            priority=priority.value,
            priority_set=False,
            split_from=split_from,
            **SEARCH.encode(search),
        )
    )
    await parts.save(session, None, search)


async def get(session: AsyncSession, territory: str, search: SearchId | str) -> Owned | None:
    """The search, None where this territory has none of that id."""
    return await _one(session, _owned().where(_is(territory, search)))


async def lock(session: AsyncSession, territory: str, search: SearchId | str) -> Owned | None:
    """The search, its row locked until the transaction ends. SQLite's transactions lock everything anyway.

    Whoever locks several locks them in the order of their ids.
    """
    require_transaction(session)
    return await _one(session, _owned().where(_is(territory, search)).with_for_update(of=_SEARCHES))


async def get_all(session: AsyncSession, territory: str, ids: Collection[str]) -> dict[str, Owned]:
    """Those of these searches that the territory has, by id."""
    return _by_id(await _all(session, _owned().where(_among(territory, ids))))


async def lock_all(session: AsyncSession, territory: str, ids: Collection[str]) -> dict[str, Owned]:
    """Those of these searches that the territory has, by id; locked in the order of their ids."""
    require_transaction(session)
    wanted = _owned().where(_among(territory, ids)).order_by(_SEARCHES.c.id)
    return _by_id(await _all(session, wanted.with_for_update(of=_SEARCHES)))


async def save(session: AsyncSession, before: Search, after: Search) -> None:
    """Write what differs. ``before`` is what ``lock`` gave in this transaction, or was saved since.

    Raises IntegrityError where the value breaks a vital rule, Gone where the row is not there.
    """
    require_transaction(session)
    assert (before.territory, before.id) == (after.territory, after.id)
    changes = SEARCH.changes(before, after)
    if changes:
        statement = update(_SEARCHES).where(_is(after.territory, after.id)).values(changes)
        if await changed(session, statement) != 1:
            raise Gone
    await parts.save(session, before, after)


async def list_ids(
    session: AsyncSession,
    territory: str,
    *,
    state: State | Collection[State] | None = None,
    structure: str | None = None,
    among: Collection[str] | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[SearchId], SearchId | None]:
    """The ids of one page, newest first, and what to pass as ``after`` for the next one.

    ``structure``: only that requester's. ``among``: only these ids (of a look-up).
    """
    wanted = select(_SEARCHES.c.id).where(_SEARCHES.c.territory_id == territory)
    if state is not None:
        states = [state] if isinstance(state, State) else state
        wanted = wanted.where(_SEARCHES.c.state.in_([s.value for s in states]))
    if structure is not None:
        wanted = wanted.where(_SEARCHES.c.structure_id == structure)
    if among is not None:
        wanted = wanted.where(_SEARCHES.c.id.in_(among))
    if after is not None:
        last = select(_SEARCHES.c.created_at).where(_is(territory, after)).scalar_subquery()
        wanted = wanted.where(
            or_(_SEARCHES.c.created_at < last, and_(_SEARCHES.c.created_at == last, _SEARCHES.c.id < after))
        )
    page = wanted.order_by(_SEARCHES.c.created_at.desc(), _SEARCHES.c.id.desc()).limit(limit + 1)
    found = [SearchId(one) for one in await session.scalars(page)]
    return found[:limit], found[limit - 1] if len(found) > limit else None


async def these(session: AsyncSession, territory: str, ids: Collection[str]) -> list[Owned]:
    """The searches of these ids, in no order; those that are not there are left out.

    In small batches, between which others have their turn: two thousand take a second to make.
    """
    wanted = _owned().where(_SEARCHES.c.territory_id == territory)
    found: list[Owned] = []
    for batch in batches(sorted(ids), _AT_A_TIME):
        found += await _all(session, wanted.where(_SEARCHES.c.id.in_(batch)))
    return found


async def open_ids(session: AsyncSession, territory: str, states: Iterable[State]) -> list[str]:
    """The ids of the searches in one of these states, and of those of any state that want something of the
    office.
    """
    words = [state.value for state in states]
    tasked = select(_TASKS.c.search_id).where(_TASKS.c.territory_id == territory)
    found = await session.scalars(
        select(_SEARCHES.c.id).where(
            _SEARCHES.c.territory_id == territory,
            or_(_SEARCHES.c.state.in_(words), _SEARCHES.c.id.in_(tasked)),
        )
    )
    return list(found)


async def of_origin(session: AsyncSession, territory: str, origin: str) -> list[Owned]:
    """Every search that came with a list; those that wait longest first."""
    return await _all(
        session,
        _owned()
        .where(_SEARCHES.c.territory_id == territory, _SEARCHES.c.origin == origin)
        .order_by(_SEARCHES.c.created_at, _SEARCHES.c.id),
    )


async def any_of_origin(session: AsyncSession, territory: str, origin: str, states: Iterable[State]) -> bool:
    """Whether one of a list's searches is in one of these states."""
    words = [state.value for state in states]
    found = await session.scalar(
        select(_SEARCHES.c.id)
        .where(
            _SEARCHES.c.territory_id == territory,
            _SEARCHES.c.origin == origin,
            _SEARCHES.c.state.in_(words),
        )
        .limit(1)
    )
    return found is not None


async def in_states(
    session: AsyncSession, territory: str, states: Iterable[State], *, most: int | None = None
) -> list[Owned]:
    """Every search in one of these states (or the first ``most``); those that wait longest first."""
    words = [state.value for state in states]
    return await _all(
        session,
        _owned()
        .where(_SEARCHES.c.territory_id == territory, _SEARCHES.c.state.in_(words))
        .order_by(_SEARCHES.c.created_at, _SEARCHES.c.id)
        .limit(most),
    )


async def by_reference(session: AsyncSession, territory: str, reference: str) -> list[SearchId]:
    """The search that people call so, if any."""
    found = await session.scalars(
        select(_SEARCHES.c.id).where(
            _SEARCHES.c.territory_id == territory, _SEARCHES.c.reference == reference
        )
    )
    return [SearchId(one) for one in found]


async def references(session: AsyncSession, territory: str, ids: Collection[str]) -> dict[str, str]:
    """Id → what people call the search."""
    if not ids:
        return {}
    found = await session.execute(
        select(_SEARCHES.c.id, _SEARCHES.c.reference).where(
            _SEARCHES.c.territory_id == territory, _SEARCHES.c.id.in_(ids)
        )
    )
    return {row.id: row.reference for row in found}


async def set_priority(
    session: AsyncSession, territory: str, search: SearchId | str, level: Level, *, by_person: bool = True
) -> None:
    """Set the class. What the record gives (``by_person`` False) does not replace what a person set.

    The reason is not taken: it may say something of the patient, and its place is a sealed section.
    """
    statement = update(_SEARCHES).where(_is(territory, search)).values(priority=level.value)
    if by_person:
        statement = statement.values(priority_set=True)
    else:
        statement = statement.where(_SEARCHES.c.priority_set.is_(False))
    await session.execute(statement)


async def join(session: AsyncSession, territory: str, duplicate: str, into: str) -> None:
    """Note that ``duplicate`` ended in ``into``; what was joined to it follows."""
    ours = _SEARCHES.c.territory_id == territory
    await session.execute(
        update(_SEARCHES)
        .where(ours, or_(_SEARCHES.c.id == duplicate, _SEARCHES.c.joined_to == duplicate))
        .values(joined_to=into)
    )


async def part(session: AsyncSession, territory: str, search: str) -> None:
    """A search that had ended in another as its duplicate is one of its own again."""
    await session.execute(update(_SEARCHES).where(_is(territory, search)).values(joined_to=None))


async def joined(session: AsyncSession, territory: str, search: str) -> list[SearchId]:
    """The duplicates that ended in this search: either requester's withdrawal of consent stops all."""
    found = await session.scalars(
        select(_SEARCHES.c.id)
        .where(_SEARCHES.c.territory_id == territory, _SEARCHES.c.joined_to == search)
        .order_by(_SEARCHES.c.id)
    )
    return [SearchId(one) for one in found]


async def family(session: AsyncSession, territory: str, search: str) -> list[SearchId]:
    """The search and all that hold a record of the same people, however far: the one it ended in, the
    duplicates that ended in it, and the parts of a household that was split.
    """
    kin = (_SEARCHES.c.id, _SEARCHES.c.joined_to, _SEARCHES.c.split_from)
    known = select(*kin).where(_is(territory, search)).cte("family", recursive=True)
    this, near = known.c, _SEARCHES.c
    found = known.union(
        select(*kin).where(
            near.territory_id == territory,
            or_(
                near.id.in_((this.joined_to, this.split_from)),
                near.joined_to == this.id,
                near.split_from.in_((this.id, this.split_from)),
            ),
        )
    )
    return [SearchId(one) for one in await session.scalars(select(found.c.id))]


async def outlived(session: AsyncSession, territory: str, before: datetime) -> list[SearchId]:
    """The searches of which nothing need be kept any more: the record is destroyed, and nobody was asked or
    answered since ``before``. A draft, which no doctor ever saw, is over with its record.
    """
    never_out = _SEARCHES.c.state.in_((State.DRAFT.value, State.RETURNED.value))
    long_over = and_(_SEARCHES.c.since < before, _SEARCHES.c.touched_at < before)
    found = await session.scalars(
        select(_SEARCHES.c.id)
        .where(
            _SEARCHES.c.territory_id == territory,
            _SEARCHES.c.record_destroyed.is_(True),
            or_(never_out, long_over),
        )
        .order_by(_SEARCHES.c.id)
    )
    return [SearchId(one) for one in found]


async def forget(session: AsyncSession, territory: str, search: str) -> None:
    """Delete a search whose retention is over, with all that hangs under it. The journal stays."""
    require_transaction(session)
    ours = _SEARCHES.c.territory_id == territory
    await session.execute(
        update(_SEARCHES).where(ours, _SEARCHES.c.joined_to == search).values(joined_to=None)
    )
    await session.execute(delete(_SEARCHES).where(_is(territory, search)))


def _is(territory: str, search: str) -> ColumnElement[bool]:
    return and_(_SEARCHES.c.territory_id == territory, _SEARCHES.c.id == search)


def _among(territory: str, ids: Collection[str]) -> ColumnElement[bool]:
    return and_(_SEARCHES.c.territory_id == territory, _SEARCHES.c.id.in_(ids))


def _by_id(found: Iterable[Owned]) -> dict[str, Owned]:
    return {one.search.id: one for one in found}


def _owned() -> Select[*tuple[object, ...]]:
    return select(
        *_SEARCHES.c, _STRUCTURES.c.name.label("structure_name"), _STRUCTURES.c.kind.label("structure_kind")
    ).select_from(_with_structures())


def _with_structures() -> FromClause:
    theirs = and_(
        _STRUCTURES.c.territory_id == _SEARCHES.c.territory_id, _STRUCTURES.c.id == _SEARCHES.c.structure_id
    )
    return _SEARCHES.outerjoin(_STRUCTURES, theirs)


async def _one(session: AsyncSession, wanted: Select[*tuple[object, ...]]) -> Owned | None:
    found = await _all(session, wanted)
    return found[0] if found else None


async def _all(session: AsyncSession, wanted: Select[*tuple[object, ...]]) -> list[Owned]:
    """Three statements more than the searches', however many they are."""
    rows = (await session.execute(wanted)).mappings().all()
    below = await parts.load(session, rows)
    return [
        Owned(
            search=SEARCH.decode(row, **(dict.fromkeys(_PARTS, ()) | below.get(row["id"], {}))),
            reference=row["reference"],
            structure=row["structure_id"],
            structure_name=row["structure_name"],
            structure_kind=row["structure_kind"],
            created_by=row["created_by"],
            joined_to=row["joined_to"],
            split_from=row["split_from"],
            priority=Level(row["priority"]),
            priority_set=row["priority_set"],
        )
        for row in rows
    ]
