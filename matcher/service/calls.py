"""The calls, by doctor: who is to be phoned for whom, by whom, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import uuid4

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
    Terms,
)
from matcher.protocol.wording import sentence
from matcher.service import asking, bureau, desk, standing, turn, views
from matcher.service import board as boards
from matcher.service.actors import OFFICE, Actor, require
from matcher.service.board import Board
from matcher.service.bureau import Fresh
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
#: Doctors of the board on one page.
LISTED = 40
#: One call carries at most this many announcements.
AT_ONCE = 3


@dataclass(frozen=True, kw_only=True)
class Screen:
    """``/appels``: some of the doctors to phone, with the counts of all."""

    #: Cards of this part of the list, best first.
    cards: list[dict[str, Any]]
    #: The doctor whom this person is phoning.
    mine: dict[str, Any] | None
    doctors: int
    #: Whom nobody is phoning.
    free: int
    #: Searches that wait for a call.
    waiting: int
    #: How many come after this part.
    after: int
    #: The latest yes.
    fresh: tuple[Fresh, ...]


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


async def board(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Every doctor to phone now, in order: promised, urgent, wishes met, least recently phoned, near.

    Each carries up to three announcements that fit him, so that nobody is phoned three times in a morning.
    """
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        made = await boards.board(session, house, actor.territory)
        people = await desk.cards(session, house, actor.territory)
        claimed = await claims.claimed(session, actor.territory, house.now())
    return [_card(people[id], made, made.about(id), claimed.get(id), actor) for id in made.order]


async def screen(
    house: House, actor: Actor, only: str | None = None, start: int = 0, wanted: str | None = None
) -> Screen:
    """The part of the board from ``start`` on that a page shows. ``only``: the doctors to phone for this
    search, which may have a yes already. ``wanted``: of several doctors that this person has taken, whom.
    """
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        made = await boards.board(session, house, actor.territory, only)
        order = _for(made, only)
        claimed = await claims.claimed(session, actor.territory, house.now())
        ours = [id for id in order if id in claimed and claimed[id].person == actor.id]
        mine = next((id for id in ours if id == wanted), None) if wanted else next(iter(ours), None)
        part = order[start : start + LISTED]
        fresh = await bureau.news(session, house, actor.territory)
        people = await desk.cards(session, house, actor.territory)

    def card(doctor: DoctorId) -> dict[str, Any]:
        about = made.about(doctor, only)
        return _card(people[doctor], made, about, claimed.get(doctor), actor)

    return Screen(
        cards=[card(doctor) for doctor in part],
        mine=None if mine is None else card(mine),
        doctors=len(order),
        free=sum(id not in claimed or claimed[id].person == actor.id for id in order),
        waiting=made.waiting if only is None else min(1, len(order)),
        after=max(0, len(order) - start - LISTED),
        fresh=fresh,
    )


async def next_ones(house: House, actor: Actor, after: str | None, only: str | None = None) -> list[DoctorId]:
    """Whom this person may take next: one's own first, then in the board's order from the one just left."""
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        made = await boards.board(session, house, actor.territory, only)
        claimed = await claims.claimed(session, actor.territory, house.now())
    order = _for(made, only)
    left = next((place for place, id in enumerate(order, 1) if id == after), 0)
    turn = [
        id for id in (*order[left:], *order[:left]) if id not in claimed or claimed[id].person == actor.id
    ]
    return sorted(turn, key=lambda id: id not in claimed)


def _for(made: Board, only: str | None) -> tuple[DoctorId, ...]:
    if only is None:
        return made.order
    return made.for_search(only)


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
        made = await boards.board(session, house, actor.territory)
        about = made.about(doctor)
        known = {owned.search.id for owned in about}
        asked = await claims.open_questions(session, actor.territory, doctor)
        more = await searches.these(session, actor.territory, [id for id in asked if id not in known])
        about += [owned for owned in more if _may_still_say(owned.search, doctor)]
        claimed = await claims.claimed(session, actor.territory, house.now())
    return _card(people[doctor], made, about, claimed.get(doctor), actor, at_once=len(about))


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
        # After the search, as a pause that settles locks them.
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


def _card(
    card: doctors.Card,
    made: Board,
    about: list[Owned],
    holder: claims.Claim | None,
    actor: Actor,
    *,
    at_once: int = AT_ONCE,
) -> dict[str, Any]:
    said = [(owned, made.candidate(owned, card.id)) for owned in about[:at_once]]
    view: dict[str, Any] = {
        "doctor": {"id": card.id, "name": card.name, "phone": card.phone, "address": card.address},
        "why": next((reasons.why(candidate) for _, candidate in said if candidate is not None), ""),
        "waiting": len(about),
        "searches": [_item(owned, candidate, card.id) for owned, candidate in said],
    }
    if card.id in made.promised:
        view["promised_at"] = made.promised[card.id]
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
