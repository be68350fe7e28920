"""An SMTP server of its own making that misbehaves on command, and keeps account of all that it was given."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum


class Mood(StrEnum):
    """What the relay does to some of the mails."""

    KIND = "kind"
    #: 4xx at RCPT.
    LATER = "later"
    #: 5xx at RCPT.
    NEVER = "never"
    SLOW = "slow"
    #: The connection is cut at DATA: nothing was taken.
    CUT_BEFORE = "cut_before"
    #: The connection is cut once the message is there: taken, and never said.
    CUT_AFTER = "cut_after"
    #: The connection is cut with the 250 under way: taken, and perhaps heard.
    CUT_WITH_250 = "cut_with_250"


@dataclass(frozen=True, kw_only=True)
class Received:
    """One copy of one mail, as the relay took it."""

    at: datetime
    recipient: str
    message_id: str
    raw: bytes
    #: The 250 was heard: whoever sent the mail said something more on the same line. One that gave up
    #: waiting hangs up without a word, and so does one that was killed.
    acknowledged: bool

    def parsed(self) -> EmailMessage:
        """The mail."""
        return message_from_bytes(self.raw, policy=policy.default)

    def text(self) -> str:
        """Its plain text."""
        body = self.parsed().get_body(("plain",))
        return "" if body is None else str(body.get_content())


@dataclass
class Relay:
    """Listens on one port for as long as it is up. ``mood`` strikes one mail in ``one_in``."""

    now: Callable[[], datetime]
    chance: random.Random
    received: list[Received] = field(default_factory=list)
    mood: Mood = Mood.KIND
    one_in: int = 3
    #: These the relay never takes: their mails die.
    unknown: frozenset[str] = frozenset()
    port: int = 0
    #: How often each mood struck.
    struck: dict[Mood, int] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def up(self) -> None:
        """Listen; on the same port as before."""
        self._server = await asyncio.start_server(self._peer, "127.0.0.1", self.port, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Cut every connection and take none."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    def _strikes(self, *moods: Mood) -> bool:
        struck = self.mood in moods and self.chance.randrange(self.one_in) == 0
        if struck:
            self.struck[self.mood] = self.struck.get(self.mood, 0) + 1
        return struck

    async def _peer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await self._talk(reader, writer)
        self._open.discard(writer)
        writer.transport.abort() if writer.is_closing() else writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipient = ""

        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("220 relay.example")
        taken: int | None = None
        while line := await reader.readline():
            if taken is not None:
                self.received[taken] = replace(self.received[taken], acknowledged=True)
                taken = None
            verb = line[:4].upper()
            if verb == b"RCPT":
                recipient = line.decode().partition("<")[2].partition(">")[0]
                if recipient in self.unknown:
                    await say("550 5.1.1 unknown here")
                elif self._strikes(Mood.LATER):
                    await say("451 4.7.1 come back")
                elif self._strikes(Mood.NEVER):
                    await say("550 5.1.1 not today")
                else:
                    if self._strikes(Mood.SLOW):
                        await asyncio.sleep(self.chance.uniform(0.2, 2))
                    await say("250 yes")
            elif verb == b"DATA":
                if self._strikes(Mood.CUT_BEFORE):
                    writer.transport.abort()
                    return
                await say("354 go on")
                raw = (await reader.readuntil(b"\r\n.\r\n"))[:-3].replace(b"\r\n..", b"\r\n.")
                taken = await self._took(recipient, raw, writer)
                if taken is None:
                    return
            elif verb == b"QUIT":
                await say("221 bye")
                return
            else:
                await say("250 yes")

    async def _took(self, recipient: str, raw: bytes, writer: asyncio.StreamWriter) -> int | None:
        """Keep a mail; its place among those received, None where the line is cut."""
        message_id = str(message_from_bytes(raw, policy=policy.default)["Message-ID"])
        self.received.append(
            Received(at=self.now(), recipient=recipient, message_id=message_id, raw=raw, acknowledged=False)
        )
        place = len(self.received) - 1
        if self._strikes(Mood.CUT_AFTER):
            writer.transport.abort()
            return None
        hasty = self._strikes(Mood.CUT_WITH_250)
        writer.write(b"250 2.0.0 taken\r\n")
        if hasty:
            writer.close()
            return None
        await writer.drain()
        return place
