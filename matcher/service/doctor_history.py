"""What is known of how a doctor was asked and answered: for the office, and for the doctor who asks.

Twelve months, and no comparison with anybody else (PROTOCOL.md: "no league table").
"""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from matcher.protocol.moves import Event
from matcher.service import stories
from matcher.service.actors import COORDINATION, Actor, require
from matcher.service.errors import NotFound
from matcher.service.house import House
from matcher.storage import doctors, journal, searches

KEPT: Final = timedelta(days=365)
_MOST: Final = 200
_COUNTED: Final[Mapping[tuple[str, str | None], str]] = {
    (Event.MAIL_ACCEPTED, None): "mails",
    (Event.CALL, None): "calls",
    (Event.ANSWER, "yes"): "yes",
    (Event.ANSWER, "no"): "no",
    (Event.CALL, "yes"): "yes",
    (Event.CALL, "no"): "no",
    (Event.CHOOSE, None): "chosen",
    (Event.DESIST, None): "gave_up",
}


async def history(house: House, actor: Actor, doctor_id: str) -> dict[str, Any]:
    """``{counts: {mails, calls, yes, no, chosen, gave_up}, items: [{at, text, search, reference}]}``, the
    newest first. Raises NotFound.
    """
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        if not await doctors.exists(session, actor.territory, doctor_id):
            raise NotFound
        since = house.now() - KEPT
        entries = await journal.of_doctor(session, actor.territory, doctor_id, since, limit=_MOST)
        people = await doctors.cards(session, actor.territory, [doctor_id])
        ids = {entry.search for entry in entries if entry.search}
        named = await searches.references(session, actor.territory, ids)
    counts: Counter[str] = Counter()
    for entry in entries:
        for purpose in {None, entry.purpose}:
            name = _COUNTED.get((entry.action, purpose))
            if name is not None:
                counts[name] += 1
    told = zip(entries, stories.timeline(entries, people, silent=frozenset()), strict=True)
    items = [
        {**one, "search": entry.search, "reference": named.get(entry.search or "")} for entry, one in told
    ]
    return {"counts": dict(counts), "items": items}
