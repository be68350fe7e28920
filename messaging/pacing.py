"""How fast mails go to one recipient domain: large mailbox hosts put off, or refuse, whoever comes in a rush.

Pure: time is passed in. Each process has a pace of its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

#: Domains remembered at most; those that may be written to again at once are forgotten first.
_REMEMBERED = 10_000
_MINUTE = timedelta(minutes=1)


@dataclass
class _Domain:
    #: Up to when the domain has had its share.
    served_until: datetime
    #: The turn of the last mail that was put off.
    last_turn: datetime


class Pace:
    """At most ``per_minute`` mails a minute to one domain, a minute's worth of them at once; 0: no limit."""

    def __init__(self, per_minute: int) -> None:
        self._each = _MINUTE / per_minute if per_minute else None
        self._domains: dict[str, _Domain] = {}

    def turn(self, recipient: str, now: datetime) -> datetime | None:
        """None: this mail may go now. Else when to come again; each mail put off gets a turn of its own."""
        if self._each is None:
            return None
        name = recipient.rpartition("@")[2].lower()
        domain = self._domains.get(name)
        if domain is None:
            if len(self._domains) >= _REMEMBERED:
                self._forget(now)
            domain = self._domains[name] = _Domain(now, now)
        begun = max(domain.served_until, now)
        if begun + self._each <= now + _MINUTE:
            domain.served_until = begun + self._each
            return None
        domain.last_turn = max(domain.last_turn, begun - _MINUTE) + self._each
        return domain.last_turn

    def _forget(self, now: datetime) -> None:
        self._domains = {
            name: domain
            for name, domain in self._domains.items()
            if max(domain.served_until, domain.last_turn) > now
        }
