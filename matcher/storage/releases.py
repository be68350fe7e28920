"""The releases of records: which is in force, its codes, and the one statement that opens it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.search import Release, ReleaseKind
from matcher.storage.sql import changed
from matcher.storage.tables import PositionRow, ReleaseRow, SearchRow, table

#: So many wrong codes lock the release until it is renewed.
WRONG_CODES = 5

_RELEASES = table(ReleaseRow)
_SEARCHES = table(SearchRow)
_POSITIONS = table(PositionRow)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One release. Its codes are derived from ``id`` and ``code_number``."""

    territory: str
    search: SearchId
    number: int
    doctor: DoctorId
    run: int
    kind: ReleaseKind
    at: datetime
    code_number: int
    code_expires_at: datetime | None
    code_used_at: datetime | None
    failures: int
    #: Too many wrong codes.
    locked: bool
    opened_at: datetime | None
    ended_at: datetime | None

    @property
    def id(self) -> str:
        """Unique in the territory."""
        return f"{self.search}.{self.number}"

    @property
    def in_force(self) -> bool:
        """Neither renewed nor ended."""
        return self.ended_at is None

    def code_alive(self, now: datetime) -> bool:
        """Whether there is a code that could be used now."""
        return (
            self.in_force
            and not self.locked
            and self.code_used_at is None
            and self.code_expires_at is not None
            and now < self.code_expires_at
        )


async def insert(
    session: AsyncSession,
    territory: str,
    search: str,
    release: Release,
    *,
    run: int,
    code_expires_at: datetime | None,
) -> None:
    """A release comes into force, with a first code until ``code_expires_at`` (None: no code); the one
    before, if any, ends.
    """
    require_transaction(session)
    await end(session, territory, search, release.at)
    await session.execute(
        _RELEASES.insert().values(
            territory_id=territory,
            search_id=search,
            number=release.number,
            doctor_id=release.doctor,
            run=run,
            kind=release.kind.value,
            at=release.at,
            code_number=0 if code_expires_at is None else 1,
            code_expires_at=code_expires_at,
            failures=0,
            locked=False,
        )
    )


async def end(session: AsyncSession, territory: str, search: str, now: datetime) -> None:
    """Whatever release is in force ends: its doctor may no longer have the record."""
    await session.execute(
        update(_RELEASES)
        .where(
            _RELEASES.c.territory_id == territory,
            _RELEASES.c.search_id == search,
            _RELEASES.c.ended_at.is_(None),
        )
        .values(ended_at=now)
    )


async def get(session: AsyncSession, territory: str, search: str, number: int) -> Row | None:
    """The release of that number."""
    found = await session.execute(select(*_RELEASES.c).where(_is(territory, search, number)))
    row = found.mappings().one_or_none()
    return None if row is None else _row(row)


async def new_code(session: AsyncSession, territory: str, search: str, number: int, until: datetime) -> bool:
    """A new code, made on demand; the one before is void. False where the release is locked or ended."""
    made = await changed(
        session,
        update(_RELEASES)
        .where(_is(territory, search, number), _RELEASES.c.locked.is_(False), _RELEASES.c.ended_at.is_(None))
        .values(code_number=_RELEASES.c.code_number + 1, code_expires_at=until, code_used_at=None),
    )
    return made == 1


async def use_code(session: AsyncSession, row: Row, now: datetime) -> bool:
    """Open the release with the code that ``row`` shows, which the caller has checked. A code opens once,
    however many come together.
    """
    return await _open(
        session,
        row,
        now,
        _RELEASES.c.code_number == row.code_number,
        _RELEASES.c.code_used_at.is_(None),
        _RELEASES.c.code_expires_at > now,
    )


async def use_other_factor(session: AsyncSession, row: Row, now: datetime) -> bool:
    """Open the release with a second factor that is used up elsewhere; its code, if any, is void with it."""
    return await _open(session, row, now)


async def _open(session: AsyncSession, row: Row, now: datetime, *more: ColumnElement[bool]) -> bool:
    """One conditional UPDATE … RETURNING. It asks again, of the rows themselves, what must hold before any
    byte leaves the vault (P1): in force, not locked, the search released or attached, this doctor its chosen
    one, and ``more``.
    """
    require_transaction(session)
    released = exists().where(
        _SEARCHES.c.territory_id == _RELEASES.c.territory_id,
        _SEARCHES.c.id == _RELEASES.c.search_id,
        _SEARCHES.c.run == _RELEASES.c.run,
        _SEARCHES.c.state.in_(("released", "attached")),
        _SEARCHES.c.record_destroyed.is_(False),
    )
    chosen = exists().where(
        _POSITIONS.c.territory_id == _RELEASES.c.territory_id,
        _POSITIONS.c.search_id == _RELEASES.c.search_id,
        _POSITIONS.c.run == _RELEASES.c.run,
        _POSITIONS.c.doctor_id == _RELEASES.c.doctor_id,
        _POSITIONS.c.stand == "chosen",
    )
    opened = await session.scalar(
        update(_RELEASES)
        .where(
            _is(row.territory, row.search, row.number),
            _RELEASES.c.ended_at.is_(None),
            _RELEASES.c.locked.is_(False),
            released,
            chosen,
            *more,
        )
        .values(code_used_at=now, failures=0, opened_at=func.coalesce(_RELEASES.c.opened_at, now))
        .returning(_RELEASES.c.number)
    )
    return opened is not None


async def wrong_code(session: AsyncSession, row: Row, limit: int = WRONG_CODES) -> int:
    """Count a wrong code; how many there were since the last right one. The ``limit``-th locks."""
    require_transaction(session)
    failures = _RELEASES.c.failures + 1
    counted = await session.execute(
        update(_RELEASES)
        .where(_is(row.territory, row.search, row.number))
        .values(failures=failures, locked=or_(_RELEASES.c.locked, failures >= limit))
        .returning(_RELEASES.c.failures)
    )
    return int(counted.scalar_one())


def _is(territory: str, search: str, number: int) -> ColumnElement[bool]:
    return and_(
        _RELEASES.c.territory_id == territory,
        _RELEASES.c.search_id == search,
        _RELEASES.c.number == number,
    )


def _row(row: RowMapping) -> Row:
    return Row(
        territory=row["territory_id"],
        search=row["search_id"],
        number=row["number"],
        doctor=row["doctor_id"],
        run=row["run"],
        kind=ReleaseKind(row["kind"]),
        at=row["at"],
        code_number=row["code_number"],
        code_expires_at=row["code_expires_at"],
        code_used_at=row["code_used_at"],
        failures=row["failures"],
        locked=row["locked"],
        opened_at=row["opened_at"],
        ended_at=row["ended_at"],
    )
