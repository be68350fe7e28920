"""How often a caller may ask, and how much it may send: a count in this process, and one that all replicas
share.

Each caller (a key, a person, an address without either) has a budget of its own and none is shared: what
floods from elsewhere takes nothing from an emergency department. Whoever stays under ten requests a second,
and sends little, never costs a write.
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

#: Kibibytes of bodies that one caller may send in a day (UTC) over all replicas: what a stolen key can fill a
#: disk with. No structure comes near: 128 requests as large as they may be, or a hundred thousand without
#: attachments.
DAILY: Final = 1024 * 1024
_DAY: Final = 24 * 3600
#: Kibibytes that a process takes between two looks at the shared count.
_STEP: Final = 8 * 1024


class Budget:
    """What each caller may use up in a window of time, over all replicas; a process tells of it by steps.

    ``wall`` is in seconds since the epoch: replicas have it in common. ``step`` is how much a process takes
    between two looks, ``most`` what is taken in a window.
    """

    def __init__(
        self,
        house: House,
        kind: str,
        *,
        window: int,
        step: int,
        most: int,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._house, self._kind, self._wall = house, kind, wall
        self._window, self.step, self.most = window, step, most
        #: Caller → (window, what was not told of yet, whether the rest of the window is refused).
        self._seen: OrderedDict[str, tuple[int, int, bool]] = OrderedDict()

    async def take(self, caller: str, much: int = 1) -> bool:
        """Count so much of ``caller``; False when its window is used up."""
        window = int(self._wall()) // self._window
        before, untold, over = self._seen.pop(caller, (window, 0, False))
        if before != window:
            untold, over = 0, False
        untold += much
        told = untold if untold >= self.step and not over else 0
        # Noted before the database is asked, so that requests meanwhile are counted too.
        self._seen[caller] = (window, untold - told, over)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        if told and await self._together(caller, window, told) > self.most:
            over = True
            self._seen[caller] = (window, 0, True)
        return not over

    def seconds_left(self) -> int:
        """Until the next window begins."""
        return self._window - int(self._wall()) % self._window

    async def _together(self, caller: str, window: int, much: int) -> int:
        subject = self._house.vault.hmac_term("", f"{self._kind}:{caller}")
        at = datetime.fromtimestamp(window * self._window, UTC)
        async with self._house.sessions.begin() as session:
            return await attempts.count(session, "", self._kind, subject, at, much)


class Pace:
    """Takes requests, or not: a bucket in this process, then the count of all."""

    def __init__(
        self, house: House, *, meter: Meter | None = None, wall: Callable[[], float] = time.time
    ) -> None:
        self.meter = meter or Meter()
        self._all = Budget(house, "pace", window=WINDOW, step=BETWEEN, most=SHARED, wall=wall)

    async def take(self, caller: str) -> bool:
        """Count one request of ``caller``; False when it comes too often."""
        return self.meter.take(caller) and await self._all.take(caller)


def volume(house: House, *, most: int = DAILY, wall: Callable[[], float] = time.time) -> Budget:
    """Kibibytes of bodies by caller and day."""
    return Budget(house, "volume", window=_DAY, step=_STEP, most=most, wall=wall)
