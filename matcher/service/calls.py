"""The calls, by doctor: who is to be phoned for whom, by whom, and what came of it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import reasons, steps
from matcher.protocol.doctors import Candidate
from matcher.protocol.ids import AnswerId, DoctorId
from matcher.protocol.moves import Event, Refused
from matcher.protocol.rules import Around
from matcher.protocol.search import (
    CallOutcome,
    Channel,
    RefusalReason,
    Search,
    SpokeWith,
    Stand,
    State,
    TaskKind,
    Terms,
)
from matcher.protocol.wording import sentence
from matcher.service import asking, standing, turn, views
from matcher.service.actors import OFFICE, Actor, require
from matcher.service.errors import Conflict, NotFound
from matcher.service.house import House
from matcher.storage import calls as claims
from matcher.storage import doctors, searches
from matcher.storage.searches import Owned

#: What may stand before a doctor's name.
_TITLES = frozenset({"dr", "docteur", "docteure", "doctoresse", "le", "la"})
#: He has said what he had to say, or the patient has.
_SETTLED = frozenset({Stand.NO, Stand.DECLINED, Stand.GAVE_UP})
#: Namesakes shown at once; a longer name finds the others.
_LISTED = 12
#: One call carries at most this many announcements.
AT_ONCE = 3


@dataclass
class _Pile:
    """What is to be said to one doctor."""

    #: Without a candidate where he was asked and fits no more.
    items: list[tuple[Owned, Candidate | None]] = field(default_factory=list)
    promised: datetime | None = None


async def of_search(house: House, actor: Actor, search_id: str) -> dict[str, Any]:
    """Those still to phone for one search, best first, and why each is there."""
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        owned = await searches.get(session, actor.territory, search_id)
        if owned is None:
            raise NotFound
        candidates = await asking.candidates(session, house, owned.search)
        around = Around(now=house.now(), rules=house.territory(actor.territory).rules, candidates=candidates)
        people = await doctors.cards(session, actor.territory, [c.doctor for c in candidates.ordered])
    return {
        "items": [
            {"doctor": {"id": c.doctor, "name": people[c.doctor].name}, **standing.reasoned(c)}
            for c in steps.to_phone(owned.search, around)
        ]
    }


async def board(house: House, actor: Actor, also: str | None = None) -> list[dict[str, Any]]:
    """Every doctor to phone now, in order: promised, urgent, wishes met, least recently phoned, near.

    Each carries up to three announcements that fit him, so that nobody is phoned three times in a morning.
    ``also`` is a search that has a yes and for which one wishes to go on phoning.
    """
    require(actor, OFFICE)
    now = house.now()
    async with house.sessions.begin() as session:
        roster = await asking.roster(session, house, actor.territory)
        piles = await _piles(session, house, actor, roster, also)
        people = await doctors.cards(session, actor.territory, piles)
        claimed = await claims.claimed(session, actor.territory, now)
    phoned = {d.id: d.last_phoned_at for d in roster.doctors}
    order = sorted(piles.items(), key=lambda pile: _rank(pile[0], pile[1], phoned.get(pile[0])))
    return [_card(people[doctor], pile, claimed.get(doctor), actor) for doctor, pile in order if pile.items]


async def questions(house: House, actor: Actor, doctor_id: str) -> dict[str, Any]:
    """« Le docteur … rappelle »: his card with everything that he may be asked or may answer now.

    That is what he would be phoned for, and what he was asked by mail and has not refused; who calls by
    himself is not held to three.
    """
    require(actor, OFFICE)
    doctor = DoctorId(doctor_id)
    async with house.sessions.begin() as session:
        people = await doctors.cards(session, actor.territory, [doctor])
        if doctor not in people:
            raise NotFound
        roster = await asking.roster(session, house, actor.territory)
        pile = (await _piles(session, house, actor, roster)).get(doctor, _Pile())
        known = {owned.search.id for owned, _ in pile.items}
        for search_id in await claims.open_questions(session, actor.territory, doctor):
            owned = None if search_id in known else await searches.get(session, actor.territory, search_id)
            if owned is not None and _may_still_say(owned.search, doctor):
                found = await asking.candidates(session, house, owned.search, roster)
                pile.items.append((owned, next((c for c in found.ordered if c.doctor == doctor), None)))
        claimed = await claims.claimed(session, actor.territory, house.now())
    return _card(people[doctor], pile, claimed.get(doctor), actor, at_once=len(pile.items))


async def named(house: House, actor: Actor, name: str) -> list[dict[str, Any]]:
    """The doctors of that name, to pick out who rings back: ``[{id, name, phone?, city?}]``."""
    require(actor, OFFICE)
    # As people say it: « le docteur Martin », « Dr Martin ».
    words = [w for w in name.replace(".", " ").split() if w.lower() not in _TITLES]
    if not words:
        return []
    async with house.sessions.begin() as session:
        found = await doctors.list_(session, actor.territory, " ".join(words))
    return [
        {"id": card.id, "name": card.name}
        | {key: told for key, told in (("phone", card.phone), ("city", card.city)) if told}
        for card in found[:_LISTED]
    ]


async def _piles(
    session: AsyncSession, house: House, actor: Actor, roster: asking.Roster, also: str | None = None
) -> dict[DoctorId, _Pile]:
    """What there is to say to each doctor whom one would phone now."""
    piles: dict[DoctorId, _Pile] = defaultdict(_Pile)
    rules = house.territory(actor.territory).rules
    calling = await searches.in_states(session, actor.territory, [State.CALLING])
    wanted = None if also is None else await searches.get(session, actor.territory, also)
    if wanted is not None and wanted.search.state is State.PROPOSING:
        calling = [*calling, wanted]
    for owned in calling:
        found = await asking.candidates(session, house, owned.search, roster)
        around = Around(now=house.now(), rules=rules, candidates=found)
        for candidate in steps.to_phone(owned.search, around):
            piles[candidate.doctor].items.append((owned, candidate))
    for owned, doctor, since in await searches.tasks(session, actor.territory, TaskKind.CALL_BACK):
        if doctor is None:
            continue
        pile = piles[doctor]
        pile.promised = min(since, pile.promised or since)
        if all(o.search.id != owned.search.id for o, _ in pile.items):
            found = await asking.candidates(session, house, owned.search, roster)
            pile.items += [(owned, c) for c in found.ordered if c.doctor == doctor]
    return piles


async def claim(house: House, actor: Actor, doctor_id: str) -> dict[str, Any]:
    """Take a doctor to phone for oneself, for a while. Raises Conflict where somebody else has him."""
    require(actor, OFFICE)
    now = house.now()
    until = now + house.territory(actor.territory).rules.claim
    async with house.sessions.begin() as session:
        if not await doctors.exists(session, actor.territory, DoctorId(doctor_id)):
            raise NotFound
        holder = await claims.claim(
            session, actor.territory, DoctorId(doctor_id), actor.id, actor.name, now, until
        )
    if holder.person != actor.id:
        raise Conflict("claimed", f"{holder.name} s’occupe déjà de ce médecin.")
    house.bell.ring(actor.territory)
    return {"doctor_id": doctor_id, "until": until}


async def let_go(house: House, actor: Actor, doctor_id: str) -> None:
    """Give a doctor back to the others; nothing where he is somebody else's."""
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        await claims.release(session, actor.territory, DoctorId(doctor_id), actor.id)
    house.bell.ring(actor.territory)


async def outcome(
    house: House,
    actor: Actor,
    search_id: str,
    doctor_id: str,
    outcome: CallOutcome,
    *,
    spoke_with: SpokeWith | None = None,
    at: datetime | None = None,
    until: date | None = None,
    reason: RefusalReason | None = None,
    conditions: Terms | None = None,
    email: str | None = None,
    mssante: str | None = None,
) -> dict[str, Any]:
    """What a call came to. ``at`` is a promised call-back, ``until`` the end of "not taking"."""
    require(actor, OFFICE)
    doctor = DoctorId(doctor_id)
    async with house.sessions.begin() as session:
        if not await doctors.exists(session, actor.territory, doctor):
            raise NotFound
        before = await turn.locked(session, actor, search_id)
        given = {name: told for name, told in (("email", email), ("mssante", mssante)) if told}
        if given:
            await turn.correct_doctor(session, house, actor, doctor, given)
        move = partial(
            steps.call,
            answer_id=AnswerId(uuid4().hex),
            spoke_with=spoke_with,
            call_back_at=at,
            until=until,
            reason=reason,
            terms=conditions or Terms(),
        )
        step = await turn.stepped(session, house, before, lambda s, a: move(s, doctor, outcome, a))
        await turn.carry_out(
            session, house, actor, before, step, Event.CALL, doctor=doctor, purpose=str(outcome)
        )
        # After the journal's head, which is locked by now: a pause that settles locks them in this order too.
        await doctors.phoned(session, actor.territory, doctor, house.now())
        await claims.release(session, actor.territory, doctor, actor.id)
    house.bell.ring(actor.territory)
    return await views.search(house, actor, search_id)


def _may_still_say(search: Search, doctor: DoctorId) -> bool:
    """Whether his answer to this search could still change something."""
    position = search.position(doctor)
    if search.chosen is not None:
        return search.chosen == doctor
    return position is None or position.stand not in _SETTLED


def _rank(doctor: DoctorId, pile: _Pile, phoned: datetime | None) -> tuple[object, ...]:
    best = pile.items[0][1] if pile.items else None
    urgent = any(owned.search.urgent for owned, _ in pile.items)
    return (
        pile.promised is None,
        not urgent,
        -max((len(c.met) for _, c in pile.items if c is not None), default=0),
        0.0 if phoned is None else phoned.timestamp(),
        best.distance_km if best is not None and best.distance_km is not None else 99.0,
        doctor,
    )


def _card(
    card: doctors.Card, pile: _Pile, holder: claims.Claim | None, actor: Actor, *, at_once: int = AT_ONCE
) -> dict[str, Any]:
    items = sorted(
        pile.items, key=lambda i: (not i[0].search.urgent, i[0].search.seniority or i[0].search.since)
    )
    view: dict[str, Any] = {
        "doctor": {"id": card.id, "name": card.name, "phone": card.phone, "address": card.address},
        "why": next((reasons.why(candidate) for _, candidate in items if candidate is not None), ""),
        "waiting": len(items),
        "searches": [_item(owned, candidate, card.id) for owned, candidate in items[:at_once]],
    }
    if pile.promised is not None:
        view["promised_at"] = pile.promised
    if holder is not None and holder.person != actor.id:
        view["claimed_by"] = holder.name
    elif holder is not None:
        view["mine_until"] = holder.until
    return view


def _item(owned: Owned, candidate: Candidate | None, doctor: DoctorId) -> dict[str, Any]:
    search, position = owned.search, owned.search.position(doctor)
    item: dict[str, Any] = {
        "id": search.id,
        "reference": owned.reference,
        "state": search.state,
        "urgent": search.urgent,
        "text": _said(search, candidate),
        **({"why": "", "met": [], "unmet": []} if candidate is None else standing.reasoned(candidate)),
        "tried": _tried(search, doctor),
    }
    if position is not None and position.stand is not Stand.OPEN:
        item["stand"] = position.stand
    return item


def _said(search: Search, candidate: Candidate | None) -> str:
    if search.announcement is None:
        raise Refused("not_announced", "Cette recherche n’a pas d’annonce.", search.state)
    return sentence(search.announcement, distance_km=None if candidate is None else candidate.distance_km)


def _tried(search: Search, doctor: DoctorId) -> list[dict[str, Any]]:
    asked = search.solicitation(doctor, Channel.PHONE)
    attempts: Iterable[Any] = () if asked is None else asked.attempts
    return [
        {"at": a.at, "outcome": a.outcome} | ({} if a.spoke_with is None else {"spoke_with": a.spoke_with})
        for a in attempts
    ]
