"""The drill: can this backup be read with the copies of the keys and the offline key? Nothing is written,
and nothing of a record leaves this module but how many were opened.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from matcher.storage import backups
from messaging.escrow import Escrow, EscrowKeys, identity_of
from messaging.keyring import JOURNAL, KeyAbsent, Mac
from messaging.vault import Unreadable, open_with

#: Sections opened of each key and kind of section.
SAMPLE = 20


@dataclass
class Tried:
    """What the drill found under one key."""

    sections: int = 0
    opened: int = 0
    refused: int = 0
    #: There is no copy of this key, or another offline key opens it.
    key_missing: bool = False

    @property
    def good(self) -> bool:
        """Whether everything that was tried opened."""
        return not self.refused and not self.key_missing


def drill(backup: Path, escrow: Escrow, identity: str, *, sample: int = SAMPLE) -> dict[str, Tried]:
    """Open the first ``sample`` sections of each kind under each key; by the key's name.

    Raises NotABackup or BadEscrowKey. An installation without records gives an empty answer.
    """
    keys = EscrowKeys(escrow, identity)
    found: dict[str, Tried] = {}
    left: dict[tuple[str, str], int] = {}
    for one in backups.sections(backup):
        tried = found.setdefault(one.sealed.key, Tried())
        tried.sections += 1
        kind = (one.sealed.key, one.section)
        if tried.key_missing or left.setdefault(kind, sample) == 0:
            continue
        left[kind] -= 1
        try:
            text = open_with(
                keys, one.sealed, territory=one.territory, record=one.search, section=one.section
            )
            json.loads(text)
            tried.opened += 1
        except KeyAbsent:
            tried.key_missing = True
        except (Unreadable, ValueError):
            tried.refused += 1
    return dict(sorted(found.items()))


def lacking(escrow: Escrow, identity: str) -> list[str]:
    """Which keys that open no record a new machine would miss: what makes links, codes and Message-IDs, seals
    accounts, finds by name, and signs the journal. A purpose lacks where no copy of it opens. Raises
    BadEscrowKey.
    """
    opener, names = identity_of(identity), escrow.names()

    def opens(name: str) -> bool:
        try:
            return bool(escrow.opened(name, opener))
        except KeyAbsent:
            return False

    wanted = {f"mac-{purpose}-" for purpose in Mac} | {JOURNAL}
    return sorted(
        start.rstrip("-") for start in wanted if not any(opens(n) for n in names if n.startswith(start))
    )
