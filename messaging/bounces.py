"""What a returned mail says of the address it could not reach: RFC 3464, known odd formats, plain words."""

import re
from email.message import Message
from enum import StrEnum

from flufl.bounce import all_failures

from messaging.incoming import Incoming, header


class Fate(StrEnum):
    """What became of a mail that came back."""

    #: Refused for good, and the address is at fault: nobody of that name, no such domain.
    PERMANENT = "permanent"
    #: Not delivered, but the address may be right: mailbox full, server away for days, refused as spam.
    UNDELIVERED = "undelivered"
    #: Late, or a notice of success: nothing to do.
    NOTED = "noted"
    #: Not delivered, as it seems; a person must read why.
    UNCLEAR = "unclear"


#: The worst first: a report about several addresses says what the worst one does.
_WORST = (Fate.PERMANENT, Fate.UNDELIVERED, Fate.UNCLEAR, Fate.NOTED)
_SUBJECT = re.compile(
    r"undeliver|returned mail|returning message|delivery (status|failure|failed)|mail delivery|failure notice"
    r"|non[ -](remis|distribu|d[ée]livr)|non.remise|[ée]chec de (la )?(remise|distribution)|remise impossible"
    r"|remise retard|delayed|undelivered|ne? pas pu [êe]tre",
    re.IGNORECASE,
)
_DAEMON = re.compile(r"^(mailer-daemon|postmaster|mail-?daemon|microsoftexchange[0-9a-f]*)@", re.IGNORECASE)
_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY = re.compile(r"(?:^|[^\d.])([45]\d\d)(?=[\s\-):.,]|$)")
_FULL = re.compile(r"full|quota|plein|satur|too (big|large)|exceed", re.IGNORECASE)
_POLICY = re.compile(r"spam|policy|unauthenticated|blocked|blacklist|reputation|bloqu", re.IGNORECASE)
_LATE = re.compile(
    r"delay|pas encore|retard|continu|will (be )?retr|still being|warning only|greylist", re.IGNORECASE
)
_NOBODY = re.compile(
    r"inconnu|introuvable|inexistant|n.existe|unknown|no such|not found|invalid|no mailbox|does not exist",
    re.IGNORECASE,
)
#: Of the subjects "address" and "routing" (RFC 3463), what is the sender's fault or the way's.
_ON_THE_WAY = frozenset({("1", "7"), ("1", "8"), ("4", "6"), ("4", "7")})
#: What is quoted of the mail that came back says nothing about why.
_COPY = re.compile(
    r"^-+\s*(this is a copy|below this line|original message|message d.origine|copie du message)",
    re.IGNORECASE | re.MULTILINE,
)


def fate(mail: Incoming) -> Fate | None:
    """What a returned mail says; None for a mail that is no bounce."""
    reports = [part for part in mail.message.walk() if part.get_content_type() == "message/delivery-status"]
    if reports:
        found = {_of_recipient(block) for report in reports for block in _recipients(report)}
        return next((worst for worst in _WORST if worst in found), Fate.UNCLEAR)
    if not _comes_from_a_server(mail):
        return None
    text = _COPY.split(mail.text, maxsplit=1)[0]
    temporary, permanent = all_failures(mail.message)
    if temporary and not permanent:
        return Fate.NOTED
    return _of_words(text, Fate.PERMANENT if permanent else Fate.UNCLEAR)


def blames_address(said: str) -> bool:
    """Whether a relay's lasting refusal, ``550 5.1.1``, says that the address is at fault: not its own rules,
    nor a full mailbox, nor a mail that was too large.
    """
    refused = said.startswith("5") and not said.startswith("53")
    return refused and _of_code(said, said, Fate.UNCLEAR) is Fate.PERMANENT


def _comes_from_a_server(mail: Incoming) -> bool:
    """Whether a mail server seems to say this: what people write is never searched for failures."""
    if mail.message.get("X-Failed-Recipients") is not None:
        return True
    from_daemon = _DAEMON.match(mail.sender) is not None
    return (mail.no_sender or from_daemon) and (from_daemon or _SUBJECT.search(mail.subject) is not None)


def _recipients(report: Message) -> list[Message]:
    blocks = report.get_payload()
    listed = [block for block in blocks if isinstance(block, Message)] if isinstance(blocks, list) else []
    return [block for block in listed if block.get("Action") is not None or block.get("Status") is not None]


def _of_recipient(block: Message) -> Fate:
    action = header(block, "Action").lower().partition(" ")[0]
    if action and action != "failed":
        return Fate.NOTED
    why = header(block, "Diagnostic-Code")
    return _of_code(f"{header(block, 'Status')} {why}", why, Fate.UNCLEAR)


def _of_words(text: str, otherwise: Fate) -> Fate:
    if _LATE.search(text) and not _NOBODY.search(text):
        return Fate.NOTED
    return _of_code(text, text, otherwise)


def _of_code(codes: str, why: str, otherwise: Fate) -> Fate:
    """By the status code (RFC 3463), else by the reply code, else by the words."""
    enhanced = next((match for match in _ENHANCED.finditer(codes) if match[1] != "2"), None)
    plain = _REPLY.search(codes)
    if enhanced is not None:
        cls, subject, detail = enhanced[1], enhanced[2], enhanced[3]
        if cls == "4" or subject == "7" or (subject, detail) in {("2", "2"), ("2", "3"), ("3", "4")}:
            return Fate.UNDELIVERED
        if (subject in "356" or (subject, detail) in _ON_THE_WAY) and not _NOBODY.search(why):
            return Fate.UNDELIVERED
    elif plain is not None and (plain[1][0] == "4" or plain[1] == "552"):
        return Fate.UNDELIVERED
    if _NOBODY.search(why):
        return Fate.PERMANENT
    if _FULL.search(why) or _POLICY.search(why):
        return Fate.UNDELIVERED
    return Fate.PERMANENT if enhanced is not None or plain is not None else otherwise
