"""For the day the key folder is lost: each month's private keys, every MAC key and the journal's key once
more, for one key that is kept offline.

A folder of its own, beside the backups rather than beside the keys::

    recipient.txt      age1…, the public half of the offline key
    2026-11.age        the private key of that month, encrypted to it
    intake-2026-11.age    the private key of that month's drafts
    mac-links-1.age  a MAC key: with it the links of mails that are out go on being ours, and a mail that is
                     sent again bears its first Message-ID
    journal.age      what signs the journal's head: on a new machine its months and exported heads still hold

Copies may lie with the backups they open: without the offline key they are noise. A month's copy goes with
its key (``destroy``); copies of copies are the operator's to destroy. The format is age's: the ``age``
program opens a copy without this service (age-encryption.org).
"""

import contextlib
from pathlib import Path

import pyrage
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pyrage.x25519 import Identity, Recipient

from messaging import files
from messaging.keyring import KeyAbsent

_COPY = ".age"


class BadEscrowKey(ValueError):
    """Not a recipient (``age1…``) or an identity (``AGE-SECRET-KEY-1…``) of age. Never repeats it."""


def new_identity() -> tuple[str, str]:
    """A new offline key: the secret identity, to be kept away from this machine, and its recipient."""
    identity = Identity.generate()
    return str(identity), str(identity.to_public())


class Escrow:
    """The folder of copies. Writing needs the recipient alone, opening the identity."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._recipient = folder / "recipient.txt"

    def recipient(self) -> str | None:
        """Whom copies are made for; None where no escrow was set up."""
        try:
            return self._recipient.read_text("ascii").strip()
        except FileNotFoundError:
            return None

    def use(self, recipient: str) -> None:
        """Make copies for this recipient from now on. Raises BadEscrowKey. Copies for another go."""
        _recipient(recipient)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.recipient() != recipient:
            for name in self.names():
                self.destroy(name)
        files.replace(self._recipient, f"{recipient}\n".encode())

    def keep(self, name: str, content: bytes) -> None:
        """A copy of the key ``name``, where there is none yet and escrow is set up."""
        recipient = self.recipient()
        if recipient is None or self._copy(name).exists():
            return
        with contextlib.suppress(FileExistsError):
            files.write_new(self._copy(name), pyrage.encrypt(content, [_recipient(recipient)]))

    def names(self) -> list[str]:
        """The keys of which there is a copy."""
        return sorted(path.name.removesuffix(_COPY) for path in self.folder.glob(f"*{_COPY}"))

    def destroy(self, name: str) -> None:
        """Overwrite and remove the copy, where there is one."""
        with contextlib.suppress(FileNotFoundError):
            files.overwrite(self._copy(name))
            files.sync(self.folder)

    def opened(self, name: str, identity: Identity) -> bytes:
        """The key ``name``: PEM, or the bytes of a MAC key. Raises KeyAbsent if no copy opens so."""
        try:
            return bytes(pyrage.decrypt(self._copy(name).read_bytes(), [identity]))
        except (FileNotFoundError, pyrage.DecryptError):
            raise KeyAbsent(name) from None

    def _copy(self, name: str) -> Path:
        return self.folder / f"{name}{_COPY}"


class EscrowKeys:
    """What opens sealed sections from copies and the offline key, in memory alone."""

    def __init__(self, escrow: Escrow, identity: str) -> None:
        """``identity``: the text of its file. Raises BadEscrowKey."""
        self._escrow, self._identity = escrow, identity_of(identity)
        self._opened: dict[str, X25519PrivateKey] = {}

    def private(self, name: str) -> X25519PrivateKey:
        """The half that opens. Raises KeyAbsent."""
        if name not in self._opened:
            key = load_pem_private_key(self._escrow.opened(name, self._identity), password=None)
            assert isinstance(key, X25519PrivateKey)
            self._opened[name] = key
        return self._opened[name]


def _recipient(text: str) -> Recipient:
    try:
        return Recipient.from_str(text)
    except (pyrage.RecipientError, ValueError):
        raise BadEscrowKey("a recipient of age begins with age1") from None


def identity_of(text: str) -> Identity:
    """The secret key in the text of its file, comments left out. Raises BadEscrowKey."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        (secret,) = lines
        return Identity.from_str(secret)
    except (pyrage.IdentityError, ValueError):
        raise BadEscrowKey("the file holds one secret key of age, alone on its line") from None
