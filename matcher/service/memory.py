"""What doctors answered within a year, counted once an hour: it moves slowly, and every event asks for it."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.fairness import COUNTED_FOR, PATIENCE, YEAR
from matcher.protocol.ids import DoctorId
from matcher.storage import past
from matcher.storage.past import Past


class Memory:
    """The counts of each territory, as of the last hour. Every replica has its own."""

    def __init__(self) -> None:
        self._counted: dict[str, tuple[datetime, Mapping[DoctorId, Past]]] = {}

    async def answers(self, session: AsyncSession, territory: str, now: datetime) -> Mapping[DoctorId, Past]:
        """By doctor: questions asked, and how many ended in a yes."""
        known = self._counted.get(territory)
        if known is not None and known[0] <= now < known[0] + COUNTED_FOR:
            return known[1]
        found = await past.answers(session, territory, since=now - YEAR, settled=now - PATIENCE)
        self._counted[territory] = (now, found)
        return found
