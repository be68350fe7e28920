"""Passwords: what may be one, and argon2id off the event loop.

Length over composition (CNIL, ANSSI, NIST SP 800-63B): no signs demanded, no forced change; what many people
choose, what repeats itself and what is made of the account's own words is refused.
"""

import asyncio
import re
import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from matcher.service.errors import Invalid

#: Argon2's own limit is far above the longest.
SHORTEST, LONGEST = 12, 256
#: Long enough and still among the first that anybody tries: one a line, folded as ``_folded`` does.
COMMON: Final = Path(__file__).with_name("common_passwords.txt")
#: Signs that are not repeated, at least.
_DISTINCT = 5
#: Letters that must be left once the account's own words are taken away.
_LEFT = 6
_STAND_INS = str.maketrans("0134578@$€!", "oieastbasei")

_hasher = PasswordHasher()
#: One hash takes 64 MiB and a core: a flood of logins waits here, not in memory.
_at_once = asyncio.Semaphore(2)


def check(password: str, own_words: Iterable[str] = ()) -> None:
    """Raise Invalid, saying why, for a password that is too short or among the first that anybody tries.

    ``own_words`` are the account's: address, name, structure, territory.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid({"password": f"Choisissez une phrase d’au moins {SHORTEST} caractères."})
    folded = _folded(password)
    if len(set(folded)) < _DISTINCT or _repeats(folded):
        raise Invalid({"password": "Ce mot de passe se répète : choisissez une phrase plus variée."})
    if not re.search(r"[a-z]", folded) or _forms(folded) & _common():
        raise Invalid({"password": "Beaucoup de gens choisissent ce mot de passe : prenez-en un autre."})
    whole = letters = _letters(folded)
    for word in sorted(_words(own_words), key=len, reverse=True):
        letters = letters.replace(word, "")
    if len(letters) < _LEFT and letters != whole:
        raise Invalid({"password": "Ce mot de passe est fait de votre nom ou de votre adresse."})


async def hashed(password: str) -> str:
    """Argon2id, in its own text form."""
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def verify(hashed_one: str, password: str) -> bool:
    """Whether it is this password."""
    async with _at_once:
        try:
            return await asyncio.to_thread(_hasher.verify, hashed_one, password)
        except (VerificationError, InvalidHashError):
            return False


async def verify_nobody(password: str) -> None:
    """As long as ``verify``, for an account that does not exist."""
    await verify(await asyncio.to_thread(_nobody), password)


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))


@cache
def _common() -> frozenset[str]:
    return frozenset(form for one in COMMON.read_text("utf-8").split() for form in _forms(one))


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"\s", "", plain)


def _forms(folded: str) -> set[str]:
    """What a password comes down to: without the signs at its end, with letters for their stand-ins."""
    stem = folded.rstrip("0123456789!?.,;:-_*#+$€@ ")
    plain = re.sub(r"[^a-z0-9]", "", folded)
    forms = {folded, plain, stem, *(one.translate(_STAND_INS) for one in (folded, stem)), _letters(stem)}
    return {form for form in forms if len(form) >= _LEFT}


def _letters(folded: str) -> str:
    return re.sub(r"[^a-z]", "", folded.translate(_STAND_INS))


def _repeats(folded: str) -> bool:
    """Whether a piece of a third or less makes the whole, as in ``lundilundilundi``."""
    return any(
        (folded[:size] * (len(folded) // size + 1)).startswith(folded)
        for size in range(1, len(folded) // 3 + 1)
    )


def _words(own: Iterable[str]) -> set[str]:
    parts = (_folded(part) for text in own for part in re.split(r"[\W_]+", text))
    return {part for part in parts if len(part) >= 3}
