"""After a failed attempt: when to try again, or give up. Pure: time and chance are passed in."""

from datetime import datetime, timedelta
from enum import StrEnum

#: No pause is longer, so that a relay back after a day finds its mail within the half hour.
LONGEST = timedelta(minutes=30)
#: A mail that was tried in vain for so long is dead. Public relays give up after as long.
PATIENCE = timedelta(days=5)
#: Each ambiguous attempt may have put one more copy into a mailbox.
AMBIGUOUS_ATTEMPTS = 6


class Failure(StrEnum):
    """Why a mail did not get a clear yes."""

    #: No connection, no greeting, no log-in: the relay heard nothing of this mail, whatever is in it.
    UNREACHED = "unreached"
    #: The connection was lost, or too slow, before the message was on its way. Nothing has left.
    CONNECTION = "connection"
    #: The relay says "later" (4xx): a grey list, a full mailbox, too many mails. Nothing has left.
    DEFERRED = "deferred"
    #: The relay says "never" (5xx). Nothing has left.
    PERMANENT = "permanent"
    #: The connection was lost once the message was on its way: it may have left.
    AMBIGUOUS = "ambiguous"
    #: We could not word it: a template or a datum at fault, which somebody will mend.
    FAULT = "fault"


#: The first pause after each kind; it doubles with each attempt.
FIRST = {
    Failure.UNREACHED: timedelta(seconds=2),
    Failure.CONNECTION: timedelta(seconds=10),
    # Grey lists ask for minutes, and whoever comes again within seconds is taken for a robot.
    Failure.DEFERRED: timedelta(seconds=60),
    Failure.AMBIGUOUS: timedelta(seconds=30),
    Failure.FAULT: timedelta(seconds=60),
}


def next_attempt(
    failure: Failure, *, attempts: int, since: datetime, now: datetime, chance: float
) -> datetime | None:
    """When to try again after ``attempts`` attempts, the first of them at ``since``, or None to give up.

    ``chance`` is drawn from [0, 1): pauses are spread by a quarter either way, lest all mails that met one
    dead relay come back to it in the same second.
    """
    if failure is Failure.PERMANENT or now - since >= PATIENCE:
        return None
    if failure is Failure.AMBIGUOUS and attempts >= AMBIGUOUS_ATTEMPTS:
        return None
    # The exponent is bounded first: a thousand attempts would otherwise overflow a timedelta.
    pause: timedelta = min(FIRST[failure] * 2 ** min(max(attempts, 1) - 1, 20), LONGEST)
    spread: float = 0.75 + chance / 2
    return now + pause * spread
