"""Small secrets that the service itself has to read again: the secret of an authenticator app, say.

AES-256-GCM under a key that lies in the key folder, never in the database; where the secret belongs is bound
in, so that a row moved to another account does not open. Unlike a record, nothing here is sealed to a month.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messaging.keyring import KeyAbsent, KeyRing, Mac
from messaging.vault import Unreadable

_NONCE = 12


class Strongbox:
    """Seals and opens with the newest key of its own; older ones go on opening what they sealed."""

    def __init__(self, keyring: KeyRing) -> None:
        self._keys = keyring

    def seal(self, plaintext: bytes, *place: str) -> bytes:
        """The secret, sealed for its place: territory, account, kind. Two bytes of them name the key."""
        generation = self._keys.mac_generation(Mac.STRONGBOX)
        nonce = secrets.token_bytes(_NONCE)
        head = generation.to_bytes(2, "big")
        cipher = AESGCM(self._keys.mac(Mac.STRONGBOX, generation))
        return head + nonce + cipher.encrypt(nonce, plaintext, _bound(head, place))

    def open(self, sealed: bytes, *place: str) -> bytes:
        """The secret. Raises Unreadable if anything differs, or its key is not here."""
        head, nonce, rest = sealed[:2], sealed[2 : 2 + _NONCE], sealed[2 + _NONCE :]
        try:
            key = self._keys.mac(Mac.STRONGBOX, int.from_bytes(head, "big"))
            return AESGCM(key).decrypt(nonce, rest, _bound(head, place))
        except (InvalidTag, KeyAbsent, ValueError):
            raise Unreadable from None


def _bound(head: bytes, place: tuple[str, ...]) -> bytes:
    return head + b"".join(len(one.encode()).to_bytes(4, "big") + one.encode() for one in place)
