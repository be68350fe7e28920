"""After a restore: consents taken back since are taken back again, who was erased is erased again; the rest
waits for the office.

The register of both lies beside the keys, outside the database and its copies (P9). Mails that
go out again bear their first Message-IDs, since those derive from what they are and from a key.
"""

from collections import Counter
from dataclasses import dataclass

from matcher.service import erasing, vaulted
from matcher.service.actors import COORDINATION, Actor, Role, require, system
from matcher.service.errors import Conflict
from matcher.service.house import House
from matcher.storage import journal, sealed, territories
from matcher.storage import searches as stored


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a restore found and did."""

    territories: tuple[str, ...]
    #: Searches whose consent was taken back after the copy was made.
    withdrawn: int
    #: Searches that were erased after the copy was made.
    erased: int
    #: Keys that sections are sealed to and that are not here: destroyed with their month, or lost.
    keys_missing: tuple[str, ...]


async def after(house: House) -> Restored:
    """What follows a restore at once; every territory is stopped already. Safe to repeat."""
    again: Counter[str] = Counter()
    for territory in sorted(house.territories):
        again += await _replay(house, territory)
        async with house.sessions.begin() as session:
            operator = Actor(territory=territory, id="operator", role=Role.OPERATOR)
            await journal.append(session, house.entry(operator, "restored"))
    async with house.sessions.begin() as session:
        used = await sealed.keys_in_use(session)
    here = {*house.keyring.months(), *house.keyring.drafts()}
    return Restored(
        territories=tuple(sorted(house.territories)),
        withdrawn=again["withdrawn"],
        erased=again["erased"],
        keys_missing=tuple(sorted(used.keys() - here)),
    )


async def resume(house: House, actor: Actor) -> int:
    """The office has looked: steps, mails, answers and releases go on. The number of consents that had been
    taken back meanwhile. Raises Conflict ``not_stopped``.
    """
    require(actor, COORDINATION)
    # Once more: the register may have been put back after the restore.
    withdrawn = (await _replay(house, actor.territory))["withdrawn"]
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


async def _replay(house: House, territory: str) -> Counter[str]:
    """Take back again what the register says was taken back, erase again what was erased."""
    again: Counter[str] = Counter()
    erased = set(vaulted.registered(house, territory, erased=True))
    for search in vaulted.registered(house, territory):
        async with house.sessions.begin() as session:
            again["withdrawn"] += await erasing.take_back(session, house, territory, search)
            # The doctors were told when it was erased first.
            if search in erased and await stored.lock(session, territory, search) is not None:
                await erasing.forget(session, house, territory, search)
                await journal.append(session, house.entry(system(territory), erasing.ERASED, search=search))
                again["erased"] += 1
    return again
