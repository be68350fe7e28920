"""Keys of other systems. Only their hashes are kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.storage.sql import anywhere, change_one
from matcher.storage.tables import ApiKeyRow, table

_KEYS = table(ApiKeyRow)
#: How exactly it is known when a key was last used.
_USED = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key of another system."""

    territory: str
    id: str
    name: str
    role: str
    structure: str | None
    #: None for everything that its role may do.
    scopes: frozenset[str] | None
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    disabled: bool

    def opens(self, now: datetime) -> bool:
        """Whether the key opens anything now."""
        return not self.disabled and (self.expires_at is None or now < self.expires_at)


async def add(
    session: AsyncSession,
    territory: str,
    *,
    key_id: str,
    name: str,
    role: str,
    structure: str | None,
    key_hash: str,
    now: datetime,
    scopes: frozenset[str] | None = None,
    expires_at: datetime | None = None,
) -> None:
    """A new key."""
    require_transaction(session)
    await session.execute(
        _KEYS.insert().values(
            territory_id=territory,
            id=key_id,
            name=name,
            role=str(role),
            structure_id=structure,
            key_hash=key_hash,
            scopes=None if scopes is None else " ".join(sorted(scopes)),
            created_at=now,
            expires_at=expires_at,
        )
    )


async def find(session: AsyncSession, key_hash: str) -> Key | None:
    """Whose key this is, disabled and lapsed ones too."""
    found = await _keys(session, anywhere(_KEYS.c.territory_id), _KEYS.c.key_hash == key_hash)
    return found[0] if found else None


async def get(session: AsyncSession, territory: str, key_id: str) -> Key | None:
    """One key by its id."""
    found = await _keys(session, _KEYS.c.territory_id == territory, _KEYS.c.id == key_id)
    return found[0] if found else None


async def of_territory(session: AsyncSession, territory: str) -> list[Key]:
    """The territory's keys, by name, the newest of a name first."""
    return await _keys(session, _KEYS.c.territory_id == territory)


async def used(session: AsyncSession, territory: str, key_id: str, now: datetime) -> None:
    """Note that a key was used, at most once an hour."""
    long_ago = or_(_KEYS.c.used_at.is_(None), _KEYS.c.used_at <= now - _USED)
    await change_one(session, _KEYS, territory, key_id, long_ago, used_at=now)


async def ends(session: AsyncSession, territory: str, key_id: str, at: datetime) -> None:
    """The key lapses then, or earlier if it already did."""
    later = or_(_KEYS.c.expires_at.is_(None), _KEYS.c.expires_at > at)
    await change_one(session, _KEYS, territory, key_id, later, expires_at=at)


async def disable(session: AsyncSession, territory: str, key_id: str, now: datetime) -> bool:
    """The key opens nothing any more; whether it did until now."""
    return await change_one(session, _KEYS, territory, key_id, _KEYS.c.disabled_at.is_(None), disabled_at=now)


async def _keys(session: AsyncSession, *wanted: ColumnElement[bool]) -> list[Key]:
    rows = await session.execute(
        select(*_KEYS.c)
        .where(*wanted)
        .order_by(_KEYS.c.territory_id, _KEYS.c.name, _KEYS.c.created_at.desc(), _KEYS.c.id)
    )
    return [_key(dict(row)) for row in rows.mappings()]


def _key(row: dict[str, Any]) -> Key:
    return Key(
        territory=row["territory_id"],
        id=row["id"],
        name=row["name"],
        role=row["role"],
        structure=row["structure_id"],
        scopes=None if row["scopes"] is None else frozenset(row["scopes"].split()),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
        disabled=row["disabled_at"] is not None,
    )
