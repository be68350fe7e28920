"""How often somebody may fail to come in, counted in the database: every replica sees the same.

Four counts: of one account from one place, of the account from anywhere, of the place (an IP address), of a
territory. Who came in from a place lately, or chose a password there, is held to the first alone: whatever
is tried elsewhere, an emergency department still comes in from where it always does. Counts are of keyed
hashes and do not depend on whether the account exists.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
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
    #: The minute that it is counted in.
    window: datetime

    @property
    def counts(self) -> list[tuple[str, str, str, int]]:
        """Territory, what is counted, of whom, and how many are let be.

        In one order for everybody: tries that come together wait for each other, and never in a circle.
        """
        return sorted(
            [
                (_ANYWHERE, "account", self.account, OF_ACCOUNT),
                (_ANYWHERE, "pair", f"{self.account}:{self.place}", OF_PAIR),
                (_ANYWHERE, "place", self.place, OF_PLACE),
                *((territory, "all", "all", OF_TERRITORY) for territory in self.territories),
            ]
        )


async def begin(
    house: House, kind: str, account: str, place: str, territories: tuple[str, ...] = ()
) -> Attempt:
    """Count a try of the account (an address, an id) from a place (an IP address) as failed, before it is
    looked at: of many that come at once none slips through. Raises TooMany after too many, and counts
    nothing then: who asks meanwhile does not wait longer.
    """
    now = house.now()
    tried = Attempt(
        kind=kind,
        account=_account(house, kind, account),
        place=_place(house, place),
        territories=territories,
        window=now.replace(second=0, microsecond=0),
    )
    over = False
    async with house.sessions.begin() as session:
        known = await _is_known(session, house, tried)
        await _count(session, tried, 1)
        for territory, what, subject, most in tried.counts:
            counted = await attempts.since(session, territory, f"{kind}:{what}", subject, now - WINDOW)
            over = over or (counted > most and (what == "pair" or not known))
        if over:
            await _count(session, tried, -1)
    if over:
        raise TooMany(int(WINDOW.total_seconds()))
    return tried


async def succeeded(session: AsyncSession, house: House, tried: Attempt) -> None:
    """It was no failure; remember from where the account came in."""
    await _count(session, tried, -1)
    for territory in tried.territories:
        await attempts.came_from(session, territory, tried.account, tried.place, house.now())


async def remember(
    session: AsyncSession, house: House, kind: str, account: str, place: str, territory: str
) -> None:
    """The account of a territory comes in from this place: it was proven otherwise."""
    hashed = _account(house, kind, account), _place(house, place)
    await attempts.came_from(session, territory, *hashed, house.now())


def _account(house: House, kind: str, account: str) -> str:
    return house.vault.hmac_term(_ANYWHERE, f"{kind}:{account}")


def _place(house: House, place: str) -> str:
    return house.vault.hmac_term(_ANYWHERE, f"place:{place}")


async def _count(session: AsyncSession, tried: Attempt, by: int) -> None:
    for territory, what, subject, _ in tried.counts:
        await attempts.count(session, territory, f"{tried.kind}:{what}", subject, tried.window, by)


async def _is_known(session: AsyncSession, house: House, tried: Attempt) -> bool:
    since = house.now() - KNOWN
    for territory in tried.territories:
        if await attempts.is_known(session, territory, tried.account, tried.place, since):
            return True
    return False
