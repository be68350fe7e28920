"""A letter is a folder of templates, ``<name>/{subject.txt,body.txt,body.html}``: rendered, then composed.

Composing by hand, not with ``email.message``: its header parser costs more than sending the mail does.
The parts are quoted-printable, so that a relay without 8BITMIME passes them on unchanged.
"""

import binascii
import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path

from css_inline import CSSInliner
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, pass_context, select_autoescape
from jinja2.runtime import Context
from markupsafe import Markup, escape

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._-]{1,128}@[A-Za-z0-9.-]{1,190}>")
_URL = re.compile(r"https?://[!-;=?-~]{1,900}")
#: What stands for a value while styles are inlined: signs that no template and no name has.
_HOLE = re.compile("\ue000([0-9]+)\ue001")


class BadAddress(ValueError):
    """An address, Message-ID or link that cannot stand in a header. It is not repeated: logs see this."""


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What a letter says."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """A name, perhaps empty, and an address."""

    address: str
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Message:
    """A mail ready to be handed to the relay."""

    #: The envelope's sender: where bounces go.
    sender: str
    recipient: str
    raw: bytes
    #: What a gathered mail speaks of, to be kept before the first attempt; None where the row's ids say all.
    items: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Obsolete:
    """Instead of a message: there is no longer a reason to send it. ``reason`` is a short code for logs."""

    reason: str


class Letters:
    """The templates of a folder. An unknown variable in one of them is an error, never a blank.

    Styles are inlined once for each form that a letter takes, not once for each mail: a page is filled in
    with holes, its styles go inline, and the form is kept; what differs from mail to mail fills the holes.
    """

    def __init__(self, folder: Path) -> None:
        self._texts = _environment(folder)
        # A page's values are kept aside as they come, in the order of their holes.
        self._values: list[str] = []
        self._pages = _environment(folder, self._aside)
        # Nothing remote: neither fetched here, nor left in the mail for the reader's program to fetch.
        inliner = CSSInliner(load_remote_stylesheets=False)
        self._form = lru_cache(maxsize=256)(
            lambda page: _HOLE.split(_tidy(inliner.inline(page) if "<style" in page else page))
        )

    def render(self, name: str, context: Mapping[str, object]) -> Rendered:
        """Fill a letter in. Raises jinja2's TemplateNotFound or UndefinedError."""
        return Rendered(
            subject=_header_text(self._text(f"{name}/subject.txt").render(context)),
            text=_tidy(self._text(f"{name}/body.txt").render(context)),
            html=self._page(f"{name}/body.html", context),
        )

    def _text(self, path: str) -> Template:
        return self._texts.get_template(path)

    def _page(self, path: str, context: Mapping[str, object]) -> str:
        values = self._values = list[str]()
        with_holes = self._pages.get_template(path).render(context)
        parts = list(self._form(with_holes))
        # Every other part is the number of a hole.
        parts[1::2] = [values[int(number)] for number in parts[1::2]]
        return "".join(parts)

    # Given the context, jinja leaves constants to this moment too, instead of folding them when it compiles.
    @pass_context
    def _aside(self, _context: Context, value: object) -> object:
        # A macro's page is already made of holes.
        if isinstance(value, Markup):
            return value
        self._values.append(_one_line(str(escape(value))))
        return f"\ue000{len(self._values) - 1}\ue001"


def _environment(folder: Path, finalize: Callable[..., object] | None = None) -> Environment:
    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        # The templates of a running service do not change: never look at their files again.
        auto_reload=False,
        finalize=finalize,
    )


def compose(
    letter: Rendered,
    *,
    sender: Mailbox,
    recipient: Mailbox,
    return_path: str,
    message_id: str,
    date: datetime,
    reply_to: Mailbox | None = None,
    unsubscribe: str | None = None,
    references: str | None = None,
    items: tuple[str, ...] | None = None,
) -> Message:
    """The mail as bytes. The same arguments give the same bytes, so that a repeat is the same mail.

    ``message_id`` and ``references`` (the mail that this one reminds of) keep their angle brackets;
    ``unsubscribe`` is the address of the one-click List-Unsubscribe (RFC 8058). Raises BadAddress.
    """
    message_id = _checked(_MESSAGE_ID, message_id)
    boundary = f"=_{hashlib.sha256(message_id.encode()).hexdigest()[:32]}"
    headers = [
        f"From: {_mailbox(sender)}",
        f"To: {_mailbox(recipient)}",
        f"Subject: {_encoded(letter.subject, 'Subject')}",
        f"Date: {format_datetime(date)}",
        f"Message-ID: {message_id}",
    ]
    if reply_to is not None:
        headers.append(f"Reply-To: {_mailbox(reply_to)}")
    if references is not None:
        earlier = _checked(_MESSAGE_ID, references)
        headers += [f"In-Reply-To: {earlier}", f"References: {earlier}"]
    if unsubscribe is not None:
        headers += [
            f"List-Unsubscribe: <{_checked(_URL, unsubscribe)}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ]
    headers += [
        "Auto-Submitted: auto-generated",
        # Asks Exchange not to answer with an absence notice.
        "X-Auto-Response-Suppress: OOF, AutoReply",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    ]
    head = "\r\n".join(headers).encode("ascii")
    mark = boundary.encode()
    raw = b"".join(
        (
            head,
            b"\r\n\r\n--" + mark,
            _part("plain", letter.text),
            b"--" + mark,
            _part("html", letter.html),
            b"--" + mark + b"--\r\n",
        )
    )
    return Message(sender=_address(return_path), recipient=_address(recipient.address), raw=raw, items=items)


def _part(kind: str, text: str) -> bytes:
    body = binascii.b2a_qp(text.replace("\n", "\r\n").encode(), istext=True)
    head = (
        f"\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode() + body + b"\r\n"


def _tidy(text: str) -> str:
    """Plain line ends, at most one empty line in a row, one line end at the end."""
    lines = "\n".join(line.rstrip(" \t") for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def _one_line(text: str) -> str:
    """A value in a page: its line ends are spaces, which is what they mean there."""
    lines = text.splitlines()
    return text if len(lines) < 2 else " ".join(lines)


# The same office writes to the same doctors about the same wave: most headers were written before.
@lru_cache(maxsize=1024)
def _header_text(text: str) -> str:
    """One line. Whatever could end a header, or turn its direction, becomes a space."""
    kept = (" " if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") else sign for sign in text)
    return re.sub(" +", " ", "".join(kept)).strip()


@lru_cache(maxsize=1024)
def _encoded(text: str, header: str) -> str:
    return Header(_header_text(text), header_name=header, charset=_charset(text)).encode(linesep="\r\n")


def _charset(text: str) -> str:
    return "us-ascii" if text.isascii() else "utf-8"


@lru_cache(maxsize=1024)
def _mailbox(mailbox: Mailbox) -> str:
    name, address = _header_text(mailbox.name), _address(mailbox.address)
    if not name:
        return address
    if name.isascii():
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{address}>'
    return f"{_encoded(name, 'Reply-To')} <{address}>"


@lru_cache(maxsize=1024)
def _address(address: str) -> str:
    """The address in ASCII. Raises BadAddress; an accented domain becomes its xn-- form."""
    local, at, domain = address.rpartition("@")
    try:
        plain = f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        raise BadAddress("not a mail address") from None
    if len(plain) > 254 or _ADDRESS.fullmatch(plain) is None:
        raise BadAddress("not a mail address")
    return plain


def _checked(pattern: re.Pattern[str], value: str) -> str:
    if pattern.fullmatch(value) is None:
        raise BadAddress("cannot stand in a header")
    return value
