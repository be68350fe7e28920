"""How much a caller may send, for how long, and how often."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: Bytes of a body that a known caller may send: a bulletin with its attachments.
LARGEST_BODY = 8 * 1024 * 1024
#: Bytes of a body that anybody may send: a token and a short answer.
LARGEST_ANONYMOUS_BODY = 64 * 1024
#: Bytes of what is kept of a form that outlived its session and waits for the login: long texts, no files.
LARGEST_CARRIED = 256 * 1024

#: Bytes of large bodies that are held at once, in this process, and by one caller of them.
ROOM = 64 * 1024 * 1024
ROOM_OF_EACH = 24 * 1024 * 1024

#: Requests a second that each caller may keep up; the contract promises that 20 are never refused.
SUSTAINED = 50.0
#: Requests that may come at once.
BURST = 200.0
#: Callers remembered; the longest silent is forgotten first, so memory stays flat.
REMEMBERED = 10_000


@dataclass
class Patience:
    """How long a body may take to arrive; a value that a test may shorten."""

    seconds: float = 30.0


@dataclass
class Room:
    """The memory that large bodies may take: a body, what it is read into and what is made of it. Whoever
    may send little is never asked to wait; one caller cannot take everybody's room.
    """

    total: int = ROOM
    each: int = ROOM_OF_EACH
    _held: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def holding(self, caller: str, size: int) -> Iterator[bool]:
        """Hold room for a body of so many bytes meanwhile; False where there is none now."""
        if size <= LARGEST_ANONYMOUS_BODY:
            yield True
            return
        if self._held.total() + size > self.total or self._held[caller] + size > self.each:
            yield False
            return
        self._held[caller] += size
        try:
            yield True
        finally:
            self._held[caller] -= size
            if not self._held[caller]:
                del self._held[caller]


@dataclass
class Meter:
    """A token bucket for each caller, in this process."""

    sustained: float = SUSTAINED
    burst: float = BURST
    remembered: int = REMEMBERED
    #: Seconds that only go forward; a wall clock may be set back.
    seconds: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, caller: str) -> bool:
        """Count one request of ``caller``; False when it comes too often."""
        now = self.seconds()
        left, at = self._buckets.pop(caller, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.sustained)
        allowed = left >= 1
        self._buckets[caller] = (left - 1 if allowed else left, now)
        if len(self._buckets) > self.remembered:
            self._buckets.popitem(last=False)
        return allowed
