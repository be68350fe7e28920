"""How much a caller may send, for how long, and how often."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

#: Bytes of a body that a known caller may send: a bulletin with its attachments.
LARGEST_BODY = 8 * 1024 * 1024
#: Bytes of a body that anybody may send: a token and a short answer.
LARGEST_ANONYMOUS_BODY = 64 * 1024
#: Bytes of what is kept of a form that outlived its session and waits for the login: long texts, no files.
LARGEST_CARRIED = 256 * 1024

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
