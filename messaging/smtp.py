"""Sending over kept connections to the relay, and what each failure means."""

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from config.settings import Relay
from messaging.letters import Message
from messaging.retry import Failure

#: Relays end connections that carry too many mails.
_MAILS_PER_CONNECTION = 100
_ENHANCED = re.compile(r"\b[245]\.[0-9]{1,3}\.[0-9]{1,3}\b")
#: Rules of the relay or a log-in that lapsed (X.7.X of RFC 3463, 530, 535), not something about this mail.
_RULES = re.compile(r"^[^ ]+ 5\.7\.|^53\d")
#: The same where no enhanced code says so.
_NO_RELAY = re.compile(
    r"relaying|not permitted to relay|relay (access )?(denied|not permitted)", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What the relay made of one mail. ``failure`` None: it took it over."""

    failure: Failure | None
    #: ``550 5.1.1``, ``connection``, ``timeout``: never the relay's words, which repeat the address.
    detail: str


class _Connection:
    def __init__(self, client: SMTP) -> None:
        self.client = client
        self.mails = 0


class Pool:
    """At most ``relay.connections`` connections, opened when needed and kept open. Close it at the end."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._places = asyncio.Semaphore(relay.connections)
        self._idle: list[_Connection] = []
        self._tls = _tls(relay)
        #: When each mail on its way is given up; moved forward by ``hurry``.
        self._ends: set[asyncio.Timeout] = set()
        self._last_end: float | None = None
        self.size = relay.connections

    async def send(self, message: Message, *, within: float) -> Delivery:
        """Hand one mail over within so many seconds, waiting for a free connection included. Never raises."""
        attempt = _Attempt(self, message)
        try:
            async with self._timeout(within), self._places:
                try:
                    await attempt.run()
                except SMTPResponseException as refusal:
                    await attempt.refused(refusal)
                finally:
                    await self._give_back(attempt)
        except TimeoutError:
            attempt.lost("timeout")
        except (SMTPException, OSError):
            attempt.lost("connection")
        assert attempt.delivery is not None
        return attempt.delivery

    async def probe(self, *, within: float) -> bool:
        """Whether the relay takes a connection; it is kept for the next mail."""
        try:
            async with self._timeout(within), self._places:
                self._idle.append(await self.connect())
        except (SMTPException, OSError, TimeoutError):
            return False
        return True

    def hurry(self, seconds: float) -> None:
        """Whatever is on its way, or begins from now on, ends within so many seconds."""
        self._last_end = asyncio.get_running_loop().time() + seconds
        for end in self._ends:
            when = end.when()
            if when is None or when > self._last_end:
                end.reschedule(self._last_end)

    @contextlib.asynccontextmanager
    async def _timeout(self, within: float) -> AsyncIterator[None]:
        when = asyncio.get_running_loop().time() + within
        async with asyncio.timeout_at(when if self._last_end is None else min(when, self._last_end)) as end:
            self._ends.add(end)
            try:
                yield
            finally:
                self._ends.discard(end)

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        while self._idle:
            await _quit(self._idle.pop())

    def take(self) -> _Connection | None:
        """An idle connection, the last used first: the others may time out in peace."""
        return self._idle.pop() if self._idle else None

    async def connect(self) -> _Connection:
        """A new connection, encrypted as the settings say and logged in. Raises SMTPException or OSError."""
        relay = self._relay
        client = SMTP(
            hostname=relay.host,
            port=relay.port,
            # To this host there is no need to ask the DNS, which may be slow to say nothing, who we are.
            local_hostname="localhost" if relay.tls == "plain" else None,
            username=relay.user or None,
            password=relay.password or None,
            use_tls=relay.tls == "tls",
            # Never "if offered", which is the default: whoever sits between could leave the offer out.
            start_tls=relay.tls == "starttls",
            tls_context=self._tls,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return _Connection(client)

    async def _give_back(self, attempt: "_Attempt") -> None:
        connection = attempt.connection
        if connection is None:
            return
        connection.mails += 1
        if not attempt.clean:
            connection.client.close()
        elif connection.mails >= _MAILS_PER_CONNECTION:
            await _quit(connection)
        else:
            self._idle.append(connection)


class _Attempt:
    """One mail on one connection, and how far it came."""

    def __init__(self, pool: Pool, message: Message) -> None:
        self._pool = pool
        self._message = message
        self.connection: _Connection | None = None
        #: What came of it, once the relay has said so: how the connection fares afterwards changes nothing.
        self.delivery: Delivery | None = None
        #: The connection is between two mails, so it can carry another.
        self.clean = False
        self._connecting = False
        self._addressing = False
        self._data = False

    async def run(self) -> None:
        self.connection = self._pool.take()
        if self.connection is None or not await self._still_there(self.connection):
            self.connection = None
            self._connecting = True
            self.connection = await self._pool.connect()
            self._connecting = False
            await self.connection.client.mail(self._message.sender)
        client = self.connection.client
        self._addressing = True
        await client.rcpt(self._message.recipient)
        self._data = True
        response = await client.data(self._message.raw)
        self.clean = True
        self.delivery = Delivery(failure=None, detail=str(response.code))

    async def _still_there(self, connection: _Connection) -> bool:
        """Begin the mail on a kept connection. False if the relay has left it meanwhile: nothing is lost."""
        try:
            await connection.client.mail(self._message.sender)
        except (SMTPException, OSError):
            connection.client.close()
            return False
        return True

    async def refused(self, refusal: SMTPResponseException) -> None:
        """The relay answered with a code. The connection is kept if it can start afresh."""
        self.delivery = self._meaning(refusal)
        if self.connection is not None and self.connection.client.is_connected:
            with contextlib.suppress(SMTPException, OSError):
                await self.connection.client.rset()
                self.clean = True

    def _meaning(self, refusal: SMTPResponseException) -> Delivery:
        enhanced = _ENHANCED.search(refusal.message)
        detail = f"{refusal.code} {enhanced[0]}" if enhanced else str(refusal.code)
        words = "" if enhanced else refusal.message
        ours = _RULES.match(detail) is not None or _NO_RELAY.search(words) is not None
        if 500 <= refusal.code < 600 and self._addressing and not ours:
            return Delivery(failure=Failure.PERMANENT, detail=detail)
        if self._data and not ours and not 400 <= refusal.code < 500:
            # Not a word of the protocol, and the message may have been read.
            return Delivery(failure=Failure.AMBIGUOUS, detail=detail)
        # Refused before any recipient was named (log-in, our own address), or by the relay's rules: a fault
        # of the settings or of the relay, not of this mail. Somebody will mend it; until then no mail may
        # die of it.
        return Delivery(
            failure=Failure.UNREACHED if self._connecting else Failure.DEFERRED,
            detail=detail,
        )

    def lost(self, why: str) -> None:
        """The line is gone. Without an answer, once the message was on its way, nobody knows."""
        if self.delivery is not None:
            return
        if self._data:
            failure = Failure.AMBIGUOUS
        else:
            failure = Failure.UNREACHED if self._connecting else Failure.CONNECTION
        self.delivery = Delivery(failure=failure, detail=why)


def _tls(relay: Relay) -> ssl.SSLContext | None:
    if relay.tls == "plain":
        return None
    context = ssl.create_default_context(cafile=relay.authorities)
    if relay.certificate is not None:
        context.load_cert_chain(relay.certificate, relay.certificate_key, password="")
    return context


async def _quit(connection: _Connection) -> None:
    try:
        async with asyncio.timeout(2):
            await connection.client.quit()
    except (SMTPException, OSError):
        return
    finally:
        connection.client.close()
