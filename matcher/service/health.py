"""Whether the service can do its work. Asks, changes nothing, and names nobody."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError

from matcher.service.house import House
from matcher.storage import migrate, pulse, received
from messaging import outbox

#: A step this late means that no clock ticks; PROTOCOL.md promises a second.
CLOCK_LATE = timedelta(minutes=2)
#: A mail that could have been tried for so long means that no dispatcher runs.
OUTBOX_LATE = timedelta(minutes=15)
RELAY_WITHIN = 2.0


class Word(StrEnum):
    """What a check says."""

    OK = "ok"
    #: The service takes requests and answers, but something that follows is late: people must look.
    LATE = "late"
    UNREACHABLE = "unreachable"
    #: Requests would be lost: no traffic should come here.
    FAILING = "failing"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How much waits. Ages are of the oldest, zero where nothing does."""

    outbox_waiting: int = 0
    outbox_age: timedelta = timedelta()
    steps_age: timedelta = timedelta()
    searches: dict[tuple[str, str], int]
    #: Mails that came back, by kind and reading; and how many of all wait to be read.
    received: dict[tuple[str, str], int] = field(default_factory=dict)
    to_read: int = 0


async def checks(house: House) -> dict[str, Word]:
    """Each check with its word.

    Only the database and its schema can be ``failing``: with the relay down, requests and answers are
    still taken, and nothing is lost.
    """
    relay = asyncio.create_task(_relay(house))
    found = {"database": Word.OK, "migrations": Word.OK, "clock": Word.OK, "outbox": Word.OK}
    try:
        async with house.sessions() as session:
            if not migrate.suits(await pulse.revision(session)):
                found["migrations"] = Word.FAILING
        figures = await read(house)
        if figures.steps_age > CLOCK_LATE:
            found["clock"] = Word.LATE
        if figures.outbox_age > OUTBOX_LATE:
            found["outbox"] = Word.LATE
    except (SQLAlchemyError, OSError):
        found = dict.fromkeys(found, Word.FAILING)
    found["relay"] = await relay
    return found


async def read(house: House) -> Figures:
    """The figures as they are now."""
    now = house.now()
    async with house.sessions() as session:
        seen = await pulse.pulse(session, now)
        back, to_read = await received.counts(session), await received.to_read(session)
        waiting, oldest = await outbox.unsent(session), await outbox.oldest_unsent(session)
    return Figures(
        outbox_waiting=waiting,
        outbox_age=_age(oldest, now),
        steps_age=_age(seen.oldest_due, now),
        searches=seen.searches,
        received=back,
        to_read=to_read,
    )


def _age(since: datetime | None, now: datetime) -> timedelta:
    return timedelta() if since is None else now - since


async def _relay(house: House) -> Word:
    relay = house.settings.relay
    try:
        async with asyncio.timeout(RELAY_WITHIN):
            _, writer = await asyncio.open_connection(relay.host, relay.port)
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError):
        return Word.UNREACHABLE
    return Word.OK
