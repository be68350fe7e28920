"""What the clock will do by itself: every step that waits, with its search and its hour, and what is late."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.timers import Timer, TimerKind
from matcher.service import health, vaulted
from matcher.service.actors import COORDINATION, Actor, Role, require
from matcher.service.errors import Invalid
from matcher.service.house import House
from matcher.storage import doctors, searches, territories, timers
from matcher.storage.timers import Waiting
from messaging import outbox

READERS: Final = COORDINATION | {Role.DIRECTRICE}
#: Between the parts of a page's ``next``; in no id, no word of the code and no moment.
_BETWEEN: Final = "~"


async def coming(house: House, actor: Actor, after: str | None = None, limit: int = 50) -> dict[str, Any]:
    """One page of the territory's steps, soonest first: ``{items: [{what, at, late, search {id, reference,
    state}, label?, doctor? {id, name}}], next?, late, stopped, mails {waiting, since?}}``.

    ``late`` counts those that are; ``mails`` are those that are still to be sent. Only who leads searches
    is given labels. Raises Invalid for an ``after`` that no page gave.
    """
    require(actor, READERS)
    territory, before = actor.territory, house.now() - health.CLOCK_LATE
    async with house.sessions.begin() as session:
        found = await timers.waiting(
            session, territory, after=None if after is None else _read(after), limit=limit + 1
        )
        number, since = await outbox.waiting_of(session, territory)
        page: dict[str, Any] = {
            "items": await _named(session, house, actor, found[:limit], before),
            "late": await timers.late(session, territory, before),
            "stopped": await territories.is_stopped(session, territory),
            "mails": {"waiting": number} if since is None else {"waiting": number, "since": since},
        }
    if len(found) > limit:
        page["next"] = _written(found[limit - 1])
    return page


async def _named(
    session: AsyncSession, house: House, actor: Actor, found: Sequence[Waiting], before: datetime
) -> list[dict[str, Any]]:
    territory, ids = actor.territory, {one.search for one in found}
    rows = {one.search.id: one for one in await searches.these(session, territory, ids)}
    leads = actor.role in COORDINATION
    labels = await vaulted.labels(session, house, territory, ids) if leads else {}
    known = await doctors.cards(session, territory, {one.timer.doctor for one in found if one.timer.doctor})
    items = []
    for one in found:
        owned, doctor = rows[one.search], one.timer.doctor
        item: dict[str, Any] = {
            "what": one.timer.kind.value,
            "at": one.timer.at,
            "late": one.timer.at < before,
            "search": {"id": one.search, "reference": owned.reference, "state": owned.search.state},
        }
        if one.search in labels:
            item["label"] = labels[one.search]
        if doctor is not None and doctor in known:
            item["doctor"] = {"id": doctor, "name": known[doctor].name}
        items.append(item)
    return items


def _written(last: Waiting) -> str:
    one = last.timer
    return _BETWEEN.join((one.at.isoformat(), last.search, one.kind.value, one.doctor or ""))


def _read(after: str) -> Waiting:
    try:
        at, search, kind, doctor = after.split(_BETWEEN)
        moment = datetime.fromisoformat(at)
        timer = Timer(kind=TimerKind(kind), at=moment, doctor=DoctorId(doctor) if doctor else None)
    except ValueError:
        timer, search = None, ""
    if timer is None or timer.at.tzinfo is None:
        raise Invalid({"after": "Cette suite n’est celle d’aucune page."})
    return Waiting(search=SearchId(search), timer=timer)
