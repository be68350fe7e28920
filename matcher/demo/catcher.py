"""A mail relay that keeps what it is given instead of passing it on. Shown at ``/boite``."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property

from aiosmtpd.smtp import SMTP, Envelope, Session

from matcher.service.house import CaughtMail

#: Mails kept; older ones are forgotten, so that a long rehearsal does not fill the memory.
_KEPT = 5_000
#: Bytes of one mail. Ours are a few thousand.
_LARGEST = 1_000_000


@dataclass(frozen=True)
class _Held:
    """One mail for one recipient, as it came. It is read when somebody looks at it, and then once: a wave is
    dozens of mails, of which few are looked at.
    """

    number: int
    at: datetime
    sender: str
    recipient: str
    content: bytes

    @cached_property
    def read(self) -> CaughtMail:
        mail = message_from_bytes(self.content, policy=policy.default)
        return CaughtMail(
            id=str(self.number),
            at=self.at,
            to=self.recipient,
            subject=str(mail["Subject"] or ""),
            text=_part(mail, "plain"),
            html=_part(mail, "html"),
        )

    @property
    def raw(self) -> bytes:
        return f"{self.sender}\n{self.recipient}\n".encode() + self.content

    @property
    def message_id(self) -> str:
        return str(message_from_bytes(self.content, policy=policy.default)["Message-ID"] or "")


class Catcher:
    """The mailbox of everybody. Runs in the loop that starts it, on this host unless told otherwise."""

    def __init__(self) -> None:
        self._mails: list[_Held] = []
        self._count = 0
        self._arrival = asyncio.Event()
        #: Refuse everything for the time being, as a relay that is down for maintenance does.
        self.down = False
        #: Recipients of whom it knows nothing, so that their mail is refused for good.
        self.unknown: set[str] = set()

    def messages(self) -> Sequence[CaughtMail]:
        """Every mail caught, oldest first."""
        return tuple(mail.read for mail in self._mails)

    def raw(self) -> Sequence[bytes]:
        """Everything a relay could read: the mails as they came, envelope included, oldest first."""
        return tuple(mail.raw for mail in self._mails)

    def forget(self, message_ids: Collection[str]) -> None:
        """Drop the mails of these Message-IDs: those about somebody whose data are erased."""
        self._mails = [mail for mail in self._mails if mail.message_id not in message_ids]

    def to(self, address: str) -> Sequence[CaughtMail]:
        """What arrived for one address, oldest first."""
        return tuple(mail.read for mail in self._mails if mail.recipient.lower() == address.lower())

    async def arrival(self, within: float) -> None:
        """Wait for the next mail. Raises TimeoutError after ``within`` seconds."""
        self._arrival.clear()
        async with asyncio.timeout(within):
            await self._arrival.wait()

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or say that there is no such one (aiosmtpd's hook)."""
        if address in self.unknown:
            return "550 5.1.1 unknown here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep one mail (aiosmtpd's hook)."""
        if self.down:
            return "451 4.3.0 down for maintenance"
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        for recipient in envelope.rcpt_tos:
            self._count += 1
            self._mails.append(
                _Held(self._count, datetime.now(UTC), envelope.mail_from or "", recipient, raw)
            )
        del self._mails[:-_KEPT]
        self._arrival.set()
        return "250 2.0.0 caught"

    @contextlib.asynccontextmanager
    async def listening(
        self, host: str = "127.0.0.1", port: int = 0, *, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[int]:
        """Listen; the value is the port. With ``tls``, STARTTLS is demanded before any mail."""

        def session() -> SMTP:
            return SMTP(
                self,
                hostname="catcher.example",
                data_size_limit=_LARGEST,
                enable_SMTPUTF8=True,
                tls_context=tls,
                require_starttls=tls is not None,
            )

        server = await asyncio.get_running_loop().create_server(session, host, port)
        try:
            async with server:
                yield server.sockets[0].getsockname()[1]
        finally:
            # Connections that the service keeps open for its next mail would otherwise hold the loop.
            server.close()


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return "" if part is None else str(part.get_content())
