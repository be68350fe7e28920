"""The drill: can this backup be read with the copies of the keys and the offline key? Nothing is written,
and nothing of a record leaves this module but how many were opened.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from matcher.storage import backups
from messaging.escrow import Escrow, EscrowKeys
from messaging.keyring import KeyAbsent
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
