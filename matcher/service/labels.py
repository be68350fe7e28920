"""The labels of patients (initials and year of birth) that this process has opened lately.

They lie sealed in the database, and a list of fifty would open fifty sections at every look. A label is
shown only beside the very section that it was opened from: one that was closed, destroyed or sealed anew
gives none, in whichever process, and is dropped here (P9).
"""

from collections import OrderedDict
from typing import Final

#: Labels of open searches of some large territories.
_REMEMBERED: Final = 4_000


class Labels:
    """The latest labels, by search; the longest unused goes first."""

    def __init__(self) -> None:
        self._opened: OrderedDict[tuple[str, str], tuple[bytes, str]] = OrderedDict()

    def of(self, territory: str, search: str, section: bytes) -> str | None:
        """The label that was opened from this very section, told by its nonce."""
        held = self._opened.get((territory, search))
        if held is None or held[0] != section:
            return None
        self._opened.move_to_end((territory, search))
        return held[1]

    def keep(self, territory: str, search: str, section: bytes, label: str) -> None:
        """Remember what a section said."""
        self._opened[territory, search] = section, label
        self._opened.move_to_end((territory, search))
        if len(self._opened) > _REMEMBERED:
            self._opened.popitem(last=False)

    def forget(self, territory: str, search: str) -> None:
        """Nothing is kept of this search."""
        self._opened.pop((territory, search), None)
