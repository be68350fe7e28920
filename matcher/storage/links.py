"""Capability links. The token is derived from a row under a key that is not in the database."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, RowMapping, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.protocol.ids import DoctorId, SearchId
from matcher.storage.sql import anywhere, insert
from matcher.storage.tables import LinkRow, table

_LINKS = table(LinkRow)
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One link: what it is for, and for whom."""

    territory: str
    id: str
    purpose: str
    #: Changes to revoke: every token made before is then junk.
    nonce: str
    #: None, like ``run``, for a link that concerns the doctor whatever the search (pause).
    search: SearchId | None
    run: int | None
    doctor: DoctorId
    expires_at: datetime
    last_opened_at: datetime | None


async def ensure(
    session: AsyncSession,
    territory: str,
    search: str,
    run: int,
    doctors: Collection[str],
    purpose: str,
    *,
    now: datetime,
    expires_at: datetime,
) -> dict[str, Row]:
    """The one link of this purpose for each of these doctors in this run, made if it is not there. A later
    ``expires_at`` prolongs it: it lives as long as any mail that carries it may be read.
    """
    return await _ensure(session, territory, search, run, doctors, purpose, now, expires_at)


async def of_doctor(
    session: AsyncSession,
    territory: str,
    doctor: str,
    purpose: str,
    *,
    now: datetime,
    life: timedelta = timedelta(days=30),
) -> Row:
    """A doctor's link that hangs under no search (the one-click pause), alive until ``now + life``."""
    return (await _ensure(session, territory, None, None, [doctor], purpose, now, now + life))[doctor]


async def of_doctors(
    session: AsyncSession,
    territory: str,
    doctors: Collection[str],
    purpose: str,
    *,
    now: datetime,
    life: timedelta = timedelta(days=30),
) -> dict[str, Row]:
    """Each doctor's link that hangs under no search, alive until ``now + life`` less a day at least."""
    found = await session.execute(
        select(*_LINKS.c).where(
            _LINKS.c.territory_id == territory,
            _LINKS.c.doctor_id.in_(doctors),
            _LINKS.c.purpose == purpose,
            _LINKS.c.search_id.is_(None),
            # A day more or less is nothing to a link of a month, and saves writing with every mail.
            _LINKS.c.expires_at > now + life - _A_DAY,
        )
    )
    kept: dict[str, Row] = {row.doctor: row for row in map(_row, found.mappings())}
    missing = set(doctors) - set(kept)
    return kept | await _ensure(session, territory, None, None, missing, purpose, now, now + life)


async def of_searches(
    session: AsyncSession, territory: str, searches: Collection[str], doctors: Collection[str]
) -> dict[tuple[str, int, str, str], Row]:
    """The links of these doctors in these searches, by search, run, doctor and purpose."""
    found = await session.execute(
        select(*_LINKS.c).where(
            _LINKS.c.territory_id == territory,
            _LINKS.c.search_id.in_(searches),
            _LINKS.c.doctor_id.in_(doctors),
        )
    )
    rows = map(_row, found.mappings())
    return {(str(row.search), row.run or 0, row.doctor, row.purpose): row for row in rows}


async def by_id(session: AsyncSession, link: str) -> Row | None:
    """The link that a token claims to be; the token itself is checked by ``messaging.links``."""
    found = await session.execute(
        select(*_LINKS.c).where(anywhere(_LINKS.c.territory_id), _LINKS.c.id == link)
    )
    row = found.mappings().one_or_none()
    return None if row is None else _row(row)


async def opened(session: AsyncSession, link: Row, now: datetime) -> None:
    """Note that its page was opened: an answer that follows too fast is held."""
    await session.execute(update(_LINKS).where(_is(link)).values(last_opened_at=now))


async def revoke(session: AsyncSession, territory: str, search: str, doctor: str, *purposes: str) -> None:
    """Kill every token of the doctor's links of these purposes in this search, whatever the run.

    The links themselves stay: the next mail carries a new token.
    """
    await _revoke(session, territory, doctor, _LINKS.c.search_id == search, _LINKS.c.purpose.in_(purposes))


async def revoke_of_doctor(session: AsyncSession, territory: str, doctor: str, *purposes: str) -> None:
    """Kill every token that was ever sent to the doctor's former address; only of these purposes, if any."""
    await _revoke(session, territory, doctor, *([_LINKS.c.purpose.in_(purposes)] if purposes else []))


async def sweep(session: AsyncSession, territory: str, before: datetime) -> None:
    """Forget the links that were over before then; those of a search that is forgotten go with it."""
    require_transaction(session)
    await session.execute(
        delete(_LINKS).where(_LINKS.c.territory_id == territory, _LINKS.c.expires_at < before)
    )


async def _ensure(
    session: AsyncSession,
    territory: str,
    search: str | None,
    run: int | None,
    doctors: Collection[str],
    purpose: str,
    now: datetime,
    expires_at: datetime,
) -> dict[str, Row]:
    """In a few statements, whatever the number of doctors; in their order, so that two who do the same cannot
    lock each other out.
    """
    require_transaction(session)
    if not doctors:
        return {}
    fresh = [
        {
            "territory_id": territory,
            "id": uuid4().hex,
            "purpose": purpose,
            "nonce": secrets.token_hex(16),
            "search_id": search,
            "run": run,
            "doctor_id": doctor,
            "created_at": now,
            "expires_at": expires_at,
        }
        for doctor in sorted(set(doctors))
    ]
    await session.execute(insert(session, _LINKS).on_conflict_do_nothing(), fresh)
    theirs = _of(territory, search, run, doctors, purpose)
    wanted = select(*_LINKS.c).where(theirs).order_by(_LINKS.c.doctor_id)
    found = [_row(row) for row in (await session.execute(wanted)).mappings()]
    if any(row.expires_at < expires_at for row in found):
        await session.execute(wanted.with_for_update())
        await session.execute(
            update(_LINKS).where(theirs, _LINKS.c.expires_at < expires_at).values(expires_at=expires_at)
        )
        found = [_row(row) for row in (await session.execute(wanted)).mappings()]
    return {row.doctor: row for row in found}


async def _revoke(session: AsyncSession, territory: str, doctor: str, *which: ColumnElement[bool]) -> None:
    require_transaction(session)
    theirs = and_(_LINKS.c.territory_id == territory, _LINKS.c.doctor_id == doctor, *which)
    for link in (await session.scalars(select(_LINKS.c.id).where(theirs))).all():
        # One by one: each gets a nonce of its own.
        await session.execute(
            update(_LINKS)
            .where(_LINKS.c.territory_id == territory, _LINKS.c.id == link)
            .values(nonce=secrets.token_hex(16))
        )


def _of(
    territory: str, search: str | None, run: int | None, doctors: Collection[str], purpose: str
) -> ColumnElement[bool]:
    return and_(
        _LINKS.c.territory_id == territory,
        _LINKS.c.doctor_id.in_(doctors),
        _LINKS.c.purpose == purpose,
        _LINKS.c.search_id.is_(None) if search is None else _LINKS.c.search_id == search,
        _LINKS.c.run.is_(None) if run is None else _LINKS.c.run == run,
    )


def _is(link: Row) -> ColumnElement[bool]:
    return and_(_LINKS.c.territory_id == link.territory, _LINKS.c.id == link.id)


def _row(row: RowMapping) -> Row:
    return Row(
        territory=row["territory_id"],
        id=row["id"],
        purpose=row["purpose"],
        nonce=row["nonce"],
        search=row["search_id"],
        run=row["run"],
        doctor=row["doctor_id"],
        expires_at=row["expires_at"],
        last_opened_at=row["last_opened_at"],
    )
