"""A mail that came in, taken apart: who wrote, what the writer wrote, and whether a machine did.

Nothing here trusts what it reads: headers may lie, be broken or be huge; none of it is ever logged.
"""

import email
import re
from dataclasses import dataclass
from email.header import Header, decode_header
from email.message import Message
from email.utils import getaddresses
from html.parser import HTMLParser
from string import ascii_lowercase, ascii_uppercase

#: Bytes that are looked at. Text stands before attachments; the rest is not needed to understand it.
LOOKED_AT = 128 * 1024
#: Signs of a page that are read; what was written stands before what is quoted.
_LONGEST_PAGE = 50_000
#: Signs of a header that are decoded.
_LONGEST_HEADER = 2_000
#: Parts within parts that are looked into.
_DEEPEST = 20
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_AUTO_SUBJECT = re.compile(
    r"^\s*(\[auto\]|auto(matique)?\s*:|r[ée]ponse automatique|r[ée]pondeur|automatic reply|auto-?reply"
    r"|out of (the )?office|absence du bureau|message d.absence|accus[ée] de (r[ée]ception|lecture)"
    r"|lu\s*:|read\s*:|non lu\s*:)",
    re.IGNORECASE,
)
_AUTO_HEADERS = (
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-MS-Exchange-Inbox-Rules-Loop",
    "List-Id",
)
_AUTO_PRECEDENCE = frozenset({"bulk", "junk", "list", "auto_reply"})
_QUOTING_CLASS = re.compile(r"gmail_quote|gmail_attr|yahoo_quoted|moz-cite-prefix|protonmail_quote")
#: Outlook on the web puts what it quotes behind one of these, not inside.
_QUOTING_REST = frozenset({"divRplyFwdMsg", "appendonsend", "mail-editor-reference-message-container"})
_SILENT = frozenset({"style", "script", "head", "title", "s", "strike", "del"})
#: Not shown, or struck through.
_UNSAID_STYLE = re.compile(r"display\s*:\s*none|line-through", re.IGNORECASE)
_BLOCKS = frozenset(
    {"p", "div", "br", "tr", "td", "li", "ul", "ol", "table", "hr", "h1", "h2", "h3", "blockquote"}
)
_VOID = frozenset({"br", "hr", "img", "meta", "link", "input", "wbr", "col", "area", "base"})


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """What a mail says, as far as anybody here needs it."""

    #: With its angle brackets, None where there is none.
    message_id: str | None
    #: The one address of From, in lower case; empty where there is none or several.
    sender: str
    subject: str
    #: The text, quoted parts included where only their place in it tells them apart.
    text: str
    #: Written by a machine: an absence notice, a receipt, a list. Never answered (RFC 3834).
    automatic: bool
    #: Nobody to answer to: the envelope's sender is empty.
    no_sender: bool
    message: Message


def parse(raw: bytes, *, no_sender: bool) -> Incoming:
    """Take a mail apart. ``no_sender`` says that its envelope's sender is empty, as a bounce's is."""
    message = email.message_from_bytes(raw[:LOOKED_AT])
    subject = header(message, "Subject")
    return Incoming(
        message_id=_message_id(message),
        sender=_sender(message),
        subject=subject,
        text=_text(message),
        automatic=no_sender or _automatic(message, subject),
        no_sender=no_sender,
        message=message,
    )


def header(message: Message, name: str) -> str:
    """A header's text on one line, its encoded words decoded as far as they can be; empty where absent."""
    value: object = message.get(name)
    if value is None:
        return ""
    text = str(value)[:_LONGEST_HEADER]
    # Bytes that nobody encoded come as a Header, whose text has lost them.
    short = len(text) < _LONGEST_HEADER
    try:
        parts = decode_header(value if isinstance(value, Header) and short else text)
    except ValueError:
        return " ".join(text.split())
    said = "".join(part if isinstance(part, str) else _decode(part, charset) for part, charset in parts)
    return " ".join(said.split())


def _message_id(message: Message) -> str | None:
    found = re.search(r"<[^<>\s]{1,900}>", header(message, "Message-ID"))
    return None if found is None else found[0]


def _sender(message: Message) -> str:
    given = [str(value)[:_LONGEST_HEADER] for value in message.get_all("From", [])][:2]
    found = [address for _, address in getaddresses(given) if "@" in address]
    return found[0].lower() if len(found) == 1 else ""


def _automatic(message: Message, subject: str) -> bool:
    said = header(message, "Auto-Submitted").lower()
    if said and not said.startswith("no"):
        return True
    if header(message, "Precedence").lower() in _AUTO_PRECEDENCE:
        return True
    if any(message.get(name) is not None for name in _AUTO_HEADERS):
        return True
    return message.get_content_type() == "multipart/report" or _AUTO_SUBJECT.match(subject) is not None


def _text(part: Message, depth: int = 0) -> str:
    """What the shown parts say, one after the other: some programs cut a text in two around a picture. Of
    alternatives the first that says something, plain before HTML.
    """
    if part.get_content_disposition() == "attachment" or depth > _DEEPEST:
        return ""
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        said = [(one, _text(one, depth + 1)) for one in part.get_payload() if isinstance(one, Message)]
        said = [(one, text) for one, text in said if text.strip()]
        if part.get_content_type() == "multipart/alternative":
            said = sorted(said, key=lambda one: one[0].get_content_type() != "text/plain")[:1]
        return "\n".join(text for _, text in said)
    match part.get_content_type():
        case "text/plain":
            return _content(part)
        case "text/html":
            reader = _Reader()
            reader.feed(_bare(_content(part)))
            reader.close()
            return "".join(reader.said)
        case _:
            return ""


def _bare(page: str) -> str:
    """A page without comments, styles and head, cut where it gets long: Python's parser of HTML takes time
    that grows with the square of some strange ones.
    """
    for begin, end in (
        ("<!--", "-->"),
        ("<head>", "</head>"),
        ("<style", "</style"),
        ("<script", "</script"),
    ):
        page = _without(page, begin, end)
    return page.replace("<!", "<").replace("<?", "<")[:_LONGEST_PAGE]


def _without(page: str, begin: str, end: str) -> str:
    # Of ASCII only: a letter more or less would shift the places.
    low = page.translate(_LOWER)
    kept: list[str] = []
    at = 0
    while (found := low.find(begin, at)) >= 0:
        kept.append(page[at:found])
        closed = low.find(end, found)
        if closed < 0:
            return "".join(kept)
        at = closed + len(end)
    return "".join([*kept, page[at:]])


def _content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return _decode(payload, part.get_content_charset()) if isinstance(payload, bytes) else ""


def _decode(data: bytes, charset: str | None) -> str:
    """The text, in its own character set, else in the likeliest that reads it."""
    for name in (charset, "utf-8"):
        try:
            # What calls itself iso-8859-1 is mostly windows-1252, which holds it.
            text = data.decode(
                "cp1252" if name and name.lower() in ("iso-8859-1", "latin-1") else name or "utf-8"
            )
        except (LookupError, ValueError):
            continue
        return text.replace("\r\n", "\n").replace("\r", "\n")
    return data.decode("cp1252", "replace").replace("\r\n", "\n")


class _Reader(HTMLParser):
    """The text of a page as lines, without what it quotes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        #: The open elements inside one that is not read.
        self._unread: list[str] = []
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id") in _QUOTING_REST:
            self._over = True
        quotes = tag == "blockquote" or _QUOTING_CLASS.search(given.get("class") or "") is not None
        unsaid = tag in _SILENT or _UNSAID_STYLE.search(given.get("style") or "") is not None
        if tag not in _VOID and (self._unread or quotes or unsaid):
            self._unread.append(tag)
        elif tag in _BLOCKS:
            self._say("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unread:
            # What was left open inside ends with it.
            while self._unread.pop() != tag:
                pass
        elif tag in _BLOCKS:
            self._say("\n")

    def handle_data(self, data: str) -> None:
        self._say(" ".join(data.split()) and re.sub(r"\s+", " ", data))

    def _say(self, text: str) -> None:
        if not self._unread and not self._over:
            self.said.append(text)
