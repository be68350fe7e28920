"""Who may come in: structures that submit, and users."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.storage import sessions
from matcher.storage.sql import anywhere, insert
from matcher.storage.tables import StructureRow, UserRow, table
from matcher.storage.tables.people import STRUCTURE_KINDS

#: What a structure can be.
KINDS = STRUCTURE_KINDS

_STRUCTURES = table(StructureRow)
_USERS = table(UserRow)


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
    only_new: bool = False,
) -> str | None:
    """A user, by the address: the id they have, or ``user_id`` for a new one.

    For one who is there the password dies with every open session: only the new enrolment link opens; with
    ``only_new`` nothing changes, and None tells so.
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
    place = ["territory_id", "email"]
    if only_new:
        made = await session.execute(
            statement.on_conflict_do_nothing(index_elements=place).returning(_USERS.c.id)
        )
        fresh: str | None = made.scalar_one_or_none()
        return fresh
    found = await session.execute(
        statement.on_conflict_do_update(
            index_elements=place, set_={column: statement.excluded[column] for column in renewed}
        ).returning(_USERS.c.id)
    )
    kept = str(found.scalar_one())
    await sessions.end_of(session, territory, kept)
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


async def enrolling(session: AsyncSession, enrolment_hash: str, now: datetime) -> User | None:
    """Whose enrolment link this is; None for a used, lapsed or made-up one."""
    found = await _users(
        session,
        anywhere(_USERS.c.territory_id),
        _USERS.c.enrolment_hash == enrolment_hash,
        _USERS.c.enrolment_expires_at > now,
        _USERS.c.disabled_at.is_(None),
    )
    return found[0] if found else None


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


async def change_password(session: AsyncSession, territory: str, user_id: str, password_hash: str) -> None:
    """The user's password from now on; a pending enrolment link dies."""
    await session.execute(
        update(_USERS)
        .where(_USERS.c.territory_id == territory, _USERS.c.id == user_id)
        .values(password_hash=password_hash, enrolment_hash=None, enrolment_expires_at=None)
    )


async def disable_user(session: AsyncSession, territory: str, user_id: str, now: datetime) -> None:
    """The user is out at once; what they did keeps their id."""
    await session.execute(
        update(_USERS)
        .where(_USERS.c.territory_id == territory, _USERS.c.id == user_id)
        .values(disabled_at=now, password_hash=None, enrolment_hash=None, enrolment_expires_at=None)
    )
    await sessions.end_of(session, territory, user_id)


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


def _common(row: RowMapping) -> dict[str, Any]:
    return {
        "territory": row["territory_id"],
        "id": row["id"],
        "name": row["name"],
        "role": row["role"],
        "structure": row["structure_id"],
        "disabled": row["disabled_at"] is not None,
    }
