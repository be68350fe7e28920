"""What comes back by mail: an LMTP listener behind the CPTS's own mail server.

A mail's effect is committed before it is acknowledged; whatever goes wrong before is a 4xx, and the mail
server keeps the mail and tries again. LMTP answers once per recipient and aiosmtpd once per mail, so a
transaction has one recipient (RFC 2033, section 4.2).
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from config.inbox import Inbox

#: Bytes of one mail: a reply with scanned pages, no more.
LARGEST = 8 * 1024 * 1024
#: Connections at once; a mail server opens a handful.
MOST_CONNECTIONS = 32
#: Seconds without a word after which a connection is closed.
SILENCE = 60.0
#: Seconds that taking a mail in may last.
WITHIN = 25.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Received:
    """One mail for one address."""

    recipient: str
    #: The envelope's sender is empty: a bounce, or another mail that nobody must answer.
    no_sender: bool
    raw: bytes


class Door:
    """Takes mails in. ``counts`` says how it goes: refused, deferred, turned_away, taken; never of whom."""

    def __init__(
        self,
        *,
        known: Callable[[str], bool],
        take: Callable[[Received], Awaitable[None]],
        counts: Counter[str],
        within: float = WITHIN,
    ) -> None:
        self._known = known
        self._take = take
        self._counts = counts
        self._within = within
        self._open: set[_Conversation] = set()

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient whose address we made (aiosmtpd's hook)."""
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        if not self._known(address):
            self._counts["refused"] += 1
            return "550 5.1.1 no such address"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Take one mail in, for good, or leave it to the mail server (aiosmtpd's hook)."""
        content = envelope.content or b""
        mail = Received(
            recipient=envelope.rcpt_tos[0],
            # aiosmtpd gives the empty path as it is written.
            no_sender=envelope.mail_from in (None, "", "<>"),
            raw=content if isinstance(content, bytes) else content.encode(),
        )
        try:
            async with asyncio.timeout(self._within):
                await self._take(mail)
        except Exception as problem:  # noqa: BLE001
            # Whatever it is: the mail server keeps the mail. Nothing of it may reach a log.
            self._counts["deferred"] += 1
            _log.error("mail_deferred", problem=type(problem).__name__)
            return "451 4.3.0 not now, try again"
        self._counts["taken"] += 1
        return "250 2.0.0 taken"

    @contextlib.asynccontextmanager
    async def listening(self, where: Inbox) -> AsyncIterator[int]:
        """Listen; the value is the port, 0 for a socket. Raises OSError where that is impossible.

        At the end a mail that is being taken in may finish; the others come again, to whoever listens then.
        """
        loop = asyncio.get_running_loop()

        def conversation() -> _Conversation:
            return _Conversation(self, where, self._open, self._counts)

        if where.path is not None:
            server: asyncio.Server = await loop.create_unix_server(conversation, str(where.path))
            # The mail server runs as another user of the same group.
            where.path.chmod(0o660)
        else:
            server = await loop.create_server(conversation, where.host, where.port)
        try:
            yield 0 if where.path is not None else server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for one in tuple(self._open):
                one.leave()


class _Conversation(LMTP):
    """One connection of the mail server."""

    #: Lines of HTML mails are long; the mail server may not fold them.
    line_length_limit = 64 * 1024

    def __init__(self, door: Door, where: Inbox, others: "set[_Conversation]", counts: Counter[str]) -> None:
        super().__init__(
            door,
            hostname="inbox",
            ident="LMTP",
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            timeout=SILENCE,
        )
        self._where = where
        self._others = others
        self._counts = counts

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let this host and the named networks in, as many as there is room for."""
        peer: Any = transport.get_extra_info("peername")
        stranger = self._where.path is None and not (peer and self._where.admits(peer[0]))
        if stranger or len(self._others) >= MOST_CONNECTIONS:
            self._counts["turned_away"] += 1
            assert isinstance(transport, asyncio.WriteTransport)
            transport.write(b"421 4.3.2 not now\r\n")
            transport.abort() if stranger else transport.close()
            return
        self._others.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Make room."""
        if self in self._others:
            self._others.discard(self)
            super().connection_lost(error)

    def leave(self) -> None:
        """Close the connection: a mail under way is not acknowledged, and so comes again."""
        if self.transport is not None:
            self.transport.close()
