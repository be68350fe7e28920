"""Sealed sections of a record: seal, open, re-seal. Bytes in, bytes out; it stores nothing.

Each section has a data key of its own. The data key encrypts the section with AES-256-GCM and is itself
sealed, by HPKE (RFC 9180), to the public key of the month. Where the section belongs (territory, record,
section, version) is bound into both, so that a row moved to another patient does not open. GCM does not
commit to its key: a tag derived from the data key does, so that one ciphertext cannot open to two texts.

What it does not promise: whoever holds the public key can seal, so a section proves secrecy and place,
not who wrote it; and the length of a ciphertext tells the length of its text.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from messaging.keyring import KeyRing, Mac

#: The format that this module writes. It is bound into every section.
VERSION = 1

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_NONCE = 12


class Unreadable(Exception):
    """Altered, moved, or sealed to another key. Which of them is not said."""

    def __init__(self) -> None:
        super().__init__("this section does not open")


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A sealed section, as it is stored beside its territory, record id and section's name."""

    #: The name of the key pair that it is sealed to: ``2026-11``, ``intake-2026-11``.
    key: str
    version: int
    #: The data key, sealed by HPKE.
    wrapped: bytes
    #: 32 bytes that only this data key, in this place, gives.
    commitment: bytes
    #: 12 bytes.
    nonce: bytes
    ciphertext: bytes


class Openers(Protocol):
    """The private halves by name: of a key ring, or of the copies kept for a disaster."""

    def private(self, name: str) -> X25519PrivateKey:
        """The half that opens. Raises KeyAbsent."""


class Vault:
    """Seals with public keys alone; opens where the private halves are."""

    def __init__(self, keyring: KeyRing) -> None:
        self._keys = keyring

    def seal(self, plaintext: bytes, *, territory: str, record: str, section: str, key: str) -> Sealed:
        """Seal a section to the key pair named ``key``. Raises KeyAbsent."""
        place = _place(territory, record, section, VERSION)
        data_key, nonce = secrets.token_bytes(32), secrets.token_bytes(_NONCE)
        cipher, commitment = _derive(data_key, place)
        return Sealed(
            key=key,
            version=VERSION,
            wrapped=self._wrap(data_key, place, key),
            commitment=commitment,
            nonce=nonce,
            ciphertext=AESGCM(cipher).encrypt(nonce, plaintext, place),
        )

    def open(self, sealed: Sealed, *, territory: str, record: str, section: str) -> bytes:
        """The text. Raises KeyAbsent if the key is not here (or no more), Unreadable if anything differs."""
        return open_with(self._keys, sealed, territory=territory, record=record, section=section)

    def rewrap(self, sealed: Sealed, to: str, *, territory: str, record: str, section: str) -> Sealed:
        """The same section with its data key sealed to another pair; the ciphertext is not touched.

        Raises KeyAbsent or Unreadable, and then nothing was changed.
        """
        place = _place(territory, record, section, sealed.version)
        data_key = _unwrap(self._keys, sealed, place)[0]
        return replace(sealed, key=to, wrapped=self._wrap(data_key, place, to))

    def hmac_term(self, territory: str, term: str) -> str:
        """A keyed hash for looking something up without storing it: 64 hexadecimal digits.

        Each territory has its own hashes: what one knows cannot be found from another's.
        """
        message = _join(b"trait-union lookup", territory.encode(), term.encode())
        return hmac.new(self._keys.mac(Mac.LOOKUP), message, hashlib.sha256).hexdigest()

    def _wrap(self, data_key: bytes, place: bytes, key: str) -> bytes:
        return _SUITE.encrypt(data_key, self._keys.public(key), info=_info(place, key))


def open_with(keys: Openers, sealed: Sealed, *, territory: str, record: str, section: str) -> bytes:
    """What ``Vault.open`` gives, with whatever holds the private halves."""
    place = _place(territory, record, section, sealed.version)
    cipher = _unwrap(keys, sealed, place)[1]
    try:
        return AESGCM(cipher).decrypt(sealed.nonce, sealed.ciphertext, place)
    except (InvalidTag, ValueError):
        raise Unreadable from None


def _unwrap(keys: Openers, sealed: Sealed, place: bytes) -> tuple[bytes, bytes]:
    """The data key, and the cipher's key that it gives, once the commitment was checked."""
    private = keys.private(sealed.key)
    try:
        data_key = _SUITE.decrypt(sealed.wrapped, private, info=_info(place, sealed.key))
    except (InvalidTag, ValueError):
        raise Unreadable from None
    cipher, commitment = _derive(data_key, place)
    if sealed.version != VERSION or not hmac.compare_digest(commitment, sealed.commitment):
        raise Unreadable
    return data_key, cipher


def _place(territory: str, record: str, section: str, version: int) -> bytes:
    return _join(
        b"trait-union section", territory.encode(), record.encode(), section.encode(), str(version).encode()
    )


def _info(place: bytes, key: str) -> bytes:
    return _join(b"trait-union data key", place, key.encode())


def _derive(data_key: bytes, place: bytes) -> tuple[bytes, bytes]:
    """From a data key: the key of the cipher, and the commitment."""
    both = HKDF(algorithm=SHA256(), length=64, salt=None, info=_join(b"trait-union keys", place)).derive(
        data_key
    )
    return both[:32], both[32:]


def _join(*parts: bytes) -> bytes:
    """The parts with their lengths, so that no two lists give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
