"""What a doctor does over the link of a list's mail: read how many patients wait, say how many he could take.

As everywhere, opening changes nothing (P6), and an answer that comes too fast to have been read is held.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.announcement import ConditionKind
from matcher.protocol.search import State
from matcher.service import asking, lists
from matcher.service.actors import Actor, Role
from matcher.service.errors import BadLink, Invalid, Over
from matcher.service.house import House
from matcher.storage import doctors, journal, links, origins, searches
from matcher.storage.origins import Ask, Origin
from messaging.links import Link, Purpose

_PREFIX = f"{Purpose.LIST}:"
#: As long as one of the list is there, a place is welcome.
_OPEN = frozenset({State.SUBMITTED, State.READY, State.ASKING, State.CALLING, State.PROPOSING})


async def is_list(house: House, token: str) -> bool:
    """Whether the token claims to be a list's; it proves nothing."""
    claimed = house.links.link_id(token)
    async with house.sessions.begin() as session:
        row = None if claimed is None else await links.by_id(session, claimed)
    return row is not None and row.purpose.startswith(_PREFIX)


async def open_link(house: House, token: str) -> dict[str, Any]:
    """What the page ``/places`` shows, and what was answered already."""
    async with house.sessions.begin() as session:
        link, origin, ask = await _open(session, house, token)
        await links.opened(session, link, house.now())
        territory = house.territory(link.territory)
        card = (await doctors.cards(session, territory.id, [link.doctor]))[link.doctor]
        view: dict[str, Any] = {
            "purpose": "list",
            "doctor": {"name": card.name},
            "territory": {"name": territory.name, "phone": territory.phone, "mail": territory.mail},
        }
        return view | await _state(session, link.territory, origin, ask)


async def answer(
    house: House,
    token: str,
    places: int,
    *,
    from_: date | None = None,
    until: date | None = None,
    declines: Iterable[ConditionKind] = (),
) -> dict[str, Any]:
    """So many places, none included; said again, it replaces what was said. ``{held: True}`` where it came
    sooner than one can read. Raises Invalid, BadLink, Over.
    """
    async with house.sessions.begin() as session:
        link, origin, ask = await _open(session, house, token)
        if until is not None and until < (from_ or asking.today(house, link.territory)):
            raise Invalid({"until": "La fin précède le début."})
        now = house.now()
        reading = house.territory(link.territory).rules.min_reading
        quick = link.last_opened_at is None or now - link.last_opened_at < reading
        given = Ask(
            doctor=link.doctor,
            state="held" if quick else "answered",
            at=ask.at,
            answered_at=now,
            places=places,
            from_=from_,
            until=until,
            declines=frozenset(declines),
        )
        actor = Actor(territory=link.territory, id=link.doctor, role=Role.DOCTOR)
        await journal.append(session, house.entry(actor, "list_answered", doctor=link.doctor))
        if quick and ask.state == "answered":
            # What he said at leisure is not undone by what a scanner may have pressed.
            return {"held": True}
        if quick:
            await origins.answered(session, link.territory, origin.id, given)
            return {"held": True}
        await lists.take_answer(session, house, link.territory, origin.id, given)
        said = await _state(session, link.territory, origin, given)
    house.bell.ring(link.territory)
    return said


async def _open(session: AsyncSession, house: House, token: str) -> tuple[links.Row, Origin, Ask]:
    claimed = house.links.link_id(token)
    row = None if claimed is None else await links.by_id(session, claimed)
    purpose = row.purpose if row is not None and row.purpose.startswith(_PREFIX) else _PREFIX
    known = (
        None
        if row is None
        else Link(territory=row.territory, purpose=row.purpose, id=row.id, nonce=row.nonce)
    )
    if not house.links.check(token, known, purpose) or row is None or row.territory not in house.territories:
        raise BadLink
    origin_id = row.purpose.removeprefix(_PREFIX)
    origin = await origins.get(session, row.territory, origin_id)
    ask = None if origin is None else await origins.one(session, row.territory, origin_id, row.doctor)
    if row.expires_at <= house.now() or origin is None or ask is None:
        raise Over
    return row, origin, ask


async def _state(session: AsyncSession, territory: str, origin: Origin, ask: Ask) -> dict[str, Any]:
    """``open``, ``answered``, ``held`` or ``over``, with what was said."""
    if not await searches.any_of_origin(session, territory, origin.id, _OPEN):
        return {"state": "over"}
    view: dict[str, Any] = {"state": ask.state if ask.state in ("answered", "held") else "open"}
    if origin.persons is not None and origin.place is not None:
        view["text"] = lists.sentence(origin.persons, origin.place)
    if ask.state == "answered":
        known = {"places": ask.places, "from": ask.from_, "until": ask.until}
        view |= {name: told for name, told in known.items() if told is not None}
        if ask.declines:
            view["declines"] = sorted(ask.declines)
    return view
