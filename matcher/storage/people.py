"""Who may come in: structures that submit, users, keys of other systems, open sessions, failed attempts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.storage.sql import anywhere, insert, upsert
from matcher.storage.tables import ApiKeyRow, FailureRow, SessionRow, StructureRow, UserRow, table
from matcher.storage.tables.people import STRUCTURE_KINDS

#: What a structure can be.
KINDS = STRUCTURE_KINDS

_STRUCTURES = table(StructureRow)
_USERS = table(UserRow)
_KEYS = table(ApiKeyRow)
_SESSIONS = table(SessionRow)
_FAILURES = table(FailureRow)


@dataclass(frozen=True, kw_only=True)
class Structure:
    """A structure that submits requests."""

    territory: str
    id: str
    name: str
    kind: str
    email: str | None
    phone: str | None


@dataclass(frozen=True, kw_only=True)
class User:
    """A person who logs in."""

    territory: str
    id: str
    #: In lower case.
    email: str
    name: str
    role: str
    structure: str | None
    #: Argon2id; None until the enrolment link was used.
    password_hash: str | None
    disabled: bool


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key of another system."""

    territory: str
    id: str
    name: str
    role: str
    structure: str | None
    disabled: bool


async def put_structure(
    session: AsyncSession,
    territory: str,
    *,
    structure_id: str,
    name: str,
    kind: str,
    now: datetime,
    email: str | None = None,
    phone: str | None = None,
) -> str:
    """A structure, by its name: the id it has, or ``structure_id`` for a new one. What is None stays as it
    was.
    """
    require_transaction(session)
    statement = insert(session, _STRUCTURES).values(
        territory_id=territory,
        id=structure_id,
        name=name,
        kind=kind,
        email=email,
        phone=phone,
        created_at=now,
    )
    kept = {
        column: func.coalesce(statement.excluded[column], _STRUCTURES.c[column])
        for column in ("kind", "email", "phone")
    }
    found = await session.execute(
        statement.on_conflict_do_update(index_elements=["territory_id", "name"], set_=kept).returning(
            _STRUCTURES.c.id
        )
    )
    return str(found.scalar_one())


async def structure(session: AsyncSession, territory: str, structure_id: str) -> Structure | None:
    """One structure."""
    found = [one for one in await structures(session, territory) if one.id == structure_id]
    return found[0] if found else None


async def structure_by_name(session: AsyncSession, territory: str, name: str) -> str | None:
    """The id of the structure of that name."""
    found = [one.id for one in await structures(session, territory) if one.name == name]
    return found[0] if found else None


async def structures(session: AsyncSession, territory: str) -> list[Structure]:
    """The territory's structures, by name."""
    rows = await session.execute(
        select(*_STRUCTURES.c).where(_STRUCTURES.c.territory_id == territory).order_by(_STRUCTURES.c.name)
    )
    return [
        Structure(
            territory=row["territory_id"],
            id=row["id"],
            name=row["name"],
            kind=row["kind"],
            email=row["email"],
            phone=row["phone"],
        )
        for row in rows.mappings()
    ]


async def put_user(
    session: AsyncSession,
    territory: str,
    *,
    user_id: str,
    email: str,
    name: str,
    role: str,
    structure: str | None,
    enrolment_hash: str,
    enrolment_expires_at: datetime,
    now: datetime,
) -> str:
    """A user, by the address: the id they have, or ``user_id`` for a new one.

    For one who is there the password dies with every open session: only the new enrolment link opens.
    """
    require_transaction(session)
    statement = insert(session, _USERS).values(
        territory_id=territory,
        id=user_id,
        email=email.lower(),
        name=name,
        role=str(role),
        structure_id=structure,
        password_hash=None,
        enrolment_hash=enrolment_hash,
        enrolment_expires_at=enrolment_expires_at,
        created_at=now,
    )
    renewed = (
        "name",
        "role",
        "structure_id",
        "password_hash",
        "enrolment_hash",
        "enrolment_expires_at",
        "disabled_at",
    )
    found = await session.execute(
        statement.on_conflict_do_update(
            index_elements=["territory_id", "email"],
            set_={column: statement.excluded[column] for column in renewed},
        ).returning(_USERS.c.id)
    )
    kept = str(found.scalar_one())
    await end_sessions_of(session, territory, kept)
    return kept


async def user(session: AsyncSession, territory: str, user_id: str) -> User | None:
    """One user, disabled ones too."""
    found = await _users(session, _USERS.c.territory_id == territory, _USERS.c.id == user_id)
    return found[0] if found else None


async def users(session: AsyncSession, territory: str) -> list[User]:
    """The territory's users, by address."""
    return await _users(session, _USERS.c.territory_id == territory)


async def users_by_email(session: AsyncSession, email: str) -> list[User]:
    """Who has this address, in each territory that knows it."""
    return await _users(session, anywhere(_USERS.c.territory_id), _USERS.c.email == email.lower())


async def enrol(session: AsyncSession, enrolment_hash: str, password_hash: str, now: datetime) -> User | None:
    """Use an enrolment link: its user now has that password. None for a used, lapsed or made-up one."""
    require_transaction(session)
    used = (
        await session.execute(
            update(_USERS)
            .where(
                anywhere(_USERS.c.territory_id),
                _USERS.c.enrolment_hash == enrolment_hash,
                _USERS.c.enrolment_expires_at > now,
                _USERS.c.disabled_at.is_(None),
            )
            .values(password_hash=password_hash, enrolment_hash=None, enrolment_expires_at=None)
            .returning(_USERS.c.territory_id, _USERS.c.id)
        )
    ).one_or_none()
    return None if used is None else await user(session, used.territory_id, used.id)


async def set_password(session: AsyncSession, territory: str, email: str, password_hash: str) -> None:
    """Give an account its password; a pending enrolment link dies."""
    await session.execute(
        update(_USERS)
        .where(_USERS.c.territory_id == territory, _USERS.c.email == email.lower())
        .values(password_hash=password_hash, enrolment_hash=None, enrolment_expires_at=None)
    )


async def disable_user(session: AsyncSession, territory: str, user_id: str, now: datetime) -> None:
    """The user is out at once; what they did keeps their id."""
    await session.execute(
        update(_USERS)
        .where(_USERS.c.territory_id == territory, _USERS.c.id == user_id)
        .values(disabled_at=now, password_hash=None, enrolment_hash=None, enrolment_expires_at=None)
    )
    await end_sessions_of(session, territory, user_id)


async def add_key(
    session: AsyncSession,
    territory: str,
    *,
    key_id: str,
    name: str,
    role: str,
    structure: str | None,
    key_hash: str,
    now: datetime,
) -> None:
    """A new key. Only its hash is kept."""
    require_transaction(session)
    await session.execute(
        _KEYS.insert().values(
            territory_id=territory,
            id=key_id,
            name=name,
            role=str(role),
            structure_id=structure,
            key_hash=key_hash,
            created_at=now,
        )
    )


async def key(session: AsyncSession, key_hash: str) -> Key | None:
    """Whose key this is, disabled ones too."""
    found = await _keys(session, anywhere(_KEYS.c.territory_id), _KEYS.c.key_hash == key_hash)
    return found[0] if found else None


async def keys(session: AsyncSession, territory: str) -> list[Key]:
    """The territory's keys, by name."""
    return await _keys(session, _KEYS.c.territory_id == territory)


async def disable_key(session: AsyncSession, territory: str, key_id: str, now: datetime) -> None:
    """The key opens nothing any more."""
    await session.execute(
        update(_KEYS).where(_KEYS.c.territory_id == territory, _KEYS.c.id == key_id).values(disabled_at=now)
    )


async def put_session(
    session: AsyncSession,
    territory: str,
    key_hash: str,
    *,
    user: str | None,
    data: Mapping[str, Any],
    expires_at: datetime,
) -> None:
    """Keep an open session of the pages."""
    row = {
        "territory_id": territory,
        "key_hash": key_hash,
        "user_id": user,
        "data": dict(data),
        "expires_at": expires_at,
    }
    await upsert(session, _SESSIONS, [row])


async def session_data(
    session: AsyncSession, territory: str, key_hash: str, now: datetime
) -> dict[str, Any] | None:
    """What the session holds; None where it ended, expired or never was."""
    return await session.scalar(
        select(_SESSIONS.c.data).where(
            _place(_SESSIONS, territory, key_hash=key_hash), _SESSIONS.c.expires_at > now
        )
    )


async def end_session(session: AsyncSession, territory: str, key_hash: str) -> None:
    """The session is over."""
    await session.execute(delete(_SESSIONS).where(_place(_SESSIONS, territory, key_hash=key_hash)))


async def end_sessions_of(session: AsyncSession, territory: str, user_id: str) -> None:
    """Every session of the user is over."""
    await session.execute(delete(_SESSIONS).where(_place(_SESSIONS, territory, user_id=user_id)))


async def failed(session: AsyncSession, territory: str, kind: str, subject: str, now: datetime) -> None:
    """Count a failed attempt. ``subject`` is a keyed hash; attempts of one minute share a row."""
    statement = insert(session, _FAILURES).values(
        territory_id=territory,
        kind=kind,
        subject=subject,
        window=now.replace(second=0, microsecond=0),
        count=1,
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["territory_id", "kind", "subject", "window"],
            set_={"count": _FAILURES.c.count + 1},
        )
    )


async def failures(session: AsyncSession, territory: str, kind: str, subject: str, since: datetime) -> int:
    """How many attempts of the subject failed since then, to the minute."""
    counted = await session.scalar(
        select(func.coalesce(func.sum(_FAILURES.c.count), 0)).where(
            _place(_FAILURES, territory, kind=kind, subject=subject),
            _FAILURES.c.window > since,
        )
    )
    return int(counted or 0)


async def sweep(session: AsyncSession, territory: str, now: datetime, failures_before: datetime) -> None:
    """Remove sessions that expired and failures that no limit looks at any more."""
    await session.execute(
        delete(_SESSIONS).where(_SESSIONS.c.territory_id == territory, _SESSIONS.c.expires_at <= now)
    )
    await session.execute(
        delete(_FAILURES).where(_FAILURES.c.territory_id == territory, _FAILURES.c.window < failures_before)
    )


def _place(of: Table, territory: str, **columns: str) -> ColumnElement[bool]:
    return and_(of.c.territory_id == territory, *(of.c[name] == value for name, value in columns.items()))


async def _users(session: AsyncSession, *wanted: ColumnElement[bool]) -> list[User]:
    rows = await session.execute(
        select(*_USERS.c).where(*wanted).order_by(_USERS.c.territory_id, _USERS.c.email)
    )
    return [
        User(
            **_common(row),
            email=row["email"],
            password_hash=row["password_hash"],
        )
        for row in rows.mappings()
    ]


async def _keys(session: AsyncSession, *wanted: ColumnElement[bool]) -> list[Key]:
    rows = await session.execute(
        select(*_KEYS.c).where(*wanted).order_by(_KEYS.c.territory_id, _KEYS.c.name, _KEYS.c.id)
    )
    return [Key(**_common(row)) for row in rows.mappings()]


def _common(row: RowMapping) -> dict[str, Any]:
    return {
        "territory": row["territory_id"],
        "id": row["id"],
        "name": row["name"],
        "role": row["role"],
        "structure": row["structure_id"],
        "disabled": row["disabled_at"] is not None,
    }
