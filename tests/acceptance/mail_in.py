"""Mail that comes in, as the CPTS's mail server hands it over: LMTP, one transaction per mail."""

import asyncio
import smtplib
from dataclasses import dataclass
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any

from tests.acceptance.house import House

FIXTURES = Path(__file__).resolve().parents[1] / "data" / "replies"


@dataclass
class Postman:
    """Hands mails over to a house whose door is open on ``port``."""

    house: House
    port: int

    async def bring(self, raw: bytes, recipient: str, sender: str = "") -> tuple[int, str]:
        """The answer to RCPT if it is a refusal, else the one to DATA: (code, words)."""
        return await asyncio.to_thread(self._bring, raw, recipient, sender)

    def _bring(self, raw: bytes, recipient: str, sender: str) -> tuple[int, str]:
        with smtplib.LMTP("127.0.0.1", self.port, timeout=30) as lmtp:
            lmtp.ehlo_or_helo_if_needed()
            lmtp.mail(sender)
            code, words = lmtp.rcpt(recipient)
            if code < 400:
                code, words = lmtp.data(raw)
            return code, words.decode()

    async def reply(
        self, doctor: Any, text: str, *, sender: str | None = None, id: str = "1", **headers: str
    ) -> tuple[int, str]:
        """The doctor answers the last mail that asked him something."""
        mail = self.last(doctor["email"], "reponse+")
        reply = EmailMessage()
        reply["From"] = sender or doctor["email"]
        reply["To"] = mail["Reply-To"]
        reply["Subject"] = f"Re: {mail['Subject']}"
        reply["Message-ID"] = f"<{id}.{doctor['id']}@cabinet.example>"
        for name, value in headers.items():
            reply[name.replace("_", "-")] = value
        reply.set_content(text)
        return await self.bring(reply.as_bytes(), self.reply_address(mail), sender or doctor["email"])

    def last(self, address: str, marked: str = "") -> Message:
        """The last mail to an address whose Reply-To holds ``marked``."""
        for mail in reversed(self.house.mails()):
            if mail["To"].addresses[0].addr_spec == address and marked in str(mail["Reply-To"]):
                return mail
        raise LookupError(address)

    def reply_address(self, mail: Message) -> str:
        """Where an answer to this mail goes."""
        return str(mail["Reply-To"].addresses[0].addr_spec)

    def return_path(self, address: str) -> str:
        """The envelope's sender of the last mail to this address."""
        for raw in reversed(self.house.catcher.raw()):
            sender, recipient, _ = raw.split(b"\n", 2)
            if recipient.decode() == address:
                return sender.decode()
        raise LookupError(address)


def returned(name: str) -> bytes:
    """A bounce of the fixtures."""
    return (FIXTURES / f"rejet-{name}.eml").read_bytes()
