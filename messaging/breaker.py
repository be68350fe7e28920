"""Whether it makes sense to try the relay now. Pure: time and chance are passed in.

A relay that is down for an hour must not use up the attempts of ten thousand mails, nor be met by all of
them when it comes back: after a few failures in a row nothing is tried but a connection, every few seconds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

#: So many failures in a row, without a mail or a connection that went well in between, and it is down.
ENOUGH = 3
#: The first pause between two probes; it doubles up to the longest.
FIRST = timedelta(seconds=1)
#: A relay that is back is found within this time.
LONGEST = timedelta(seconds=5)


@dataclass
class Breaker:
    """Closed: mails go. Open: nothing goes but a probe now and then."""

    failures: int = 0
    #: When the next probe may be made; None while closed.
    probe_at: datetime | None = None
    _pause: timedelta = FIRST

    @property
    def open(self) -> bool:
        """Whether the relay is taken to be down."""
        return self.probe_at is not None

    def failed(self, now: datetime, chance: float) -> bool:
        """The relay could not be reached, or would not hear us. True where this opens the breaker.

        ``chance`` is drawn from [0, 1): pauses are spread by a quarter either way.
        """
        self.failures += 1
        if self.failures < ENOUGH:
            return False
        opens = not self.open
        self.probe_at = now + self._pause * (0.75 + chance / 2)
        self._pause = min(self._pause * 2, LONGEST)
        return opens

    def succeeded(self) -> bool:
        """The relay heard us. True where this closes the breaker."""
        closes = self.open
        self.failures, self.probe_at, self._pause = 0, None, FIRST
        return closes

    def may_probe(self, now: datetime) -> bool:
        """Whether it is time to see if the relay is back."""
        return self.probe_at is not None and now >= self.probe_at
