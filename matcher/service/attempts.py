"""How often somebody may fail to come in, counted in the database: every replica sees the same.

Four counts: of one account from one place, of the account from anywhere, of the place (an IP address), of a
territory. Who came in from a place lately, or chose a password there, is held to the first alone: whatever
is tried elsewhere, an emergency department still comes in from where it always does. Counts are of keyed
hashes and do not depend on whether the account exists.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.service.errors import TooMany
from matcher.service.house import House
from matcher.storage import attempts

WINDOW: Final = timedelta(minutes=15)
#: Failures in one window: of an account from one place, of an account, of a place, of a territory.
OF_PAIR, OF_ACCOUNT, OF_PLACE, OF_TERRITORY = 10, 50, 100, 1000
#: For how long a place is known.
KNOWN: Final = timedelta(days=30)
#: Not a territory's: counts begin before it is known.
_ANYWHERE: Final = ""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try to come in: ``kind`` is ``login``, ``factor`` or ``form``."""

    kind: str
    #: Keyed hashes.
    account: str
    place: str
    #: Those that know the account.
    territories: tuple[str, ...]


def attempt(house: House, kind: str, account: str, place: str, territories: tuple[str, ...] = ()) -> Attempt:
    """A try of the account (an address, an id) from a place (an IP address)."""
    return Attempt(
        kind=kind,
        account=house.vault.hmac_term(_ANYWHERE, f"{kind}:{account}"),
        place=house.vault.hmac_term(_ANYWHERE, f"place:{place}"),
        territories=territories,
    )


async def refuse_too_many(session: AsyncSession, house: House, tried: Attempt) -> None:
    """Raise TooMany where this try comes after too many failures."""
    now = house.now()

    async def failed(territory: str, what: str, subject: str) -> int:
        return await attempts.since(session, territory, f"{tried.kind}:{what}", subject, now - WINDOW)

    pair = f"{tried.account}:{tried.place}"
    over = await failed(_ANYWHERE, "pair", pair) >= OF_PAIR
    if not over and not await _is_known(session, house, tried):
        over = (
            await failed(_ANYWHERE, "account", tried.account) >= OF_ACCOUNT
            or await failed(_ANYWHERE, "place", tried.place) >= OF_PLACE
        )
        for territory in tried.territories:
            over = over or await failed(territory, "all", "all") >= OF_TERRITORY
    if over:
        raise TooMany(int(WINDOW.total_seconds()))


async def failed(session: AsyncSession, house: House, tried: Attempt) -> None:
    """Count a failure. In a transaction that stays."""
    window = house.now().replace(second=0, microsecond=0)
    counted = [
        (_ANYWHERE, "account", tried.account),
        (_ANYWHERE, "pair", f"{tried.account}:{tried.place}"),
        (_ANYWHERE, "place", tried.place),
        *((territory, "all", "all") for territory in tried.territories),
    ]
    # One order for everybody: two failures at once wait for each other, and never in a circle.
    for territory, what, subject in sorted(counted):
        await attempts.count(session, territory, f"{tried.kind}:{what}", subject, window)


async def succeeded(session: AsyncSession, house: House, tried: Attempt) -> None:
    """Remember from where the account came in."""
    for territory in tried.territories:
        await attempts.came_from(session, territory, tried.account, tried.place, house.now())


async def _is_known(session: AsyncSession, house: House, tried: Attempt) -> bool:
    since = house.now() - KNOWN
    for territory in tried.territories:
        if await attempts.is_known(session, territory, tried.account, tried.place, since):
            return True
    return False
