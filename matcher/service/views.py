"""A search as each role sees it: JSON-ready values, absent ones left out (CONTRACT.md, "API")."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import steps
from matcher.protocol.announcement import Announcement, format_age, format_condition
from matcher.protocol.doctors import Candidate
from matcher.protocol.ids import DoctorId
from matcher.protocol.rules import Around
from matcher.protocol.search import (
    HANDOVERS,
    Given,
    Position,
    Search,
    Stand,
    State,
    Terms,
)
from matcher.protocol.wording import sentence
from matcher.records import completeness
from matcher.records.bulletin import SearchIn, label
from matcher.records.lookup import query_terms
from matcher.service import announcing, desk, standing, stories, vaulted
from matcher.service.actors import COORDINATION, STAFF, Actor, Role, require
from matcher.service.errors import Forbidden, NotFound
from matcher.service.house import House
from matcher.storage import doctors, journal, lookups, releases, searches
from matcher.storage.searches import Owned

View = dict[str, Any]
#: Why staff may open a record. The journal holds words of this list, never what somebody typed.
PURPOSES = frozenset({"contact", "complete", "proposal", "handover", "complaint"})


async def search(house: House, actor: Actor, search_id: str) -> View:
    """The view of one search for this actor. Raises NotFound for another territory's or structure's."""
    async with house.sessions.begin() as session:
        return (await one(session, house, actor, search_id))[1]


async def one(session: AsyncSession, house: House, actor: Actor, search_id: str) -> tuple[Owned, View]:
    """``search`` within a transaction, with what it was made of."""
    owned = await _owned(session, house, actor, search_id)
    if actor.role is Role.REQUESTER:
        return owned, await requester_view(session, house, owned)
    return owned, await staff_view(session, house, actor, owned)


async def listing(
    house: House,
    actor: Actor,
    state: State | None = None,
    q: str | None = None,
    after: str | None = None,
    limit: int = 50,
    *,
    for_page: bool = False,
) -> View:
    """``{items, next?}``: a requester's own searches, or the territory's; newest first.

    ``for_page``: with what a list shows only, so that no section but a draft is opened for more than its
    label.

    ``q`` is a reference, a name, a birth date or a phone number, found over keyed hashes.
    """
    structure = actor.structure if actor.role is Role.REQUESTER else None
    async with house.sessions.begin() as session:
        among = None if q is None else await _found(session, house, actor.territory, q)
        ids, following = await searches.list_ids(
            session, actor.territory, state=state, structure=structure, among=among, after=after, limit=limit
        )
        rows = await desk.these(session, house, actor.territory, ids)
        if for_page:
            items = await _shown(session, house, actor, rows)
        elif actor.role is Role.REQUESTER:
            items = [await requester_view(session, house, row) for row in rows]
        else:
            contacts = await vaulted.contacts(session, house, actor.territory, ids)
            items = [_row(row, contacts.get(row.search.id), actor) for row in rows]
    return _present({"items": items, "next": following})


async def _shown(session: AsyncSession, house: House, actor: Actor, rows: Sequence[Owned]) -> list[View]:
    """The rows of a list on a page."""
    labels = await vaulted.labels(session, house, actor.territory, [row.search.id for row in rows])
    items = []
    for row in rows:
        held = row.search
        view = _row(row, None, actor) | {"label": labels.get(held.id)}
        if actor.role is Role.REQUESTER:
            view = {name: view[name] for name in ("id", "reference", "label", "state", "since")}
            view["outcome"] = await _outcome(session, held)
            if held.state is State.DRAFT and not held.record_destroyed:
                # A draft has no contact section yet.
                typed = await vaulted.request(session, house, held)
                view["label"] = label(typed.get("record", {})) or None
        items.append(_present(view))
    return items


async def record(house: House, actor: Actor, search_id: str, purpose: str) -> View:
    """The whole request as sent. Every opening is in the journal with its purpose (P8), ``other`` where it
    is none of PURPOSES.
    """
    purpose = purpose if purpose in PURPOSES else "other"
    require(actor, frozenset({Role.COORDINATRICE, Role.COORDINATRICE_SOCIALE}))
    async with house.sessions.begin() as session:
        owned = await _owned(session, house, actor, search_id)
        await journal.append(
            session, house.entry(actor, "open_record_staff", search=owned.search.id, purpose=purpose)
        )
        # The entry is written before the record is read: no opening without its trace.
        return await vaulted.request(session, house, owned.search)


async def contact(house: House, actor: Actor, search_id: str) -> View:
    """Who it is and how to reach them, without a reason; the opening is in the journal all the same (P8).

    Raises NotFound also where there is no such section: a draft, a destroyed record.
    """
    require(actor, frozenset({Role.COORDINATRICE, Role.COORDINATRICE_SOCIALE}))
    async with house.sessions.begin() as session:
        owned = await _owned(session, house, actor, search_id)
        await journal.append(session, house.entry(actor, "open_contact_staff", search=owned.search.id))
        held = await vaulted.contact(session, house, actor.territory, owned.search.id)
    if held is None:
        raise NotFound
    return {name: held[name] for name in vaulted.CONTACT_FIELDS if name in held}


async def announcement_choices(house: House, actor: Actor, search_id: str) -> list[View]:
    """What the office may click on: each wording with the residents it describes."""
    require(actor, STAFF)
    async with house.sessions.begin() as session:
        owned = await _owned(session, house, actor, search_id)
        offered = await announcing.choices(session, house, owned.search)
    return [announcement_view(choice) for choice in offered]


async def requester_view(session: AsyncSession, house: House, owned: Owned) -> View:
    """What the structure that submitted may know: label, state, outcome if the patient agrees."""
    held = owned.search
    contact = await vaulted.contact(session, house, held.territory, held.id)
    view: View = {
        "id": held.id,
        "reference": owned.reference,
        "label": None if contact is None else contact["label"],
        "state": held.state,
        "since": held.since,
        "outcome": await _outcome(session, held),
    }
    # A draft whose retention is over is listed still, empty.
    if held.state in (State.DRAFT, State.RETURNED) and not held.record_destroyed:
        typed = await vaulted.request(session, house, held)
        view["input"] = typed
        # A draft has no contact section yet.
        view["label"] = view["label"] or label(typed.get("record", {})) or None
        told = await vaulted.missing(session, house, held)
        view["missing"] = told or completeness.missing(SearchIn.model_validate(typed))
    return _present(view)


async def staff_view(session: AsyncSession, house: House, actor: Actor, owned: Owned) -> View:
    """Everything the office works with; the record itself is opened apart, with a purpose."""
    held = owned.search
    told = await vaulted.told(session, house, held, with_reasons=actor.role in COORDINATION)
    contact = told.contact
    candidates = await desk.candidates(session, house, held)
    around = Around(now=house.now(), rules=house.territory(held.territory).rules, candidates=candidates)
    entries = await journal.of_search(session, held.territory, held.id)
    people = await desk.cards(session, house, held.territory)
    by_doctor = {c.doctor: c for c in candidates.ordered}
    view: View = {
        "id": held.id,
        "reference": owned.reference,
        "label": None if contact is None else contact["label"],
        "state": held.state,
        "since": held.since,
        "run": held.run,
        "urgent": held.urgent,
        "choice": held.choice,
        "speaks_to_patient": held.speaks_to_patient,
        "seniority": held.seniority,
        "consent": None if held.consent is None else {"given": held.consent.given, "at": held.consent.at},
        "missing": told.missing or None,
        "requester": owned.structure_name,
        "announcement": None if held.announcement is None else announcement_view(held.announcement),
        "next": _next(held),
        "to_ask": steps.wave_size(held, around) if held.state is State.READY else None,
        "exhausted": steps.exhausted(held, around) if held.state is State.CALLING else None,
        "solicitations": [
            {
                "doctor": _named(people, s.doctor),
                "channel": s.channel,
                "state": _solicitation_state(held, s.doctor, s.delivery),
                "at": s.accepted_at or s.at,
                **({} if not s.wave else {"wave": s.wave}),
                **({} if s.doctor not in by_doctor else standing.reasoned(by_doctor[s.doctor])),
            }
            for s in held.solicitations
        ],
        "proposals": [
            _proposal(people, p, by_doctor.get(p.doctor)) for p in held.standing_yes if _proposing(held)
        ],
        "reserve": [
            _proposal(people, p, by_doctor.get(p.doctor)) for p in held.standing_yes if not _proposing(held)
        ],
        "held": [
            {
                "id": h.answer.id,
                "doctor": _named(people, p.doctor),
                "says": h.answer.says,
                "why": h.why,
                "at": h.answer.at,
            }
            for p in held.positions
            for h in p.held
        ],
        "chosen": None if held.chosen is None else _named(people, held.chosen),
        "release": await _release(session, house, actor, held),
        "appointment": None
        if held.appointment is None
        else {"on": held.appointment.on, "state": held.appointment.state},
        "declaration": held.declaration,
        "rest": None if held.rest is None else _present({"since": held.rest.since, "until": held.rest.until}),
        "contact_attempts": [{"at": c.at, "outcome": c.outcome} for c in held.contact_attempts] or None,
        "contact_wanted": _contact_wanted(held, around) if held.contact_attempts else None,
        "withdrawal": None
        if held.withdrawal is None
        else {"reason": held.withdrawal.reason, "at": held.withdrawal.at},
        "ending": None
        if held.ending is None
        else _present({"next": held.ending.next, "relaunch_on": held.ending.relaunch_on}),
        "household": None
        if held.household is None
        else {"adults": held.household.adults, "children": held.household.children},
        "tasks": [
            _present({"kind": t.kind, "since": t.since, "doctor": t.doctor and _named(people, t.doctor)})
            for t in held.tasks
        ],
        "priority": _priority(owned, contact, actor),
        "reasons": told.reasons or None,
        "same_patient": await _same_patient(session, held) or None,
        "timeline": stories.timeline(entries, people),
    }
    return _present(view)


def announcement_view(announcement: Announcement) -> View:
    """The announcement exactly as doctors see it, with what it describes."""
    return _present(
        {
            "age": None if announcement.age is None else format_age(announcement.age),
            "place": announcement.place.name,
            "conditions": [format_condition(c) for c in announcement.conditions],
            "text": sentence(announcement),
            "residents": announcement.residents,
            "candidates": announcement.candidates,
        }
    )


def terms_view(terms: Terms) -> View:
    """A yes's conditions, in CONTRACT.md's names."""
    return _present(
        {"from": terms.from_, "where": terms.where, "count": terms.count, "once": terms.once or None}
    )


async def _owned(session: AsyncSession, house: House, actor: Actor, search_id: str) -> Owned:
    owned = await desk.one(session, house, actor.territory, search_id)
    if owned is None or (actor.role is Role.REQUESTER and owned.structure != actor.structure):
        raise NotFound
    if actor.role is not Role.REQUESTER and actor.role not in STAFF:
        raise Forbidden
    return owned


def _row(owned: Owned, contact: View | None, actor: Actor) -> View:
    held = owned.search
    return _present(
        {
            "id": held.id,
            "reference": owned.reference,
            "label": None if contact is None else contact["label"],
            "state": held.state,
            "since": held.since,
            "urgent": held.urgent,
            "next": _next(held),
            "priority": _priority(owned, contact, actor),
        }
    )


async def _found(session: AsyncSession, house: House, territory: str, q: str) -> list[str]:
    """Search ids whose reference or keyed look-up terms match what the office typed."""
    hashes = [vaulted.hashed_term(house, territory, term) for term in query_terms(q)]
    by_term = await lookups.find(session, territory, hashes)
    by_reference = await searches.by_reference(session, territory, q.strip().upper())
    return [*by_term, *by_reference]


async def _same_patient(session: AsyncSession, held: Search) -> list[View]:
    """Other living searches that seem to be the same person's; only the office sees this."""
    found = await lookups.twins(session, held.territory, held.id)
    return [{"id": search_id, "reference": reference} for search_id, reference in found]


async def _outcome(session: AsyncSession, held: Search) -> View | None:
    """Doctor and appointment, as long as the patient agrees that the requester knows."""
    agreed = held.consent is not None and held.consent.given is Given.YES and held.consent.outcome_shared
    if not agreed or held.chosen is None or held.state not in (State.RELEASED, State.ATTACHED):
        return None
    people = await doctors.cards(session, held.territory, [held.chosen])
    appointment = held.appointment
    return _present(
        {
            "doctor": _named(people, held.chosen),
            "appointment": None
            if appointment is None
            else {"on": appointment.on, "state": appointment.state},
        }
    )


async def _release(session: AsyncSession, house: House, actor: Actor, held: Search) -> View | None:
    if held.release is None:
        return None
    release = held.release
    state = "locked" if release.locked else "opened" if release.opened_at else "waiting"
    if release.kind in HANDOVERS:
        state = "handed_over"
    view: View = {"state": state, "kind": release.kind, "at": release.at, "opened_at": release.opened_at}
    view["acknowledged_at"] = release.acknowledged_at
    row = await releases.get(session, held.territory, held.id, release.number)
    if row is not None and row.code_alive(house.now()) and actor.role is not Role.SECRETAIRE:
        view["code"] = house.links.code(held.territory, row.id, row.code_number)
        view["code_until"] = row.code_expires_at
    return _present(view)


def _priority(owned: Owned, contact: View | None, actor: Actor) -> View:
    """The class for everybody; its reasons tell of health, which only who may open the record reads."""
    told = contact if actor.role in COORDINATION else None
    reasons = None if told is None else told["priority_reasons"] or None
    return _present({"level": owned.priority, "reasons": reasons, "set": owned.priority_set or None})


def _contact_wanted(held: Search, around: Around) -> View:
    """What is still to be tried before the patient counts as unreachable; all zero where it is nothing."""
    still = steps.still_to_try(held, around.rules)
    return _present(
        {
            "calls": still.calls,
            "half": still.half,
            "other_than": still.other_than,
            "requester": still.requester,
        }
    )


def _proposing(held: Search) -> bool:
    return held.state is State.PROPOSING


def _named(people: Mapping[DoctorId, doctors.Card], doctor: DoctorId) -> View:
    return {"id": doctor, "name": people[doctor].name if doctor in people else "médecin retiré de l’annuaire"}


def _proposal(people: Mapping[DoctorId, doctors.Card], p: Position, candidate: Candidate | None) -> View:
    return _present(
        {
            "doctor": _named(people, p.doctor),
            "at": p.at,
            "conditions": None if p.answer is None else terms_view(p.answer.terms) or None,
            **({"met": [], "unmet": []} if candidate is None else standing.reasoned(candidate)),
            "unconfirmed": True if p.stand is Stand.UNCONFIRMED else None,
            "has_mailbox": p.doctor in people and people[p.doctor].mailbox is not None,
        }
    )


def _solicitation_state(held: Search, doctor: DoctorId, delivery: str) -> str:
    position = held.position(doctor)
    if position is None or position.stand is Stand.OPEN:
        if position is not None and position.held:
            return "held"
        if position is not None and position.settling is not None:
            return "settling"
        return delivery
    return position.stand


def _next(held: Search) -> View | None:
    timer = steps.next_step(held)
    return None if timer is None else {"what": timer.kind, "at": timer.at}


def _present(view: Mapping[str, Any]) -> View:
    """Without what is absent: JSON here never says null."""
    return {name: value for name, value in view.items() if value is not None}
