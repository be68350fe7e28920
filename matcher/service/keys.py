"""The life of the vault's keys: a new month, sealing again, destroying, putting back."""

from collections.abc import Callable

from matcher.service.errors import Conflict
from matcher.service.house import House
from matcher.storage import sealed
from messaging.escrow import identity_of
from messaging.keyring import KeyAbsent

_BATCH = 100


async def rewrap(house: House, progress: Callable[[int, int], None]) -> int:
    """Seal every live record and draft again to the current month. Resumes where it was stopped: what is done
    is under the new key. ``progress`` is told how many sections were sealed again, of how many that there
    were to do; the caller gets the first of the two.
    """
    ring, now = house.keyring, house.now()
    moves = {name: ring.current(now) for name in ring.months()}
    moves |= {name: ring.current_drafts(now) for name in ring.drafts()}
    moves = {name: current for name, current in moves.items() if name != current}
    async with house.sessions.begin() as session:
        used = await sealed.keys_in_use(session)
    total = sum(used.get(name, 0) for name in moves)
    done = 0
    for name, current in moves.items():
        after = None
        while True:
            async with house.sessions.begin() as session:
                batch = await sealed.under_key(session, name, after=after, limit=_BATCH)
                for section in batch:
                    place = {
                        "territory": section.territory,
                        "record": section.search,
                        "section": section.section,
                    }
                    again = house.vault.rewrap(section.sealed, current, **place)
                    done += await sealed.rewrapped(session, section, again)
            if not batch:
                break
            progress(done, total)
            after = batch[-1]
    return done


async def destroy(house: House, month: str) -> list[str]:
    """Destroy a month's key pairs, and with them every backup's records and drafts of that month; their
    names. ``month`` is the whole of one (``2026-11``), without what is sealed to now, or one generation of it
    (``2026-11-2``).

    Raises Conflict while a live record or draft still needs one (``keys rewrap`` first), or for what new ones
    are sealed to, now or in a month to come; KeyAbsent where there is none.
    """
    ring, now = house.keyring, house.now()
    named = ring.named(month)
    if not named:
        raise KeyAbsent(month)
    serving = ring.serving(now)
    going = [name for name in named if name not in serving]
    if not going:
        raise Conflict("current_key", "this month's key seals new records, now or when its month comes")
    async with house.sessions.begin() as session:
        in_use = await sealed.keys_in_use(session)
        used = sum(in_use.get(name, 0) for name in going)
        if used:
            raise Conflict(
                "key_in_use", f"{used} sections are still sealed to it; run trait-union keys rewrap"
            )
        # Before the files go: an intake whose folder is older than this refuses rather than loses.
        await sealed.mark_destroyed(session, house.territories, going, now)
    for name in going:
        ring.destroy(name)
    return going


async def recover(house: House, identity: str) -> list[str]:
    """Put back the pairs whose private halves are lost, the MAC keys and the journal's key, from the copies
    that ``identity`` opens.

    ``identity`` is the text of the offline key's file. Returns their names. Raises BadEscrowKey, or KeyAbsent
    where a copy is another offline key's.
    """
    opener = identity_of(identity)
    names = house.escrow.names()
    return [name for name in names if house.keyring.put_back(name, house.escrow.opened(name, opener))]
