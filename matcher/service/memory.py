"""What doctors answered within a year, counted once an hour: it moves slowly, and every event asks for it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.ids import DoctorId
from matcher.storage import past
from matcher.storage.past import Past

#: As long as the answers of a doctor are kept (PROTOCOL.md: twelve months).
YEAR = timedelta(days=365)
#: Who has not answered after so long counts as silent.
PATIENCE = timedelta(days=7)
#: A count is used for so long.
_HOUR = timedelta(hours=1)


class Memory:
    """The counts of each territory, as of the last hour. Every replica has its own."""

    def __init__(self) -> None:
        self._counted: dict[str, tuple[datetime, Mapping[DoctorId, Past]]] = {}

    async def answers(self, session: AsyncSession, territory: str, now: datetime) -> Mapping[DoctorId, Past]:
        """By doctor: questions asked, and how many ended in a yes."""
        known = self._counted.get(territory)
        if known is not None and known[0] <= now < known[0] + _HOUR:
            return known[1]
        found = await past.answers(session, territory, since=now - YEAR, settled=now - PATIENCE)
        self._counted[territory] = (now, found)
        return found
