"""Whether the service can do its work, and whether anybody waits because of it. Asks, changes nothing, and
names nobody.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from matcher.protocol.moves import Event
from matcher.service.house import House
from matcher.storage import journal, migrate, pulse, received, territories
from messaging import dead_letters, outbox

#: A step this late means that no clock ticks; PROTOCOL.md promises a second.
CLOCK_LATE = timedelta(minutes=2)
#: A mail that could have left for so long means that no dispatcher runs, or that the relay is away.
OUTBOX_LATE = timedelta(minutes=15)
RELAY_WITHIN = 2.0
#: By which way a doctor says something, in the journal's words and in ours.
_ANSWERS: Final[Mapping[str, str]] = {Event.ANSWER: "mail", Event.CALL: "phone"}
#: What became of the mails that a search follows, in the journal's words and in ours.
_MAILS: Final[Mapping[str, str]] = {
    Event.MAIL_ACCEPTED: "accepted",
    Event.MAIL_DROPPED: "dropped",
    Event.MAIL_DEAD: "dead",
}


class Word(StrEnum):
    """What a check says."""

    OK = "ok"
    #: The service takes requests and answers, but something that follows is late: people must look.
    LATE = "late"
    UNREACHABLE = "unreachable"
    #: A territory was restored from a copy, and everything waits until its office resumes.
    STOPPED = "stopped"
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
    #: By territory: mails that died and of which nobody took note.
    dead_letters: dict[str, int] = field(default_factory=dict)
    #: Whether each territory waits for its office to resume.
    stopped: dict[str, bool] = field(default_factory=dict)
    #: Since midnight (UTC), by territory: what doctors said by ``mail`` or ``phone``, what became of mails,
    #: and bounces.
    answers: dict[tuple[str, str, str], int] = field(default_factory=dict)
    mails: dict[tuple[str, str], int] = field(default_factory=dict)
    bounces: dict[str, int] = field(default_factory=dict)


async def checks(house: House, figures: Figures | None = None) -> dict[str, Word]:
    """Each check with its word; ``figures`` where they were just read.

    Only the database and its schema can be ``failing``: with the relay down, requests and answers are
    still taken, and nothing is lost.
    """
    relay = asyncio.create_task(_relay(house))
    found = dict.fromkeys(("database", "migrations", "clock", "outbox", "resumed"), Word.OK)
    try:
        async with house.sessions() as session:
            if not migrate.suits(await pulse.revision(session)):
                found["migrations"] = Word.FAILING
        figures = figures or await read(house)
        if figures.steps_age > CLOCK_LATE:
            found["clock"] = Word.LATE
        if figures.outbox_age > OUTBOX_LATE:
            found["outbox"] = Word.LATE
        if any(figures.stopped.values()):
            found["resumed"] = Word.STOPPED
    except (SQLAlchemyError, OSError):
        found = dict.fromkeys(found, Word.FAILING)
    found["relay"] = await relay
    return found


async def read(house: House) -> Figures:
    """The figures as they are now."""
    now = house.now()
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    async with house.sessions() as session:
        stopped = await territories.stopped(session)
        seen = await pulse.pulse(session, now)
        back, to_read = await received.counts(session), await received.to_read(session)
        waiting, oldest = await outbox.unsent(session), await outbox.oldest_unsent(session, now, stopped)
        done = await journal.tally(session, midnight, _ANSWERS.keys() | _MAILS.keys())
        dead = await dead_letters.counts(session)
        bounces = await received.bounces(session, midnight)
    everywhere = sorted(house.territories)
    return Figures(
        outbox_waiting=waiting,
        outbox_age=_age(oldest, now),
        steps_age=_age(seen.oldest_due, now),
        searches=seen.searches,
        received=back,
        to_read=to_read,
        dead_letters=dict.fromkeys(everywhere, 0) | dead,
        stopped={territory: territory in stopped for territory in everywhere},
        answers={
            (territory, _ANSWERS[action], purpose or ""): number
            for (territory, action, purpose), number in done.items()
            if action in _ANSWERS
        },
        mails=_mails(done, everywhere),
        bounces=dict.fromkeys(everywhere, 0) | bounces,
    )


def _mails(
    done: Mapping[tuple[str, str, str | None], int], everywhere: Sequence[str]
) -> dict[tuple[str, str], int]:
    found = {(territory, outcome): 0 for territory in everywhere for outcome in _MAILS.values()}
    for (territory, action, _), number in done.items():
        if action in _MAILS:
            key = territory, _MAILS[action]
            found[key] = found.get(key, 0) + number
    return found


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
