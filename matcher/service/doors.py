"""The doors that links open: a token checked, its search locked, the release behind it.

A bad token has one answer, an ended one another, and neither says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import steps
from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Event
from matcher.protocol.search import Search, State
from matcher.service import turn
from matcher.service.actors import Actor, Role
from matcher.service.errors import BadLink, Over
from matcher.service.house import House
from matcher.storage import journal, links, releases, searches
from messaging.links import Link, Purpose

#: Wrong codes that lock the link, whatever the kind of second factor.
WRONG_CODES = 5


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A link that was checked, with its search."""

    link: links.Row
    search: Search

    @property
    def doctor(self) -> DoctorId:
        return self.link.doctor

    @property
    def actor(self) -> Actor:
        """The doctor, as the journal names him."""
        return actor_of(self.link)


def actor_of(link: links.Row) -> Actor:
    """The doctor of a link, as the journal names him."""
    return Actor(territory=link.territory, id=link.doctor, role=Role.DOCTOR)


async def checked(session: AsyncSession, house: House, token: str, purposes: set[Purpose]) -> links.Row:
    """The link of a token. Every wrong one is checked to the end, so that none answers sooner."""
    claimed = house.links.link_id(token)
    row = None if claimed is None else await links.by_id(session, claimed)
    known = None if row is None else link_of(row)
    good = [house.links.check(token, known, purpose) for purpose in sorted(purposes)]
    if row is None or not any(good) or row.territory not in house.territories:
        raise BadLink
    if row.expires_at <= house.now():
        raise Over
    return row


def link_of(row: links.Row) -> Link:
    """The part of a link that its token is derived from."""
    return Link(territory=row.territory, purpose=row.purpose, id=row.id, nonce=row.nonce)


async def opened(session: AsyncSession, house: House, token: str, purposes: set[Purpose]) -> Opened:
    """The link of a token with its search, whose row is locked until the transaction ends."""
    link = await checked(session, house, token, purposes)
    owned = None if link.search is None else await searches.lock(session, link.territory, link.search)
    if owned is None:
        raise Over
    return Opened(link=link, search=owned.search)


async def release_of(session: AsyncSession, opened: Opened) -> releases.Row:
    """The release that this link opens, still standing. Raises Over otherwise (P1)."""
    standing = opened.search.release
    if (
        opened.search.state not in (State.RELEASED, State.ATTACHED)
        or opened.search.chosen != opened.doctor
        or standing is None
        or standing.doctor != opened.doctor
    ):
        raise Over
    row = await releases.get(session, opened.link.territory, opened.search.id, standing.number)
    if row is None:
        raise Over
    return row


async def step(
    session: AsyncSession,
    house: House,
    opened: Opened,
    action: Event,
    move: turn.Move,
    reason: Mapping[str, str] | None = None,
) -> None:
    """One event of the link's search, by its doctor."""
    done = await turn.stepped(session, house, opened.search, move)
    await turn.carry_out(
        session, house, opened.actor, opened.search, done, action, doctor=opened.doctor, reason=reason
    )


async def count_wrong_code(session: AsyncSession, house: House, opened: Opened, row: releases.Row) -> bool:
    """Count a second factor that was wrong; the last one allowed locks the link. Whether it is locked now."""
    failures = await releases.wrong_code(session, row, WRONG_CODES)
    await journal.append(
        session, house.entry(opened.actor, "wrong_code", search=opened.search.id, doctor=opened.doctor)
    )
    if failures < WRONG_CODES:
        return False
    await step(session, house, opened, Event.LOCK_RELEASE, steps.lock_release)
    return True
