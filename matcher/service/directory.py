"""The directory, as the office keeps it: doctors, what they told of themselves, what they offered."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import date
from typing import Any
from uuid import uuid4

from matcher.protocol import steps
from matcher.protocol.announcement import ConditionKind
from matcher.protocol.doctors import Offer, Zone
from matcher.protocol.ids import DoctorId, OfferId
from matcher.protocol.moves import Event
from matcher.protocol.search import State
from matcher.service import asking, once, turn
from matcher.service.actors import COORDINATION, OFFICE, Actor, require, system
from matcher.service.errors import Invalid, NotFound
from matcher.service.house import House
from matcher.storage import doctors, journal, offers, searches
from matcher.storage.doctors import Card

#: Doctors on one page.
LISTED = 40
#: Values of Card that JSON has no type for are lists there.
_SETS = frozenset({"languages", "declines"})
#: What a doctor cannot be without.
_NEEDED = ("last_name", "first_name", "zone")
_ADDRESS_ORDER = ("address", "postcode", "city", "insee")
_ADDRESS = frozenset(_ADDRESS_ORDER)


async def listing(house: House, actor: Actor, q: str | None = None) -> dict[str, Any]:
    """Every doctor, by name; ``q`` is a part of one."""
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        found = await doctors.list_(session, actor.territory, q)
    return {"items": [card_view(card) for card in found]}


async def part(
    house: House, actor: Actor, q: str | None, start: int, *, to_place: bool = False
) -> dict[str, Any]:
    """The part of the directory that a page shows: ``{items, in_all, unplaced}``."""
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        found, in_all, unplaced = await doctors.part(
            session, actor.territory, q, start, LISTED, to_place=to_place
        )
    return {"items": [card_view(card) for card in found], "in_all": in_all, "unplaced": unplaced}


async def one(house: House, actor: Actor, doctor_id: str) -> dict[str, Any]:
    """One doctor, with the places he offers."""
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        card = await doctors.get(session, actor.territory, doctor_id)
        if card is None:
            raise NotFound
        offered = await offers.of_doctor(session, actor.territory, doctor_id)
    return card_view(card) | {"offers": [offer_view(offer) for offer in offered]}


async def add(
    house: House, actor: Actor, raw: Mapping[str, Any], idempotency_key: str | None = None
) -> dict[str, Any]:
    """A new doctor, with the CSV's names. Raises Invalid where the RPPS number is another's."""
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        first = await once.begin(session, house, actor, idempotency_key, raw)
        if first is not None:
            return first
        card = _card(DoctorId(uuid4().hex), raw)
        card = replace(card, **await _moved(house, actor.territory, card, _typed(card)))
        _refuse_double(card.rpps, card.id, await doctors.by_rpps(session, actor.territory))
        await doctors.put(session, actor.territory, [card], house.now())
        await journal.append(session, house.entry(actor, "doctor_added", doctor=card.id))
        answer = card_view(card)
        await once.end(session, actor, idempotency_key, answer)
    return answer


async def patch(house: House, actor: Actor, doctor_id: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Correct what is known of a doctor; None forgets it. ``email_checked``, ``phone_checked``: the practice
    says that it is right as it is, whatever came back.
    """
    require(actor, COORDINATION)
    emptied = [name for name in _NEEDED if raw.get(name, "") is None]
    if emptied:
        raise Invalid(dict.fromkeys(emptied, "Ce champ est nécessaire."))
    async with house.sessions.begin() as session:
        held = await doctors.get(session, actor.territory, doctor_id)
        if held is None:
            raise NotFound
        known = await doctors.by_rpps(session, actor.territory)
        _refuse_double(raw.get("rpps"), held.id, known)
        checked = {name for name in ("email", "phone") if raw.get(f"{name}_checked")}
        changes = {n: _value(n, value) for n, value in raw.items() if not n.endswith("_checked")}
        changes |= await _moved(house, actor.territory, held, changes)
        await turn.correct_doctor(session, house, actor, held.id, changes, checked=checked)
        after = await doctors.get(session, actor.territory, doctor_id)
    assert after is not None
    return card_view(after)


async def offer(
    house: House,
    actor: Actor,
    doctor_id: str,
    places: int,
    from_: date | None,
    until: date | None,
    declines: Iterable[ConditionKind],
    idempotency_key: str | None = None,
) -> dict[str, Any]:
    """Places that a doctor declared to the office. It counts at once for the searches that are asking or
    calling, the longest waiting first, as many as there are places.
    """
    require(actor, COORDINATION)
    today = asking.today(house, actor.territory)
    if until is not None and until < (from_ or today):
        raise Invalid({"until": "La fin précède le début."})
    kinds = frozenset(declines)
    sent = {
        "doctor": doctor_id,
        "places": places,
        "from": str(from_),
        "until": str(until),
        "d": sorted(kinds),
    }
    async with house.sessions.begin() as session:
        first = await once.begin(session, house, actor, idempotency_key, sent)
        if first is not None:
            return first
        if not await doctors.exists(session, actor.territory, doctor_id):
            raise NotFound
        made = Offer(
            id=OfferId(uuid4().hex),
            doctor=DoctorId(doctor_id),
            left=places,
            from_=from_ or today,
            until=until,
            declines=kinds,
        )
        await offers.add(session, actor.territory, made, house.now())
        await journal.append(session, house.entry(actor, "offer_noted", doctor=doctor_id))
        answer = offer_view(made)
        await once.end(session, actor, idempotency_key, answer)
    await _declare(house, actor, made)
    return answer


async def _declare(house: House, actor: Actor, made: Offer) -> None:
    async with house.sessions.begin() as session:
        waiting = await searches.in_states(session, actor.territory, [State.ASKING, State.CALLING])
    left = made.left
    for owned in sorted(waiting, key=lambda o: o.search.seniority or o.search.since):
        if left <= 0:
            break
        async with house.sessions.begin() as session:
            locked = await searches.lock(session, actor.territory, owned.search.id)
            if locked is None or locked.search.state not in (State.ASKING, State.CALLING):
                continue
            step = await turn.stepped(session, house, locked.search, steps.offer_declared)
            if step.search == locked.search:
                # It does not fit this one: its places are for those who wait behind.
                continue
            left -= 1
            await turn.carry_out(
                session,
                house,
                system(actor.territory),
                locked.search,
                step,
                Event.OFFER_DECLARED,
                doctor=made.doctor,
            )
    house.bell.ring(actor.territory)


def _typed(card: Card) -> dict[str, Any]:
    """Where he practises, as it was typed."""
    return {name: told for name in _ADDRESS if (told := getattr(card, name)) is not None}


async def _moved(house: House, territory: str, card: Card, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The coordinates of an address that was typed; unknown where it is not found (« à placer »).

    Coordinates that were given are let be.
    """
    known = changes.get("lat", card.lat if changes == _typed(card) else None)
    if not changes.keys() & _ADDRESS or known is not None:
        return {}
    line, postcode, city, insee = ({**_typed(card), **changes}.get(name) for name in _ADDRESS_ORDER)
    found = line and await asyncio.to_thread(
        house.territory(territory).finder.find, line, postcode, city, insee
    )
    return {"lat": found.lat, "lon": found.lon} if found else {"lat": None, "lon": None}


def card_view(card: Card) -> dict[str, Any]:
    """A doctor with the CSV's names and ``id``; what is unknown is left out."""
    view: dict[str, Any] = {}
    for known in fields(Card):
        value = getattr(card, known.name)
        if value is None or (known.name in _SETS and not value):
            continue
        view[known.name] = sorted(value) if known.name in _SETS else value
    if card.lat is None:
        view["to_place"] = True
    return view | {"name": card.name, "has_mailbox": card.mailbox is not None}


def offer_view(held: Offer) -> dict[str, Any]:
    """A standing offer, with the places left."""
    view: dict[str, Any] = {"id": held.id, "doctor_id": held.doctor, "left": held.left, "from": held.from_}
    if held.until is not None:
        view["until"] = held.until
    if held.declines:
        view["declines"] = sorted(held.declines)
    return view


def _card(doctor: DoctorId, raw: Mapping[str, Any]) -> Card:
    return Card(id=doctor, **{name: _value(name, value) for name, value in raw.items()})


def _value(name: str, value: Any) -> Any:
    if name == "languages":
        return frozenset(value or ())
    if name == "declines":
        return frozenset(ConditionKind(kind) for kind in value or ())
    if name == "zone":
        return Zone(value)
    if name == "away_until" and isinstance(value, str):
        return date.fromisoformat(value)
    if name in ("member", "do_not_call"):
        return bool(value)
    return value


def _refuse_double(rpps: str | None, doctor: str, known: Mapping[str, DoctorId]) -> None:
    if rpps is not None and known.get(rpps, doctor) != doctor:
        raise Invalid({"rpps": "Ce numéro RPPS est déjà celui d’un autre médecin."})
