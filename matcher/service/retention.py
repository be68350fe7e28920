"""What retention ends (PROTOCOL.md, "Retention"). Records end by their own due steps; here goes the rest.

Whatever the moment at which it runs, and however often: each thing goes when its own time is over. Counters
without persons stay (``service.figures``), and a search leaves one line in the journal.
"""

from collections import Counter
from datetime import timedelta
from typing import Final

from config.settings import elapsed
from matcher.service import erasing, replies, vaulted
from matcher.service.actors import system
from matcher.service.attempts import KNOWN
from matcher.service.house import House, Territory
from matcher.storage import (
    attempts,
    calls,
    idempotency,
    journal,
    journal_chain,
    links,
    offers,
    origins,
    past,
    sealed,
    searches,
    sessions,
)
from messaging import outbox

#: How long answers are kept for their Idempotency-Key, and login failures for their limit.
KEPT: Final = timedelta(days=2)
#: What the journal says of a search whose last row is gone.
FORGOTTEN: Final = "forgotten"


async def purge(house: House) -> Counter[str]:
    """Forget what no retention covers any more, in every territory. Returns what was forgotten, counted:
    ``searches``, ``answers`` of doctors, ``lists``, ``mails``, ``journal_months``.
    """
    done: Counter[str] = Counter()
    for territory in house.territories.values():
        await _count_left(house, territory.id)
        # Searches before what hangs under them: what goes with its search need not be looked for.
        done["searches"] += await _forget_searches(house, territory)
        done["searches"] += await erasing.finish(house, territory.id)
        done += await _forget_old(house, territory)
    async with house.sessions.begin() as session:
        # What is tried before it is known where belongs to no territory.
        await attempts.sweep(session, "", house.now() - KEPT, house.now() - KNOWN)
    return done


async def _count_left(house: House, territory: str) -> None:
    """Count the figures that a process without the keys had to leave."""
    async with house.sessions.begin() as session:
        left = await sealed.left(session, territory, vaulted.FIGURES)
    for search in left:
        async with house.sessions.begin() as session:
            owned = await searches.lock(session, territory, search)
            if owned is not None:
                await vaulted.count_left(session, house, owned.search)


async def _forget_searches(house: House, territory: Territory) -> int:
    before = house.now() - elapsed(territory.settings.retention.contact)
    async with house.sessions.begin() as session:
        over = await searches.outlived(session, territory.id, before)
    forgotten = 0
    # One by one: nobody who works waits for all of them.
    for search in over:
        async with house.sessions.begin() as session:
            if await searches.lock(session, territory.id, search) is None:
                continue
            await searches.forget(session, territory.id, search)
            await journal.append(session, house.entry(system(territory.id), FORGOTTEN, search=search))
            forgotten += 1
    return forgotten


async def _forget_old(house: House, territory: Territory) -> Counter[str]:
    now, retention, here = house.now(), territory.settings.retention, territory.id
    before = now - elapsed(retention.contact)
    done: Counter[str] = Counter()
    async with house.sessions.begin() as session:
        done["answers"] = await past.forget(session, here, before)
        done["lists"] = await origins.sweep(session, here, before)
        done["mails"] = await outbox.purge(session, here, before=before)
        await replies.forget(session, here, now, elapsed(retention.contact))
        await offers.sweep(session, here, before)
        await links.sweep(session, here, before)
        await calls.sweep(session, here, now - KEPT)
        await idempotency.sweep(session, here, now - KEPT)
        await sessions.sweep(session, here, now)
        await attempts.sweep(session, here, now - KEPT, now - KNOWN)
    async with house.sessions.begin() as session:
        sign = house.keyring.journal().sign
        await journal_chain.seal_months(session, here, now, sign)
        pruned = await journal_chain.prune(session, here, now - elapsed(retention.journal), now, sign)
        done["journal_months"] = pruned
    return done
