"""A mail relay on this host that does what the recipient's name says. For tests only."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message as Parsed

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.settings import Relay


@dataclass
class Catcher:
    """What arrived, and what the relay is told to do about it."""

    mails: list[tuple[str, str, Parsed]] = field(default_factory=list)
    connections: int = 0
    greeting: str = ""
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    #: Kept connections are cut before the next mail.
    cut_idle: bool = False
    #: It does not let go of who takes leave.
    clings: bool = False
    port: int = 0

    def recipients(self) -> list[str]:
        return [recipient for _, recipient, _ in self.mails]

    def message_ids(self) -> list[str]:
        return [mail["Message-ID"] for _, _, mail in self.mails]

    async def handle_EHLO(self, server, session: Session, envelope: Envelope, hostname, responses):
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.greeting:
            return self.greeting
        if self.cut_idle and getattr(session, "carried", 0):
            server.transport.abort()
        envelope.mail_from = address
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):
        if self.clings:
            await asyncio.sleep(30)
        return "221 bye"

    async def handle_RCPT(self, server, session, envelope, address, options):
        match _name(address):
            case "never":
                return f"550 5.1.1 <{address}> unknown here"
            case "denied":
                return f"554 5.7.1 <{address}>: Relay access denied"
            case "relaying":
                return "550 relaying not permitted"
            case "log-in":
                return "530 Authentication required"
            case "later":
                return "451 4.7.1 come back"
            case "cut":
                server.transport.abort()
            case "slow":
                await asyncio.sleep(30)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        (recipient,) = envelope.rcpt_tos
        name = _name(recipient)
        if name == "too-big":
            return "552 5.3.4 too big"
        if name == "policy":
            return "550 5.7.1 not in this tone"
        if name == "full":
            return "452 4.2.2 full"
        if name == "odd":
            return "299 what"
        self.mails.append((envelope.mail_from, recipient, message_from_bytes(envelope.content)))
        if name == "lost":
            server.transport.abort()
        if name == "stuck":
            await asyncio.sleep(30)
        session.carried = getattr(session, "carried", 0) + 1
        return "250 2.0.0 taken"

    def authenticate(self, server, session, envelope, mechanism, auth_data):
        assert isinstance(auth_data, LoginPassword)
        self.logins.append((auth_data.login, auth_data.password))
        return AuthResult(success=auth_data.password == b"right", handled=False)

    def relay(self, scheme: str = "smtp", user: str = "", **kwargs) -> Relay:
        """The settings that lead here."""
        return Relay.parse(f"{scheme}://{user}127.0.0.1:{self.port}", **kwargs)


@asynccontextmanager
async def listening(
    catcher: Catcher, *, port: int = 0, tls: ssl.SSLContext | None = None, starttls=None, **options
):
    """The relay, for as long as the block runs."""

    def connected():
        catcher.connections += 1
        return SMTP(
            catcher,
            hostname="relay.example",
            tls_context=starttls,
            authenticator=catcher.authenticate,
            auth_require_tls=True,
            ident="relay",
            **options,
        )

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", port, ssl=tls)
    catcher.port = server.sockets[0].getsockname()[1]
    try:
        yield catcher
    finally:
        server.close()
        await asyncio.sleep(0)


def _name(address: str) -> str:
    """``slow`` of ``slow+3@doctors.example``."""
    return address.partition("@")[0].partition("+")[0]


def certificate(folder):
    """A server's TLS context for localhost, and the file of the authority that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    authority = folder / "authority.pem"
    authority.write_bytes(built.public_bytes(Encoding.PEM))
    both = folder / "server.pem"
    both.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + authority.read_bytes()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, authority
