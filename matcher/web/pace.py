"""How often a caller may ask: a bucket in this process, and a count that all replicas share.

Each caller (a key, a person, an address without either) has a budget of its own and none is shared: what
floods from elsewhere takes nothing from an emergency department. Whoever stays under ten requests a second
never costs a write.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from matcher.service.house import House
from matcher.storage import attempts
from matcher.web.limits import BURST, REMEMBERED, SUSTAINED, Meter

#: Seconds in which requests are counted together.
WINDOW: Final = 10
#: Requests that a process answers between two looks at the shared count.
BETWEEN: Final = 100
#: Requests of one caller in a window over all replicas; the contract promises that 200 are never refused.
SHARED: Final = int(SUSTAINED * WINDOW + BURST)


class Pace:
    """Takes requests, or not. ``wall`` is in seconds since the epoch: replicas have it in common."""

    def __init__(
        self, house: House, *, meter: Meter | None = None, wall: Callable[[], float] = time.time
    ) -> None:
        self._house = house
        self.meter = meter or Meter()
        self._wall = wall
        #: Caller → (window, requests here, whether the rest of the window is refused).
        self._seen: OrderedDict[str, tuple[int, int, bool]] = OrderedDict()

    async def take(self, caller: str) -> bool:
        """Count one request of ``caller``; False when it comes too often."""
        if not self.meter.take(caller):
            return False
        window = int(self._wall()) // WINDOW
        before, count, over = self._seen.pop(caller, (window, 0, False))
        if before != window:
            count, over = 0, False
        count += 1
        # Noted before the database is asked, so that requests meanwhile are counted too.
        self._seen[caller] = (window, count, over)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        if not over and count % BETWEEN == 0:
            over = await self._together(caller, window) > SHARED
            if over:
                self._seen[caller] = (window, count, True)
        return not over

    async def _together(self, caller: str, window: int) -> int:
        subject = self._house.vault.hmac_term("", f"pace:{caller}")
        at = datetime.fromtimestamp(window * WINDOW, UTC)
        async with self._house.sessions.begin() as session:
            return await attempts.count(session, "", "pace", subject, at, BETWEEN)
