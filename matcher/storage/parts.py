"""What hangs under a search and is part of its value: solicitations, calls, positions, timers, tasks.

Only the differences are written. Solicitations and positions of earlier runs are never touched: they are
its history.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import RowMapping, Table, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import among
from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.search import Position, Search, Solicitation, Stand, Task, Timer
from matcher.storage.convert import CALL_ATTEMPT, POSITION, SOLICITATION, TASK, TIMER
from matcher.storage.sql import batches, upsert
from matcher.storage.tables import (
    CallAttemptRow,
    PositionRow,
    SearchRow,
    SolicitationRow,
    TaskRow,
    TimerRow,
    table,
)

_SEARCHES = table(SearchRow)
_SOLICITATIONS = table(SolicitationRow)
_ATTEMPTS = table(CallAttemptRow)
_POSITIONS = table(PositionRow)
_TIMERS = table(TimerRow)
_TASKS = table(TaskRow)

V = TypeVar("V")


async def save(session: AsyncSession, before: Search | None, after: Search) -> None:
    """Write what differs between the parts of two values of one search."""
    same_run = before is not None and before.run == after.run
    place = {"territory_id": after.territory, "search_id": after.id}
    in_run = place | {"run": after.run}

    old = before.solicitations if before is not None and same_run else ()
    await _difference(
        session,
        _SOLICITATIONS,
        {_key(in_run, doctor_id=s.doctor, channel=s.channel.value): s for s in old},
        {_key(in_run, doctor_id=s.doctor, channel=s.channel.value): s for s in after.solicitations},
        lambda s: in_run | SOLICITATION.encode(s),
    )
    await _difference(
        session,
        _ATTEMPTS,
        _attempts(in_run, old),
        _attempts(in_run, after.solicitations),
        lambda row: row,
    )
    await _difference(
        session,
        _POSITIONS,
        {
            _key(in_run, doctor_id=p.doctor): p
            for p in (before.positions if before is not None and same_run else ())
        },
        {_key(in_run, doctor_id=p.doctor): p for p in after.positions},
        lambda p: in_run | POSITION.encode(p),
        # The doctor who is no longer chosen makes way before the one who now is.
        last=lambda p: p.stand is Stand.CHOSEN,
    )
    await _difference(
        session,
        _TIMERS,
        {_doctors_key(place, t): t for t in (before.timers if before else ())},
        {_doctors_key(place, t): t for t in after.timers},
        lambda t: place | TIMER.encode(t) | {"doctor_id": t.doctor or "", "lease_until": None, "fence": 0},
        # Set anew: whoever claimed it before comes too late, and anybody may claim it.
        besides={"fence": _TIMERS.c.fence + 1},
    )
    await _difference(
        session,
        _TASKS,
        {_doctors_key(place, t): t for t in (before.tasks if before else ())},
        {_doctors_key(place, t): t for t in after.tasks},
        lambda t: place | TASK.encode(t) | {"doctor_id": t.doctor or ""},
    )


async def load(session: AsyncSession, rows: Sequence[RowMapping]) -> dict[str, dict[str, tuple[Any, ...]]]:
    """The parts of the current runs of searches of one territory, by search id, as fields of the value.

    Their order says nothing: what the protocol holds in tuples are sets, and they come back sorted.
    """
    found: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for batch in batches(rows):
        territory, ids = batch[0]["territory_id"], [row["id"] for row in batch]
        attempts: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
        for row in await _of_runs(session, _ATTEMPTS, territory, ids, "number"):
            attempts[row["search_id"], row["doctor_id"], row["channel"]].append(CALL_ATTEMPT.decode(row))
        for row in await _of_runs(
            session, _SOLICITATIONS, territory, ids, "wave", "at", "doctor_id", "channel"
        ):
            calls = tuple(attempts[row["search_id"], row["doctor_id"], row["channel"]])
            found[row["search_id"]]["solicitations"].append(SOLICITATION.decode(row, attempts=calls))
        for row in await _of_runs(session, _POSITIONS, territory, ids, "at", "doctor_id"):
            found[row["search_id"]]["positions"].append(POSITION.decode(row))
        for row in await _of_searches(session, _TIMERS, territory, ids, "due_at", "kind", "doctor_id"):
            found[row["search_id"]]["timers"].append(timer_of(row))
        for row in await _of_searches(session, _TASKS, territory, ids, "since", "kind", "doctor_id"):
            found[row["search_id"]]["tasks"].append(task_of(row))
    return {
        search: {name: tuple(values) for name, values in parts.items()} for search, parts in found.items()
    }


async def earlier_runs(
    session: AsyncSession, territory: str, search: SearchId
) -> list[tuple[int, Solicitation | Position]]:
    """Who was asked and what they answered in the runs before this one, oldest run first."""
    wanted = (search,)
    attempts: dict[tuple[int, str, str], list[Any]] = defaultdict(list)
    for row in await _of_searches(session, _ATTEMPTS, territory, wanted, "number"):
        attempts[row["run"], row["doctor_id"], row["channel"]].append(CALL_ATTEMPT.decode(row))
    current = await session.scalar(
        select(_SEARCHES.c.run).where(_SEARCHES.c.territory_id == territory, _SEARCHES.c.id == search)
    )
    history: list[tuple[int, Solicitation | Position]] = []
    for row in await _of_searches(session, _SOLICITATIONS, territory, wanted, "run", "at", "doctor_id"):
        calls = tuple(attempts[row["run"], row["doctor_id"], row["channel"]])
        history.append((row["run"], SOLICITATION.decode(row, attempts=calls)))
    answered = await _of_searches(session, _POSITIONS, territory, wanted, "run", "at", "doctor_id")
    history += [(row["run"], POSITION.decode(row)) for row in answered]
    return sorted((item for item in history if item[0] != current), key=lambda item: item[0])


def timer_of(row: RowMapping) -> Timer:
    """The timer of a row."""
    return TIMER.decode(row, doctor=_doctor(row))


def task_of(row: RowMapping) -> Task:
    """The task of a row."""
    return TASK.decode(row, doctor=_doctor(row))


def _doctor(row: RowMapping) -> DoctorId | None:
    return DoctorId(row["doctor_id"]) if row["doctor_id"] else None


async def _of_runs(
    session: AsyncSession, source: Table, territory: str, ids: Sequence[str], *order: str
) -> Sequence[RowMapping]:
    current = and_(
        _SEARCHES.c.territory_id == source.c.territory_id,
        _SEARCHES.c.id == source.c.search_id,
        _SEARCHES.c.run == source.c.run,
    )
    found = await session.execute(
        select(*source.c)
        .join(_SEARCHES, current)
        .where(source.c.territory_id == territory, source.c.search_id.in_(ids))
        .order_by(*(source.c[name] for name in order))
    )
    return found.mappings().all()


async def _of_searches(
    session: AsyncSession, source: Table, territory: str, ids: Sequence[str], *order: str
) -> Sequence[RowMapping]:
    found = await session.execute(
        select(*source.c)
        .where(source.c.territory_id == territory, source.c.search_id.in_(ids))
        .order_by(*(source.c[name] for name in order))
    )
    return found.mappings().all()


def _key(place: Mapping[str, Any], **more: Any) -> Hashable:
    return tuple({**place, **more}.items())


def _doctors_key(place: Mapping[str, Any], one: Timer | Task) -> Hashable:
    return _key(place, kind=one.kind.value, doctor_id=one.doctor or "")


def _attempts(in_run: Mapping[str, Any], asked: Iterable[Solicitation]) -> dict[Hashable, dict[str, Any]]:
    rows = {}
    for one in asked:
        for number, attempt in enumerate(one.attempts, start=1):
            place = dict(in_run) | {"doctor_id": one.doctor, "channel": one.channel.value, "number": number}
            rows[_key(place)] = place | CALL_ATTEMPT.encode(attempt)
    return rows


async def _difference(
    session: AsyncSession,
    into: Table,
    old: Mapping[Hashable, V],
    new: Mapping[Hashable, V],
    encode: Callable[[V], dict[str, Any]],
    *,
    last: Callable[[V], bool] = lambda _: False,
    besides: Mapping[str, Any] | None = None,
) -> None:
    """Delete the keys that went, write those that came or changed."""
    gone = [dict(key) for key in old if key not in new]  # type: ignore[call-overload]
    if gone:
        columns = [into.c[name] for name in gone[0]]
        await session.execute(delete(into).where(among(columns, [tuple(key.values()) for key in gone])))
    written = [value for key, value in new.items() if key not in old or old[key] != value]
    for late in (False, True):
        await upsert(session, into, [encode(v) for v in written if last(v) is late], besides=besides)
