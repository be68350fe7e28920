"""Protocol time that runs faster than the wall's, and the same in every process of this host; it can be set
wrong, as a host's clock can.
"""

import mmap
import struct
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class FastClock:
    """``speed`` seconds of protocol time pass in one second of the host's monotonic clock."""

    #: The monotonic clock's reading when protocol time was ``EPOCH``.
    base: float
    speed: float
    #: Holds by how many seconds of protocol time the clock was set wrong since; every process reads it.
    shared: Path

    def __call__(self) -> datetime:
        elapsed = (time.monotonic() - self.base) * self.speed + _FORMAT.unpack_from(_opened(self.shared))[0]
        return EPOCH + timedelta(seconds=elapsed)

    def shift(self, by: timedelta) -> None:
        """Somebody sets the clock of the host, forward or back; it stays so."""
        held = _opened(self.shared)
        _FORMAT.pack_into(held, 0, _FORMAT.unpack_from(held)[0] + by.total_seconds())

    def real(self, protocol: timedelta) -> float:
        """How many real seconds that takes."""
        return protocol.total_seconds() / self.speed


def started(speed: float, folder: Path) -> FastClock:
    """A clock that shows ``EPOCH`` now."""
    shared = folder / "clock"
    shared.write_bytes(_FORMAT.pack(0.0))
    return FastClock(time.monotonic(), speed, shared)


@cache
def _opened(path: Path) -> mmap.mmap:
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), 0)


_FORMAT = struct.Struct("d")
#: A Monday morning; the territory's calendars are always open.
EPOCH = datetime(2026, 11, 23, 8, tzinfo=UTC)
