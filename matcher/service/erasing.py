"""Erasing what is kept of one person, in every request about that person, wherever it lies.

At once: the records' keys and texts, the look-ups, the links, the texts of replies; and outside the database
a line, which a restore replays (``service.restoring``). As soon as the doctors who must know of it are told:
every row of the searches, what the outbox knows of their mails, and the mails caught in a rehearsal. What
stays is the journal, which the law demands and which names nobody, and counters in which nobody can be found.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import steps
from matcher.protocol.moves import Event, Refused
from matcher.protocol.search import WithdrawalReason
from matcher.service import searches, turn, vaulted
from matcher.service.actors import COORDINATION, Actor, Role, require, system
from matcher.service.errors import Invalid, NotFound
from matcher.service.house import House
from matcher.storage import gathered, journal, lookups
from matcher.storage import searches as stored
from messaging import traces

MAY_ERASE: Final = COORDINATION | {Role.OPERATOR}
#: What the journal says of an erasure that was asked for.
ERASED: Final = "erased"
#: Mails to doctors that have not left by then hold an erasure up no longer.
PATIENCE: Final = timedelta(days=7)


class AskedBy(StrEnum):
    """Who asked for one's data, or for their end; the journal keeps the word."""

    PATIENT = "asked_by_patient"
    #: Parental authority, tutor, ASE.
    REPRESENTATIVE = "asked_by_representative"
    #: A court, the CNIL.
    AUTHORITY = "asked_by_authority"


async def erase(
    house: House, actor: Actor, search_id: str, reference: str, asked_by: AskedBy
) -> dict[str, list[str]]:
    """End and erase every request about the person of this search: ``{erased: [reference], same_person:
    [reference]}``, the latter being those of others that seem to be about the same person and are left alone.

    ``reference`` is typed by a person, against a slip. Raises NotFound, Invalid.
    """
    require(actor, MAY_ERASE)
    territory = actor.territory
    async with house.sessions.begin() as session:
        owned = await stored.get(session, territory, search_id)
        if owned is None:
            raise NotFound
        if reference.strip().upper() != owned.reference:
            raise Invalid({"reference": f"Pour confirmer, recopiez la référence : {owned.reference}."})
        family = sorted({search_id, *await stored.family(session, territory, search_id)})
        locked = await stored.lock_all(session, territory, family)
        others = await lookups.twins(session, territory, search_id)
        for one in sorted(locked):
            # The lines first: should the transaction fail after that, they say what the person asked for.
            vaulted.register_erased(house, locked[one].search)
            await journal.append(session, house.entry(actor, ERASED, search=one, purpose=asked_by))
        for one in sorted(locked):
            await take_back(session, house, territory, one)
        for one in sorted(locked):
            await _forget_if_told(session, house, territory, one)
    house.bell.ring(territory)
    return {
        "erased": [locked[one].reference for one in family if one in locked],
        "same_person": [said for other, said in others if other not in locked],
    }


def is_erased(house: House, territory: str, search_id: str) -> bool:
    """Whether it was erased already: only rows without a text are left, until the last mails have left."""
    return search_id in vaulted.registered(house, territory, erased=True)


async def finish(house: House, territory: str) -> int:
    """Forget the erased searches whose doctors have been told meanwhile. Returns how many."""
    done = 0
    for search in vaulted.registered(house, territory, erased=True):
        async with house.sessions.begin() as session:
            if await stored.lock(session, territory, search) is not None:
                done += await _forget_if_told(session, house, territory, search)
    return done


async def take_back(session: AsyncSession, house: House, territory: str, search_id: str) -> bool:
    """End one search as its patient asked; False where that is done already, or there is no such search."""
    owned = await stored.lock(session, territory, search_id)
    if owned is None or (owned.search.record_destroyed and searches.is_taken_back(owned.search)):
        return False
    who, before = system(territory), owned.search
    try:
        step = await turn.stepped(
            session, house, before, lambda s, a: steps.withdraw(s, WithdrawalReason.CONSENT, a)
        )
    except Refused:
        # Withdrawn for another reason, and still within its days of grace: the keys go at once.
        await vaulted.destroy(session, house, before, consent_taken_back=False)
        await journal.append(session, house.entry(who, Event.WITHDRAW, search=before.id, purpose="consent"))
        return True
    await turn.carry_out(session, house, who, before, step, Event.WITHDRAW, purpose="consent")
    await searches.stop_relatives(session, house, step.search)
    return True


async def forget(session: AsyncSession, house: House, territory: str, search_id: str) -> None:
    """Delete every row of one search, what is known of its mails, and those that were caught."""
    mails = await traces.naming(session, territory, "search", search_id)
    digests = await gathered.digests_of(session, territory, search_id)
    if house.mailbox is not None:
        known = {mail.message_id for mail in mails}
        known |= {mail.message_id for mail in await traces.of_ids(session, territory, digests)}
        house.mailbox.forget(known)
    await traces.forget_naming(session, territory, "search", search_id)
    await stored.forget(session, territory, search_id)


async def _forget_if_told(session: AsyncSession, house: House, territory: str, search_id: str) -> bool:
    """Whether it could go: a doctor who holds the record is first asked to delete it."""
    since = house.now() - PATIENCE
    mails = await traces.naming(session, territory, "search", search_id)
    if any(mail.waits and mail.enqueued_at > since for mail in mails):
        return False
    await forget(session, house, territory, search_id)
    await journal.append(session, house.entry(system(territory), "forgotten", search=search_id))
    return True
