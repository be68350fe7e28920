"""Forms that structures share: an address and a code."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.storage.sql import anywhere, change_one
from matcher.storage.tables import FormLinkRow, table

_LINKS = table(FormLinkRow)
_OPEN = _LINKS.c.revoked_at.is_(None)


@dataclass(frozen=True, kw_only=True)
class FormLink:
    """One shared form."""

    territory: str
    id: str
    structure: str
    code_hash: str
    changed_at: datetime
    expires_at: datetime
    revoked: bool
    used_at: datetime | None

    def opens(self, now: datetime) -> bool:
        """Whether its code opens anything now."""
        return not self.revoked and now < self.expires_at


async def add(
    session: AsyncSession,
    territory: str,
    *,
    link_id: str,
    structure: str,
    code_hash: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """A new form."""
    require_transaction(session)
    await session.execute(
        _LINKS.insert().values(
            territory_id=territory,
            id=link_id,
            structure_id=structure,
            code_hash=code_hash,
            created_at=now,
            changed_at=now,
            expires_at=expires_at,
        )
    )


async def find(session: AsyncSession, link_id: str) -> FormLink | None:
    """The form of that address, over ones too; its territory is not known yet."""
    found = await _links(session, anywhere(_LINKS.c.territory_id), _LINKS.c.id == link_id)
    return found[0] if found else None


async def get(session: AsyncSession, territory: str, link_id: str) -> FormLink | None:
    """One form of the territory."""
    found = await _links(session, _LINKS.c.territory_id == territory, _LINKS.c.id == link_id)
    return found[0] if found else None


async def of_territory(session: AsyncSession, territory: str) -> list[FormLink]:
    """The territory's forms that were not revoked."""
    return await _links(session, _LINKS.c.territory_id == territory, _OPEN)


async def renew(
    session: AsyncSession, territory: str, link_id: str, code_hash: str, now: datetime, expires_at: datetime
) -> bool:
    """Another code: the old one, and every session that it opened, are over."""
    return await change_one(
        session, _LINKS, territory, link_id, _OPEN, code_hash=code_hash, changed_at=now, expires_at=expires_at
    )


async def revoke(session: AsyncSession, territory: str, link_id: str, now: datetime) -> bool:
    """The form is over; whether it was open until now."""
    return await change_one(session, _LINKS, territory, link_id, _OPEN, revoked_at=now)


async def used(session: AsyncSession, territory: str, link_id: str, now: datetime) -> None:
    """Note that somebody came in by it."""
    await change_one(session, _LINKS, territory, link_id, used_at=now)


async def _links(session: AsyncSession, *wanted: ColumnElement[bool]) -> list[FormLink]:
    rows = await session.execute(
        select(*_LINKS.c).where(*wanted).order_by(_LINKS.c.territory_id, _LINKS.c.created_at, _LINKS.c.id)
    )
    return [
        FormLink(
            territory=row["territory_id"],
            id=row["id"],
            structure=row["structure_id"],
            code_hash=row["code_hash"],
            changed_at=row["changed_at"],
            expires_at=row["expires_at"],
            revoked=row["revoked_at"] is not None,
            used_at=row["used_at"],
        )
        for row in rows.mappings()
    ]
