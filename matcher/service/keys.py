"""The life of the vault's keys: a new month, sealing again, destroying, putting back."""

from collections.abc import Callable

from matcher.service.errors import Conflict
from matcher.service.house import House
from matcher.storage import sealed
from messaging.escrow import identity_of
from messaging.keyring import KeyAbsent

_BATCH = 100


async def rewrap(house: House, progress: Callable[[int, int], None]) -> int:
    """Seal every live record again to the current month. Resumes where it was stopped: what is done is
    under the new key. ``progress`` is told how many sections were sealed again, of how many that there were
    to do; the caller gets the first of the two.
    """
    current = house.keyring.current(house.now())
    months = [month for month in house.keyring.months() if month != current]
    async with house.sessions.begin() as session:
        used = await sealed.keys_in_use(session)
    total = sum(used.get(month, 0) for month in months)
    done = 0
    for month in months:
        after = None
        while True:
            async with house.sessions.begin() as session:
                batch = await sealed.under_key(session, month, after=after, limit=_BATCH)
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


async def destroy(house: House, month: str) -> None:
    """Destroy a month's key pair, and with it every backup's records of that month.

    Raises Conflict while a live record still needs it (``keys rewrap`` first), or for the current month;
    KeyAbsent where there is none.
    """
    if month not in house.keyring.months():
        raise KeyAbsent(month)
    if month == house.keyring.current(house.now()):
        raise Conflict("current_key", "this is the current month's key; it still seals new records")
    async with house.sessions.begin() as session:
        used = (await sealed.keys_in_use(session)).get(month, 0)
    if used:
        raise Conflict("key_in_use", f"{used} sections are still sealed to it; run trait-union keys rewrap")
    house.keyring.destroy(month)


async def recover(house: House, identity: str) -> list[str]:
    """Put back the pairs whose private halves are lost, and the MAC keys, from the copies that ``identity``
    opens.

    ``identity`` is the text of the offline key's file. Returns their names. Raises BadEscrowKey, or KeyAbsent
    where a copy is another offline key's.
    """
    opener = identity_of(identity)
    names = house.escrow.names()
    return [name for name in names if house.keyring.put_back(name, house.escrow.opened(name, opener))]
