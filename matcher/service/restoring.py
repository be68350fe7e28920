"""After a restore: consents taken back since are taken back again; the rest waits for the office.

The register of withdrawn consents lies beside the keys, outside the database and its copies (P9). Mails that
go out again bear their first Message-IDs, since those derive from what they are and from a key.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import steps
from matcher.protocol.moves import Event, Refused
from matcher.protocol.search import WithdrawalReason
from matcher.service import searches, turn, vaulted
from matcher.service.actors import COORDINATION, Actor, Role, require, system
from matcher.service.errors import Conflict
from matcher.service.house import House
from matcher.storage import journal, sealed, territories
from matcher.storage import searches as stored
from messaging.keyring import INTAKE


class BadRegister(Exception):
    """A line of the register cannot be read: a consent taken back could be missed."""


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a restore found and did."""

    territories: tuple[str, ...]
    #: Searches whose consent was taken back after the copy was made.
    withdrawn: int
    #: Keys that sections are sealed to and that are not here: destroyed with their month, or lost.
    keys_missing: tuple[str, ...]


async def after(house: House) -> Restored:
    """What follows a restore at once; every territory is stopped already. Safe to repeat."""
    withdrawn = 0
    for territory in sorted(house.territories):
        withdrawn += await _withdraw_again(house, territory)
        async with house.sessions.begin() as session:
            operator = Actor(territory=territory, id="operator", role=Role.OPERATOR)
            await journal.append(session, house.entry(operator, "restored"))
    async with house.sessions.begin() as session:
        used = await sealed.keys_in_use(session)
    here = {*house.keyring.months(), INTAKE}
    return Restored(
        territories=tuple(sorted(house.territories)),
        withdrawn=withdrawn,
        keys_missing=tuple(sorted(used.keys() - here)),
    )


async def resume(house: House, actor: Actor) -> int:
    """The office has looked: steps, mails, answers and releases go on. The number of consents that had been
    taken back meanwhile. Raises Conflict ``not_stopped``.
    """
    require(actor, COORDINATION)
    # Once more: the register may have been put back after the restore.
    withdrawn = await _withdraw_again(house, actor.territory)
    async with house.sessions.begin() as session:
        await journal.append(session, house.entry(actor, "resumed"))
        if not await territories.is_stopped(session, actor.territory):
            raise Conflict("not_stopped", "Le service n’est pas arrêté.")
        await territories.stop(session, actor.territory, None)
    house.bell.ring(actor.territory)
    return withdrawn


async def is_stopped(house: House, territory: str) -> bool:
    """Whether this territory waits for its office."""
    async with house.sessions.begin() as session:
        return await territories.is_stopped(session, territory)


async def _withdraw_again(house: House, territory: str) -> int:
    again = 0
    for search in dict.fromkeys(_registered(house.keyring.folder / vaulted.REGISTER, territory)):
        async with house.sessions.begin() as session:
            again += await _take_back(session, house, territory, search)
    return again


async def _take_back(session: AsyncSession, house: House, territory: str, search_id: str) -> bool:
    """End one search as its patient asked; False where the copy knows of it, or knows no such search."""
    owned = await stored.lock(session, territory, search_id)
    if owned is None or (owned.search.record_destroyed and searches.is_taken_back(owned.search)):
        return False
    who, before = system(territory), owned.search
    try:
        step = await turn.stepped(
            session, house, before, lambda s, a: steps.withdraw(s, WithdrawalReason.CONSENT, a)
        )
    except Refused:
        # Withdrawn for another reason in the copy, and still within its days of grace: the keys go at once.
        await vaulted.destroy(session, house, before, consent_taken_back=False)
        await journal.append(session, house.entry(who, Event.WITHDRAW, search=before.id, purpose="consent"))
        return True
    await turn.carry_out(session, house, who, before, step, Event.WITHDRAW, purpose="consent")
    await searches.stop_relatives(session, house, step.search)
    return True


def _registered(register: Path, territory: str) -> Iterator[str]:
    """The searches of a territory in the register. Raises BadRegister."""
    if not register.exists():
        return
    for number, line in enumerate(register.read_text("utf-8").splitlines(keepends=True), 1):
        if not line.endswith("\n"):
            # The last line of a process that was killed while it wrote: what it stood for was not done.
            return
        try:
            told = json.loads(line)
            if told["territory"] == territory:
                yield told["search"]
        except (ValueError, KeyError, TypeError):
            raise BadRegister(f"{register.name}, line {number}") from None
