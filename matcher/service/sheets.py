"""What the screens of the office are drawn from, kept between two looks: a territory's open searches and
doctors as of one entry of its journal. ``service.desk`` brings it up to date.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from matcher.protocol.ids import DoctorId
from matcher.protocol.switchboard import Switchboard
from matcher.storage.doctors import Card
from matcher.storage.searches import Owned

#: Territories kept in memory by one process; the longest unused goes first.
_KEPT: Final = 32


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A territory at one entry of its journal. Nothing in it tells who a patient is."""

    #: The entry up to which it is true.
    seq: int
    #: Those that are open or want something of the office, by id, the longest waiting first.
    searches: Mapping[str, Owned]
    #: The doctors, as sets.
    switchboard: Switchboard
    #: The doctors, as people know them.
    cards: Mapping[DoctorId, Card]
    #: When all doctors were read last; their loads of the week move on by themselves.
    read_at: datetime
    #: What a screen worked out from this sheet, under its own name: as good as long as the sheet.
    drawn: dict[str, Any] = field(default_factory=dict, init=False, compare=False)


class Sheets:
    """The latest sheet of each territory, in this process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Sheet] = OrderedDict()

    def get(self, territory: str) -> Sheet | None:
        """The sheet of a territory, if one is kept."""
        if territory in self._kept:
            self._kept.move_to_end(territory)
        return self._kept.get(territory)

    def keep(self, territory: str, sheet: Sheet) -> None:
        """Keep this one, unless somebody kept a newer one meanwhile."""
        held = self._kept.get(territory)
        if held is None or held.seq <= sheet.seq:
            self._kept[territory] = sheet
            self._kept.move_to_end(territory)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
