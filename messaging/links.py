"""Tokens that are derived, not stored: links, sessions, release codes, return paths.

A link's token is ``<key>-<link id>-<HMAC>``: anybody who holds it may do what its purpose allows, and whoever
steals the database cannot make one, since the key is not in it. Revoking a link changes its nonce.
Every check takes the same time whatever is wrong, and says only yes or no.
"""

import hashlib
import hmac
import re
from base64 import b32encode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from messaging.keyring import KeyAbsent, KeyRing, Mac

_TOKEN = re.compile(r"([1-9][0-9]{0,3})-([A-Za-z0-9]{1,64})-([A-Za-z0-9_-]{43})")
_SESSION = re.compile(r"([1-9][0-9]{0,3})-([0-9]{1,12})-([A-Za-z0-9_-]{43})")
#: Addresses that mails come back to. A local part has 64 places.
_BACK = re.compile(r"(bounces|reponse)\+([a-z0-9]{1,39})\.([a-z2-7]{16})@([a-z0-9.-]{1,253})")
_CODE_DIGITS = 6


class Purpose(StrEnum):
    """What a link lets its bearer do. A token of one purpose is junk for every other."""

    #: Answer an announcement, on ``/r``.
    ANSWER = "answer"
    #: The same, for a secretary or a replacement.
    DELEGATE = "delegate"
    #: Open the record, on ``/dossier``, with a second factor.
    RECORD = "record"
    #: One-click List-Unsubscribe.
    PAUSE = "pause"
    #: Set an authenticator up, with a code that the office reads out.
    FACTOR = "factor"
    #: Say how many patients of a list one could take, on ``/places``. The list's id follows, so that a
    #: doctor has one link for each: ``list:<id>``.
    LIST = "list"
    #: Read what is kept of oneself, on ``/mes-reponses``; nothing can be done with it.
    DATA = "data"
    #: Choose a first password.
    ENROL = "enrol"


@dataclass(frozen=True, kw_only=True)
class Link:
    """The row that a token stands for, as far as the check needs it. ``id`` is of letters and digits."""

    territory: str
    purpose: str
    id: str
    #: Changed to revoke every token made before.
    nonce: str


#: Checked in place of a row that does not exist, so that a made-up id takes no less time.
_NOBODY = Link(territory="nobody", purpose="nothing", id="0" * 32, nonce="0" * 32)


class Links:
    """Makes and checks tokens with the key ring's MAC keys."""

    def __init__(self, keyring: KeyRing) -> None:
        self._keys = keyring

    def token(self, link: Link) -> str:
        """The token of a link, of ``[A-Za-z0-9_-]``; the same one as long as nonce and key stay."""
        return self._token(link, self._keys.mac_generation(Mac.LINKS))

    def link_id(self, token: object) -> str | None:
        """The id that a token claims, to look its row up; None for junk. Proves nothing: ``check`` does."""
        match = _match(_TOKEN, token)
        return None if match is None else match[2]

    def check(self, token: object, link: Link | None, purpose: str) -> bool:
        """Whether the token is this link's, for this purpose. ``link`` is None where no row was found."""
        match = _match(_TOKEN, token)
        generation = 1 if match is None else int(match[1])
        try:
            expected = self._token(link or _NOBODY, generation)
        except KeyAbsent:
            expected = self.token(_NOBODY)
        given = "" if match is None else match[0]
        same = hmac.compare_digest(expected, given)
        return same and link is not None and link.purpose == purpose

    def session(self, link: Link, until: datetime) -> str:
        """What shows for a while that this link's second factor was given. Ends with the link's nonce."""
        return self._session(link, int(until.timestamp()), self._keys.mac_generation(Mac.SESSIONS))

    def check_session(self, session: object, link: Link, now: datetime) -> bool:
        """Whether the session is this link's and not over."""
        match = _match(_SESSION, session)
        if match is None:
            return False
        try:
            expected = self._session(link, int(match[2]), int(match[1]))
        except KeyAbsent:
            return False
        return hmac.compare_digest(expected, match[0]) and now.timestamp() < int(match[2])

    def code(self, territory: str, release: str, number: int) -> str:
        """The ``number``-th code of a release: six digits, to be read out. Stored nowhere."""
        digest = self._digest(Mac.CODES, None, "code", territory, release, str(number))
        return f"{int.from_bytes(digest[:16], 'big') % 10**_CODE_DIGITS:0{_CODE_DIGITS}d}"

    def check_code(self, given: object, territory: str, release: str, number: int) -> bool:
        """Whether this is that code; spaces are let be. Counting wrong ones and expiry are the caller's."""
        digits = "".join(given.split()) if isinstance(given, str) else ""
        expected = self.code(territory, release, number)
        return hmac.compare_digest(expected.encode(), digits.encode("utf-8", "replace"))

    def return_path(self, id: str, domain: str) -> str:
        """The envelope sender of one mail: ``bounces+<id>.<mac>@domain``, in lower case: relays may fold it.

        ``id`` is of at most 39 lower-case letters and digits: a local part has 64 places.
        """
        return self._back("bounces", id, domain)

    def reply_path(self, id: str, domain: str) -> str:
        """Where an answer to one mail goes: ``reponse+<id>.<mac>@domain``, made as a return path is."""
        return self._back("reponse", id, domain)

    def returned(self, address: object) -> str | None:
        """The id in a return path that we made; None for any other address, forged ones included."""
        return self._came_back("bounces", address)

    def answered(self, address: object) -> str | None:
        """The id in a reply path that we made; None for any other address."""
        return self._came_back("reponse", address)

    def address_mark(self, address: str) -> str:
        """Five signs that tell one address from another, to whoever holds the key. They stand in the return
        path: a bounce can then be told from one of an address that was corrected since.
        """
        digest = self._digest(Mac.RETURN_PATH, 1, "address", address.strip().lower())
        return b32encode(digest[:5]).decode().lower()[:5]

    def _back(self, kind: str, id: str, domain: str) -> str:
        address = f"{kind}+{id}.{self._back_mac(kind, id, domain)}@{domain}"
        if _BACK.fullmatch(address) is None:
            raise ValueError("a return path needs a short id and a lower-case domain")
        return address

    def _came_back(self, kind: str, address: object) -> str | None:
        match = _match(_BACK, address.lower() if isinstance(address, str) else address)
        if match is None or match[1] != kind:
            return None
        return match[2] if hmac.compare_digest(self._back_mac(kind, match[2], match[4]), match[3]) else None

    def _back_mac(self, kind: str, id: str, domain: str) -> str:
        # 80 bits: a forger has to try them against us, one mail each.
        what = {"bounces": "return path", "reponse": "reply path"}[kind]
        return b32encode(self._digest(Mac.RETURN_PATH, 1, what, domain, id)[:10]).decode().lower()

    def _token(self, link: Link, generation: int) -> str:
        digest = self._digest(
            Mac.LINKS, generation, "link", link.territory, link.purpose, link.id, link.nonce
        )
        return f"{generation}-{link.id}-{_text(digest)}"

    def _session(self, link: Link, until: int, generation: int) -> str:
        digest = self._digest(
            Mac.SESSIONS, generation, "session", link.territory, link.purpose, link.id, link.nonce, str(until)
        )
        return f"{generation}-{until}-{_text(digest)}"

    def _digest(self, purpose: Mac, generation: int | None, *parts: str) -> bytes:
        message = b"".join(len(part := text.encode()).to_bytes(4, "big") + part for text in parts)
        return hmac.new(self._keys.mac(purpose, generation), message, hashlib.sha256).digest()


def _match(pattern: re.Pattern[str], text: object) -> re.Match[str] | None:
    return pattern.fullmatch(text) if isinstance(text, str) else None


def _text(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
