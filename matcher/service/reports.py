"""For the directrice: the journal, and the figures of a period. No patient is in either."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

from matcher.protocol.moves import Event
from matcher.protocol.search import State
from matcher.records.figures import months
from matcher.service import delays, desk
from matcher.service import figures as counted
from matcher.service.actors import Actor, Role, require
from matcher.service.errors import Invalid
from matcher.service.house import House
from matcher.storage import journal as entries
from matcher.storage import searches

DIRECTION = frozenset({Role.DIRECTRICE})
_PAGE = 100
#: Years in which a report may begin, and how many it may last: whoever types 0026 or 9999 is told.
_FIRST, _LAST, _LONGEST = 1900, 2100, 10
#: Of the rests of a period's searches; many times what a year has.
_MOST = 100_000
#: By mail or by phone.
_ASKED = frozenset({Event.MAIL_ACCEPTED, Event.CALL})
#: What a report counts in the journal.
_COUNTED = frozenset({Event.LAUNCH, Event.MAIL_ACCEPTED, Event.CALL, Event.OPEN_RECORD})


async def journal(house: House, actor: Actor, after: int | None = None) -> dict[str, Any]:
    """One page of the territory's journal, newest first: ``{items, next?}``."""
    require(actor, DIRECTION)
    async with house.sessions.begin() as session:
        found = await entries.list_(session, actor.territory, after=after, limit=_PAGE + 1)
    page: dict[str, Any] = {"items": [_entry(one) for one in found[:_PAGE]]}
    if len(found) > _PAGE:
        page["next"] = str(found[_PAGE - 1].seq)
    return page


async def report(house: House, actor: Actor, from_: date, to: date) -> dict[str, Any]:
    """The activity of a period, both days included: requests, ends, delays in days, calls, mails."""
    require(actor, DIRECTION)
    return await figures(house, actor.territory, from_, to)


async def figures(house: House, territory: str, from_: date, to: date) -> dict[str, Any]:
    """``report``, for who needs no role: the command line. Raises Invalid, naming ``from`` or ``to``."""
    if to < from_:
        raise Invalid({"to": "La fin précède le début."})
    if not _FIRST <= from_.year <= _LAST:
        raise Invalid({"from": f"Le début doit être entre {_FIRST} et {_LAST}."})
    if to.year - from_.year > _LONGEST:
        raise Invalid({"to": f"La période dépasse {_LONGEST} ans : choisissez-en une plus courte."})
    zone = house.territory(territory).rules.office_calendar.zone
    start = datetime.combine(from_, time.min, zone)
    end = datetime.combine(to + timedelta(days=1), time.min, zone)
    async with house.sessions.begin() as session:
        sheet = await desk.sheet(session, house, territory)
        known: dict[str, Any] | None = sheet.drawn.get(f"report {from_} {to}")
        if known is not None:
            return dict(known)
        ended = await searches.in_states(session, territory, [s for s in State if s not in desk.OPEN])
        everything = [*sheet.searches.values(), *(o for o in ended if o.search.id not in sheet.searches)]
        gone = await counted.gone(session, house, territory, from_, to, everything)
        groups = await counted.groups(session, house, territory, from_, to, everything)
        acts: Counter[str] = Counter()
        told = await entries.counts(session, territory, start, end, _COUNTED)
        for (action, _), number in told.items():
            acts[action] += number
        asked = await entries.doctors(session, territory, start, end, _ASKED)
        said_yes = await entries.doctors(session, territory, start, end, delays.ANSWERS, "yes")
        answers = await entries.between(session, territory, start, end, delays.ANSWERS)
        found = [
            o
            for o in everything
            if o.search.state is State.ATTACHED and o.search.seniority and start <= o.search.since < end
        ]
        among = {one.search.id for one in found}
        rests = await entries.of_actions(session, territory, delays.RESTS, among=among, limit=_MOST)
    taken = [o for o in everything if start <= o.search.created_at < end]
    handed = [o for o in taken if o.search.seniority is not None]
    told_of: dict[str, Any] = {
        "from": from_,
        "to": to,
        "requests": len(handed) + gone.requests.total(),
        "by_requester": dict(Counter(o.structure_kind or counted.OFFICE for o in handed) + gone.requests),
        "by_state": dict(Counter(str(o.search.state) for o in taken)),
        "attached": len(found) + gone.attached,
        "launches": acts[Event.LAUNCH],
        "mails": acts[Event.MAIL_ACCEPTED],
        "calls": acts[Event.CALL],
        "doctors_asked": asked,
        "doctors_yes": said_yes,
        "records_opened": acts[Event.OPEN_RECORD],
    }
    seen = sorted((*answers, *rests), key=lambda entry: entry.seq)
    asked_in = gone.requests_by_month + Counter(
        counted.month(house, territory, o.search.created_at) for o in handed
    )
    found_in = gone.attached_by_month + Counter(
        counted.month(house, territory, o.search.since) for o in found
    )
    told_of["by_month"] = [
        {"month": one, "requests": asked_in[one], "attached": found_in[one]} for one in months(from_, to)
    ]
    told_of |= delays.figures(handed, found, seen, house.now(), gone.days)
    if groups:
        told_of["groups"] = groups
    # As good as long as nothing happens: the directrice looks at it several times, and exports it.
    sheet.drawn[f"report {from_} {to}"] = dict(told_of)
    return told_of


def _entry(one: entries.Entry) -> dict[str, Any]:
    view = {
        "seq": one.seq,
        "at": one.at,
        "actor": {"kind": one.actor_kind, "id": one.actor_id},
        "action": one.action,
        "search": one.search,
        "doctor": one.doctor,
        "purpose": one.purpose,
        "state": one.state,
    }
    return {name: value for name, value in view.items() if value is not None}
