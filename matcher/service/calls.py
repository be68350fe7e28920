"""The calls, by doctor: who is to be phoned for whom, by whom, and what came of it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from matcher.protocol import ranking, steps
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
    State,
    TaskKind,
    Terms,
)
from matcher.protocol.wording import sentence
from matcher.service import asking, turn, views
from matcher.service.actors import OFFICE, Actor, require
from matcher.service.errors import Conflict, NotFound
from matcher.service.house import House
from matcher.storage import calls as claims
from matcher.storage import doctors, searches
from matcher.storage.searches import Owned

#: One call carries at most this many announcements.
AT_ONCE = 3


@dataclass
class _Pile:
    """What is to be said to one doctor."""

    items: list[tuple[Owned, Candidate]] = field(default_factory=list)
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
            {"doctor": {"id": c.doctor, "name": people[c.doctor].name}, "why": ranking.why(c)}
            for c in steps.to_phone(owned.search, around)
        ]
    }


async def board(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Every doctor to phone now, in order: promised, urgent, wishes met, least recently phoned, near.

    Each carries up to three announcements that fit him, so that nobody is phoned three times in a morning.
    """
    require(actor, OFFICE)
    now = house.now()
    async with house.sessions.begin() as session:
        roster = await asking.roster(session, house, actor.territory)
        piles: dict[DoctorId, _Pile] = defaultdict(_Pile)
        for owned in await searches.in_states(session, actor.territory, [State.CALLING]):
            found = await asking.candidates(session, house, owned.search, roster)
            rules = house.territory(actor.territory).rules
            around = Around(now=now, rules=rules, candidates=found)
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
        people = await doctors.cards(session, actor.territory, piles)
        claimed = await claims.claimed(session, actor.territory, now)
    phoned = {d.id: d.last_phoned_at for d in roster.doctors}
    order = sorted(piles.items(), key=lambda pile: _rank(pile[0], pile[1], phoned.get(pile[0])))
    return [_card(people[doctor], pile, claimed.get(doctor), actor) for doctor, pile in order if pile.items]


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
        around = await turn.around(session, house, before, actor.territory)
        step = steps.call(
            before,
            doctor,
            outcome,
            around,
            answer_id=AnswerId(uuid4().hex),
            spoke_with=spoke_with,
            call_back_at=at,
            until=until,
            reason=reason,
            terms=conditions or Terms(),
        )
        await turn.carry_out(
            session, house, actor, before, step, Event.CALL, doctor=doctor, purpose=str(outcome)
        )
        # After the journal's head, which is locked by now: a pause that settles locks them in this order too.
        await doctors.phoned(session, actor.territory, doctor, house.now())
        await claims.release(session, actor.territory, doctor, actor.id)
    house.bell.ring(actor.territory)
    return await views.search(house, actor, search_id)


def _rank(doctor: DoctorId, pile: _Pile, phoned: datetime | None) -> tuple[object, ...]:
    best = pile.items[0][1] if pile.items else None
    urgent = any(owned.search.urgent for owned, _ in pile.items)
    return (
        pile.promised is None,
        not urgent,
        -max((len(c.met) for _, c in pile.items), default=0),
        0.0 if phoned is None else phoned.timestamp(),
        best.distance_km if best is not None and best.distance_km is not None else 99.0,
        doctor,
    )


def _card(card: doctors.Card, pile: _Pile, holder: claims.Claim | None, actor: Actor) -> dict[str, Any]:
    items = sorted(
        pile.items, key=lambda i: (not i[0].search.urgent, i[0].search.seniority or i[0].search.since)
    )
    view: dict[str, Any] = {
        "doctor": {"id": card.id, "name": card.name, "phone": card.phone, "address": card.address},
        "why": ranking.why(items[0][1]),
        "waiting": len(items),
        "searches": [
            {
                "id": owned.search.id,
                "reference": owned.reference,
                "urgent": owned.search.urgent,
                "text": _said(owned.search, candidate),
                "why": ranking.why(candidate),
                "met": [str(kind) for kind in candidate.met],
                "tried": _tried(owned.search, card.id),
            }
            for owned, candidate in items[:AT_ONCE]
        ],
    }
    if pile.promised is not None:
        view["promised_at"] = pile.promised
    if holder is not None and holder.person != actor.id:
        view["claimed_by"] = holder.name
    return view


def _said(search: Search, candidate: Candidate) -> str:
    if search.announcement is None:
        raise Refused("not_announced", "Cette recherche n’a pas d’annonce.", search.state)
    return sentence(search.announcement, distance_km=candidate.distance_km)


def _tried(search: Search, doctor: DoctorId) -> list[dict[str, Any]]:
    asked = search.solicitation(doctor, Channel.PHONE)
    attempts: Iterable[Any] = () if asked is None else asked.attempts
    return [
        {"at": a.at, "outcome": a.outcome} | ({} if a.spoke_with is None else {"spoke_with": a.spoke_with})
        for a in attempts
    ]
