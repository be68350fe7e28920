"""When an announcement waits for others, so that several to one doctor go as one mail. Pure.

The first few of a window go at once, each by itself; what comes on top of them waits for the window's end.
Who puts the mails together is ``service.gathering``; the simulator plays the same rule.
"""

from datetime import datetime, timedelta
from typing import Final

from matcher.protocol.effects import Letter
from matcher.protocol.hours import after
from matcher.protocol.rules import Rules
from matcher.protocol.search import Search

#: The letters that a digest may be made of.
GATHERED: Final = frozenset({Letter.ANNOUNCEMENT, Letter.REMINDER})


def window(search: Search, letter: Letter, rules: Rules, now: datetime) -> timedelta | None:
    """How long this letter may wait for others; None: not at all.

    At most a quarter of what the search's next wave waits for. An urgent search never waits.
    """
    if letter not in GATHERED or search.urgent or rules.gathering is None:
        return None
    next_wave = after(now, rules.delays.next_wave, rules.doctors_calendar) - now
    return min(rules.gathering.window, next_wave / 4)


def until(rules: Rules, window: timedelta, count: int, first: datetime | None) -> datetime | None:
    """Until when the letter waits; None: it goes at once, by itself.

    ``count`` letters of its kind, itself included, were written to this doctor within the window, the
    first of them at ``first``.
    """
    if rules.gathering is None or first is None or count <= rules.gathering.more_than:
        return None
    return first + window
