"""Protocol time that runs faster than the wall's, and the same in every process of this host."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class FastClock:
    """``speed`` seconds of protocol time pass in one second of the host's monotonic clock."""

    #: The monotonic clock's reading when protocol time was ``EPOCH``.
    base: float
    speed: float

    def __call__(self) -> datetime:
        return EPOCH + timedelta(seconds=(time.monotonic() - self.base) * self.speed)

    def real(self, protocol: timedelta) -> float:
        """How many real seconds that takes."""
        return protocol.total_seconds() / self.speed


#: A Monday morning; the territory's calendars are always open.
EPOCH = datetime(2026, 11, 23, 8, tzinfo=UTC)
