"""The mail catcher on its own, for ``docker-compose.yml``: ``python -m matcher.demo.relay FOLDER``.

There the relay is another host, and to another host the service speaks TLS only. So this makes itself a
certificate when it starts, leaves it in FOLDER as ``ca.pem`` for the service to trust
(``TRAIT_UNION_SMTP_CA``), and demands STARTTLS. The key never leaves the process. Never a real relay:
it keeps every mail and shows it to whoever opens its page.
"""

import asyncio
import os
import signal
import ssl
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from matcher.demo.catcher import Catcher

SMTP_PORT, PAGE_PORT = 1025, 8025
#: The name of this service in docker-compose.yml.
HOST_NAME = "mail"


def tls_for(host: str, authority: Path) -> ssl.SSLContext:
    """A server's TLS under a certificate made now for ``host``, which is also written to ``authority``."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # load_cert_chain reads files only; this one is gone as soon as it was read.
    with tempfile.NamedTemporaryFile(suffix=".pem") as both:
        both.write(pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        both.flush()
        context.load_cert_chain(both.name)
    authority.parent.mkdir(parents=True, exist_ok=True)
    half = authority.with_suffix(".new")
    half.write_bytes(pem)
    half.replace(authority)
    return context


def page(catcher: Catcher) -> web.Application:
    """One page: every mail caught, the newest first, as plain text."""

    async def mails(_request: web.Request) -> web.Response:
        shown = "\n".join(
            f"<article><h2>{escape(mail.subject)}</h2><p>{escape(mail.to)}, {mail.at:%H:%M:%S} UTC</p>"
            f"<pre>{escape(mail.text)}</pre></article>"
            for mail in reversed(catcher.messages())
        )
        body = f"<!doctype html><html lang=fr><meta charset=utf-8><title>Mails attrapés</title>{shown}"
        headers = {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store"}
        return web.Response(text=body, content_type="text/html", headers=headers)

    app = web.Application()
    app.router.add_get("/", mails)
    return app


async def run(folder: Path) -> None:
    """Catch mails until told to stop."""
    catcher = Catcher()
    runner = web.AppRunner(page(catcher))
    await runner.setup()
    everywhere = "0.0.0.0"  # noqa: S104 - inside its own container
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with catcher.listening(everywhere, SMTP_PORT, tls=tls_for(HOST_NAME, folder / "ca.pem")):
        await web.TCPSite(runner, everywhere, PAGE_PORT).start()
        await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    os.umask(0o022)  # the service, another user perhaps, reads the certificate
    asyncio.run(run(Path(sys.argv[1])))
