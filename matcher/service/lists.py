"""Lists of patients who come together: one mail to each doctor, offers in answer, and filling them.

A doctor retires and 84 patients look for another. Each doctor is asked once how many he could take; what he
answers is a standing offer for that list alone; one assignment gives the places to the patients, as proposals
from which each patient still chooses.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import sharing, steps
from matcher.protocol.doctors import Candidates, Offer, Zone
from matcher.protocol.effects import Letter
from matcher.protocol.ids import DoctorId, OfferId, SearchId
from matcher.protocol.moves import Event, Refused
from matcher.protocol.needs import Need
from matcher.protocol.rules import Around
from matcher.protocol.search import Given, Search, State
from matcher.protocol.wording import where
from matcher.service import asking, turn
from matcher.service.actors import COORDINATION, Actor, require
from matcher.service.asking import Roster
from matcher.service.errors import Conflict, NotFound
from matcher.service.house import House
from matcher.storage import doctors, journal, links, offers, origins, searches
from matcher.storage.origins import Ask, Origin
from matcher.storage.searches import Owned
from messaging import outbox
from messaging.keyring import Mac
from messaging.links import Purpose
from messaging.outbox import derive_message_id

#: Patients of a list for whom doctors may be asked.
_WAITING: Final = frozenset({State.READY, State.ASKING, State.CALLING})
#: What the office wants to see on top.
_ANSWERS_FIRST: Final = {"held": 0, "answered": 1}
_TAKES_OFFERS: Final = {State.READY: Event.LAUNCH, State.ASKING: Event.OFFER_DECLARED}
_TAKES_OFFERS[State.CALLING] = Event.OFFER_DECLARED


@dataclass(frozen=True, kw_only=True)
class _List:
    """One list as it stands."""

    origin: Origin
    patients: tuple[Owned, ...]
    asks: tuple[Ask, ...]
    offers: tuple[Offer, ...]

    @property
    def waiting(self) -> list[Search]:
        """Those for whom doctors may be asked: announced and consented, and without a yes."""
        return [
            owned.search
            for owned in self.patients
            if owned.search.state in _WAITING
            and owned.search.announcement is not None
            and owned.search.consent is not None
            and owned.search.consent.given is Given.YES
        ]

    def left(self, offer: Offer) -> int:
        """Places of an offer that are neither used nor proposed to somebody who has not chosen yet."""
        proposed = sum(
            persons(owned.search)
            for owned in self.patients
            for position in owned.search.standing_yes
            if position.answer is not None and position.answer.offer == offer.id
        )
        return max(0, offer.left - proposed)


def persons(search: Search) -> int:
    """How many patients one search stands for."""
    return 1 if search.household is None else search.household.adults + search.household.children


def offer_id(origin: str, doctor: str) -> OfferId:
    """The offer that a doctor makes for a list: one, however often he changes it."""
    return OfferId(f"{origin}-{doctor}")


def purpose_of(origin: str) -> str:
    """The purpose of a doctor's link for a list."""
    return f"{Purpose.LIST}:{origin}"


async def listing(house: House, actor: Actor) -> dict[str, Any]:
    """``{items: [list]}``, the newest first: how many patients, how far each is, how many places."""
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        known = await origins.listed(session, actor.territory)
        items = [_summary(await _read(session, house, actor.territory, one)) for one in known]
    return {"items": items}


async def one(house: House, actor: Actor, origin_id: str) -> dict[str, Any]:
    """One list, with its patients by state, its mail, and what each doctor answered. Raises NotFound."""
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        found = await _get(session, house, actor.territory, origin_id)
        people = await doctors.cards(session, actor.territory, [ask.doctor for ask in found.asks])
        eligible = await _eligible(session, house, actor.territory, found)
    made = {offer.doctor: offer for offer in found.offers}
    view = _summary(found)
    view["to_ask"] = len(eligible)
    if found.origin.persons is not None and found.origin.place is not None:
        view["text"] = sentence(found.origin.persons, found.origin.place)
    elif (place := _place(house, actor.territory, found)) is not None and found.waiting:
        view["text"] = sentence(sum(map(persons, found.waiting)), place)
    view["doctors"] = [
        _answer_view(ask, people[ask.doctor].name, made.get(ask.doctor), found)
        for ask in sorted(found.asks, key=lambda ask: (_ANSWERS_FIRST.get(ask.state, 2), ask.doctor))
        if ask.doctor in people
    ]
    view["searches"] = [
        {"id": owned.search.id, "reference": owned.reference, "state": owned.search.state}
        for owned in found.patients
    ]
    return view


async def ask(house: House, actor: Actor, origin_id: str) -> dict[str, Any]:
    """Ask every doctor who fits at least one patient of the list, and was not asked for it yet, how many he
    could take: one mail to each, that tells a count and a place (P3).

    Raises Conflict ``nobody_waits``, ``nobody_left`` or ``too_few_residents``.
    """
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        found = await _get(session, house, actor.territory, origin_id, lock=True)
        if not found.waiting:
            raise Conflict(
                "nobody_waits", "Personne de cette liste n’est prêt : validez d’abord les demandes."
            )
        place = found.origin.place or _place(house, actor.territory, found)
        if place is None:
            raise Conflict("too_few_residents", "La commune compte trop peu d’habitants pour une annonce.")
        eligible = await _eligible(session, house, actor.territory, found)
        if not eligible:
            raise Conflict("nobody_left", "Tous les médecins qui conviennent ont déjà été sollicités.")
        if found.origin.persons is None:
            count = sum(map(persons, found.waiting))
            await origins.say(session, actor.territory, origin_id, count, place)
        await origins.ask(session, actor.territory, origin_id, eligible, house.now())
        for doctor in eligible:
            await _mail(session, house, actor.territory, origin_id, doctor)
        await journal.append(session, house.entry(actor, "list_asked", purpose=origin_id))
    house.bell.ring(actor.territory)
    return await one(house, actor, origin_id)


async def fill(house: House, actor: Actor, origin_id: str) -> dict[str, Any]:
    """Give the places on offer to the patients who wait, each by wishes and nearness, as proposals: as many
    as can be. The list, with ``filled``: how many got one now. It can be repeated as offers come in.

    One transaction under the list's lock: two who fill it at once do not promise a place twice.
    """
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        found = await _get(session, house, actor.territory, origin_id, lock=True)
        ids = [search.id for search in found.waiting]
        locked = await searches.lock_all(session, actor.territory, ids)
        found = replace(found, patients=tuple(locked.get(owned.search.id, owned) for owned in found.patients))
        fitting = await _fitting(session, house, actor.territory, found)
        room = {offer.doctor: found.left(offer) for offer in found.offers}
        given = await asyncio.to_thread(sharing.share, _needs(found, fitting), room, places_lower=0.0)
        filled = 0
        for search in found.waiting:
            chosen = next(iter(given[search.id]), None)
            # A household takes several places of one doctor.
            if chosen is None or room[chosen] < persons(search):
                continue
            if await _propose(session, house, actor, search, fitting[search.id], chosen):
                room[chosen] -= persons(search)
                filled += 1
    house.bell.ring(actor.territory)
    return {**await one(house, actor, origin_id), "filled": filled}


async def settle(house: House, actor: Actor, origin_id: str, doctor: str, *, keep: bool) -> dict[str, Any]:
    """An answer that came too fast to have been read: the office has asked, and it counts or does not."""
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        await _get(session, house, actor.territory, origin_id)
        held = await origins.one(session, actor.territory, origin_id, doctor)
        if held is None or held.state != "held":
            raise NotFound
        if keep:
            await take_answer(session, house, actor.territory, origin_id, replace(held, state="answered"))
        else:
            await origins.answered(
                session,
                actor.territory,
                origin_id,
                replace(held, state="asked", answered_at=None, places=None, from_=None, until=None),
            )
        await journal.append(session, house.entry(actor, "list_answer_settled", doctor=doctor))
    house.bell.ring(actor.territory)
    return await one(house, actor, origin_id)


async def take_answer(
    session: AsyncSession, house: House, territory: str, origin_id: str, answer: Ask
) -> None:
    """What a doctor answered counts from now on: so many places, for this list alone."""
    await origins.answered(session, territory, origin_id, answer)
    offer = Offer(
        id=offer_id(origin_id, answer.doctor),
        doctor=answer.doctor,
        left=answer.places or 0,
        from_=answer.from_ or asking.today(house, territory),
        until=answer.until,
        declines=answer.declines,
        by_link=True,
        origin=origin_id,
    )
    known = {held.id for held in await offers.of_doctor(session, territory, answer.doctor)}
    if offer.id in known:
        await offers.replace(session, territory, offer)
    elif offer.left:
        await offers.add(session, territory, offer, house.now())


def sentence(count: int, place: str) -> str:
    """« 84 patients cherchent un médecin traitant à Vénissieux. »: all that a doctor ever reads of a list."""
    who = "Une personne cherche" if count == 1 else f"{count} patients cherchent"
    return f"{who} un médecin traitant, {place}."


async def _get(
    session: AsyncSession, house: House, territory: str, origin_id: str, *, lock: bool = False
) -> _List:
    origin = await origins.get(session, territory, origin_id, lock=lock)
    if origin is None:
        raise NotFound
    return await _read(session, house, territory, origin)


async def _read(session: AsyncSession, house: House, territory: str, origin: Origin) -> _List:
    today = asking.today(house, territory)
    return _List(
        origin=origin,
        patients=tuple(await searches.of_origin(session, territory, origin.id)),
        asks=tuple(await origins.asks(session, territory, origin.id)),
        offers=tuple(o for o in await offers.open_ones(session, territory, today) if o.origin == origin.id),
    )


async def _roster(session: AsyncSession, house: House, territory: str, found: _List) -> Roster:
    """The territory's doctors, with what is left of this list's offers and no other offer."""
    roster = await asking.roster(session, house, territory)
    return replace(roster, offers=tuple(replace(o, left=found.left(o)) for o in found.offers))


async def _eligible(session: AsyncSession, house: House, territory: str, found: _List) -> list[DoctorId]:
    """Members who fit at least one patient who waits (P4), may be mailed now, and were not asked yet."""
    asked = {ask.doctor for ask in found.asks}
    roster = await _roster(session, house, territory, found)
    fitting: set[DoctorId] = set()
    for search in found.waiting:
        candidates = await asking.candidates(session, house, search, roster)
        fitting |= {c.doctor for c in candidates.ordered if c.mailable and c.zone is Zone.TERRITORY}
    return sorted(fitting - asked)


async def _fitting(
    session: AsyncSession, house: House, territory: str, found: _List
) -> dict[SearchId, Candidates]:
    """For each patient who waits: who may be asked, and which of the list's offers stand for her."""
    roster = await _roster(session, house, territory, found)
    return {search.id: await asking.candidates(session, house, search, roster) for search in found.waiting}


def _needs(found: _List, fitting: Mapping[SearchId, Candidates]) -> list[Need]:
    """Each patient who waits, with the doctors whose offer stands for her, best first."""
    needs = []
    for search in found.waiting:
        taken = tuple(dict.fromkeys(offer.doctor for offer in fitting[search.id].offers))
        needs.append(Need(search=search.id, doctors=taken, wanted=min(1, len(taken))))
    return needs


async def _propose(
    session: AsyncSession,
    house: House,
    actor: Actor,
    before: Search,
    candidates: Candidates,
    doctor: DoctorId,
) -> bool:
    """One place to one patient, as a proposal; False where her search does not take it now."""
    event = _TAKES_OFFERS[before.state]
    mine = tuple(offer for offer in candidates.offers if offer.doctor == doctor)[:1]
    around = Around(
        now=house.now(),
        rules=house.territory(before.territory).rules,
        candidates=replace(candidates, offers=mine),
    )
    move = steps.launch if event is Event.LAUNCH else steps.offer_declared
    try:
        step = move(before, around)
    except Refused:
        return False
    if step.search == before:
        return False
    await turn.carry_out(session, house, actor, before, step, event, doctor=doctor)
    return True


def _place(house: House, territory: str, found: _List) -> str | None:
    """Where these patients live, no finer than a commune and never under K: « à Vénissieux »."""
    known = house.territory(territory)
    communes = {s.announcement.place.insee for s in found.waiting if s.announcement is not None}
    counted = Counter[str]()
    for row in known.population.residents:
        counted[row.insee] += int(row.residents)
    only = communes.pop() if len(communes) == 1 else None
    commune = known.places.commune(only)
    if only is not None and commune is not None and counted[only] >= known.rules.k:
        return where(commune)
    return where(known.places.whole()) if counted.total() >= known.rules.k else None


async def _mail(
    session: AsyncSession, house: House, territory: str, origin_id: str, doctor: DoctorId
) -> None:
    rules = house.territory(territory).rules
    await links.of_doctor(
        session, territory, doctor, purpose_of(origin_id), now=house.now(), life=rules.link_life
    )
    await outbox.enqueue(
        session,
        territory=territory,
        letter=Letter.LIST,
        ids={"origin": origin_id, "doctor": doctor},
        message_id=derive_message_id(
            house.keyring.mac(Mac.MESSAGE_ID, 1),
            house.territory(territory).settings.return_domain,
            territory,
            origin_id,
            doctor,
            Letter.LIST,
        ),
        now=house.now(),
    )


def _summary(found: _List) -> dict[str, Any]:
    states = Counter(str(owned.search.state) for owned in found.patients)
    offered = sum(ask.places or 0 for ask in found.asks if ask.state == "answered")
    return {
        "id": found.origin.id,
        "name": found.origin.name,
        "created_at": found.origin.created_at,
        "patients": sum(persons(owned.search) for owned in found.patients),
        "waiting": sum(map(persons, found.waiting)),
        "states": dict(states),
        "asked": len(found.asks),
        "answered": sum(ask.state == "answered" for ask in found.asks),
        "offered": offered,
        "left": sum(found.left(offer) for offer in found.offers),
    }


def _answer_view(ask: Ask, name: str, offer: Offer | None, found: _List) -> dict[str, Any]:
    known = {
        "answered_at": ask.answered_at,
        "places": ask.places,
        "left": None if offer is None else found.left(offer),
        "from": ask.from_,
        "until": ask.until,
        "declines": sorted(ask.declines) or None,
    }
    told = {key: value for key, value in known.items() if value is not None}
    return {"doctor": {"id": ask.doctor, "name": name}, "state": ask.state, "at": ask.at, **told}
