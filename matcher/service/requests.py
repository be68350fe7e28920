"""Taking a request in: drafts, hand-in, completion. What was sent comes back exactly as it was sent."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import steps
from matcher.protocol.ids import SearchId
from matcher.protocol.moves import Event, Refused, Step
from matcher.protocol.rules import Around
from matcher.protocol.search import Choice, Search, SpeaksToPatient, State
from matcher.records import bulletin, completeness, priority
from matcher.records.bulletin import SearchIn
from matcher.service import announcing, asking, once, turn, vaulted, views
from matcher.service import searches as following
from matcher.service.actors import COORDINATION, OFFICE, Actor, Role, require
from matcher.service.errors import Invalid
from matcher.service.house import House
from matcher.storage import origins, references, searches

#: May fill a request in: a structure for its patients, the office during a call.
SUBMITTERS = OFFICE | {Role.REQUESTER}

#: Fields of a record that an announcement is measured from.
_DESCRIBED = frozenset({"birth_date", "address", "housing", "household"})


async def create(
    house: House, actor: Actor, body: SearchIn, raw: dict[str, Any], idempotency_key: str | None = None
) -> dict[str, Any]:
    """A new request: a draft, or handed in at once. ``{id, reference, state, warnings?}``.

    ``raw`` is the JSON as sent, which is what is sealed; ``body`` is the same, checked. The same
    Idempotency-Key with the same body gives the first answer again. Raises Invalid.
    """
    require(actor, SUBMITTERS)
    today = asking.today(house, actor.territory)
    _refuse_impossible(house, actor, body, today)
    async with house.sessions.begin() as session:
        first = await once.begin(session, house, actor, idempotency_key, raw)
        if first is not None:
            return first
        around = await turn.around(session, house, None, actor.territory)
        search = steps.new(SearchId(uuid4().hex), actor.territory, around, **_asked(house, body, today))
        if body.origin is not None:
            origin = await origins.named(session, actor.territory, body.origin, actor.structure, house.now())
            search = replace(search, origin=origin)
        reference = await references.next_one(session, actor.territory, today.year)
        await searches.insert(
            session, search, reference=reference, structure=actor.structure, created_by=actor.id
        )
        await vaulted.put_draft(session, house, search, _kept(raw))
        await turn.carry_out(session, house, actor, search, Step(search), "draft")
        state = search.state
        if not body.draft:
            state = (await _hand_in(session, house, actor, search, body, _kept(raw))).state
        answer: dict[str, Any] = {"id": search.id, "reference": reference, "state": state}
        odd = completeness.warnings(body, today)
        if odd:
            answer["warnings"] = odd
        await once.end(session, actor, idempotency_key, answer)
    house.bell.ring(actor.territory)
    return answer


async def amend(house: House, actor: Actor, search_id: str, patch: Mapping[str, Any]) -> dict[str, Any]:
    """Change a draft or a returned request: a JSON merge patch (RFC 7396) on what was sent."""
    require(actor, SUBMITTERS)
    return await _change(house, actor, search_id, patch, within=frozenset({State.DRAFT, State.RETURNED}))


async def submit(house: House, actor: Actor, search_id: str) -> dict[str, Any]:
    """Hand a draft or a completed request in. Raises Invalid naming what is missing."""
    require(actor, SUBMITTERS)
    async with house.sessions.begin() as session:
        before = await turn.locked(session, actor, search_id)
        steps.taken(Event.SUBMIT, before)
        raw = await vaulted.request(session, house, before)
        await _hand_in(session, house, actor, before, checked(raw), raw)
    house.bell.ring(actor.territory)
    return await views.search(house, actor, search_id)


async def correct(house: House, actor: Actor, search_id: str, patch: Mapping[str, Any]) -> dict[str, Any]:
    """The office mends contact, record, wishes or conditions, until the end."""
    require(actor, COORDINATION)
    return await _change(house, actor, search_id, patch, within=frozenset(State))


async def _change(
    house: House, actor: Actor, search_id: str, patch: Mapping[str, Any], *, within: frozenset[State]
) -> dict[str, Any]:
    today = asking.today(house, actor.territory)
    async with house.sessions.begin() as session:
        before = await turn.locked(session, actor, search_id)
        if before.state not in within:
            raise Refused(
                "already_submitted",
                "Cette demande est déjà transmise : demandez à la coordinatrice de la corriger.",
                before.state,
            )
        held = await vaulted.request(session, house, before)
        raw = merged(held, patch)
        body = checked(raw)
        _refuse_impossible(house, actor, body, today)
        if before.state is not State.DRAFT:
            _refuse_less(held, body)
        asked = _asked(house, body, today)
        consent = asked.pop("consent")
        if before.state is not State.DRAFT and "household" not in _record_of(patch):
            # What a split left of a household is not in the record: only a person says it anew.
            del asked["household"]
        wanted = replace(before, wishes=asked["wishes"], conditions=frozenset(asked["conditions"]))
        around = await turn.around(session, house, wanted, actor.territory)
        step = steps.correct(before, around, **asked)
        await turn.carry_out(session, house, actor, before, step, Event.CORRECT)
        after = step.search
        if consent is not None and consent != before.consent and "consent" in patch:
            agreed = steps.take_consent(after, consent, around)
            await turn.carry_out(session, house, actor, after, agreed, Event.CONSENT)
            after = agreed.search
            await following.stop_relatives(session, house, after)
        if after.state is not State.WITHDRAWN:
            await vaulted.put_again(session, house, after, raw)
            if _describes_another(patch):
                await _measure_again(session, house, actor, after, around, raw)
    house.bell.ring(actor.territory)
    return await views.search(house, actor, search_id)


def checked(raw: Mapping[str, Any]) -> SearchIn:
    """The request as a checked body. Raises Invalid naming the fields at fault."""
    try:
        return SearchIn.model_validate(raw)
    except ValidationError as error:
        raise Invalid(bulletin.faults(error)) from None


def merged(held: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge patch (RFC 7396): objects merge, null removes, anything else replaces."""
    result = dict(held)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            inner = result.get(name)
            result[name] = merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            result[name] = value
    return result


async def _hand_in(
    session: AsyncSession, house: House, actor: Actor, before: Search, body: SearchIn, raw: dict[str, Any]
) -> Search:
    lacking = completeness.missing(body)
    if lacking:
        raise Invalid(dict.fromkeys(lacking, "Ce champ est nécessaire pour transmettre la demande."))
    today = asking.today(house, actor.territory)
    step = await turn.stepped(session, house, before, steps.submit)
    await turn.carry_out(session, house, actor, before, step, Event.SUBMIT)
    urgency = priority.classify(raw["record"], urgent=step.search.urgent, today=today)
    await vaulted.put_record(session, house, step.search, raw, urgency.reasons)
    await searches.set_priority(session, actor.territory, before.id, urgency.level, by_person=False)
    measured = await announcing.measured(session, house, step.search, raw)
    if measured is None or step.search.announcement_frozen:
        return step.search
    announced = await turn.stepped(session, house, step.search, lambda s, a: steps.announce(s, measured, a))
    await turn.carry_out(session, house, actor, step.search, announced, Event.ANNOUNCE)
    return announced.search


def _record_of(patch: Mapping[str, Any]) -> Mapping[str, Any]:
    record = patch.get("record")
    return record if isinstance(record, Mapping) else {}


def _describes_another(patch: Mapping[str, Any]) -> bool:
    """Whether the correction touches what the announcement was measured from."""
    return bool(patch.keys() & {"conditions", "place"} or _record_of(patch).keys() & _DESCRIBED)


async def _measure_again(
    session: AsyncSession, house: House, actor: Actor, search: Search, around: Around, raw: dict[str, Any]
) -> None:
    """An announcement that has not gone out yet says what the corrected request says, or nothing."""
    if search.state not in (State.SUBMITTED, State.READY) or search.announcement_frozen:
        return
    measured = await announcing.measured(session, house, search, raw)
    if measured is None:
        await searches.save(session, search, replace(search, announcement=None))
    elif measured != search.announcement:
        step = steps.announce(search, measured, around)
        await turn.carry_out(session, house, actor, search, step, Event.ANNOUNCE)


def _asked(house: House, body: SearchIn, today: date) -> dict[str, Any]:
    """The part of a request that the rules work with."""
    return {
        "consent": bulletin.consent_of(body.consent, house.now()),
        "wishes": bulletin.wishes_of(body),
        "conditions": bulletin.conditions_of(body),
        "urgent": body.urgent,
        "choice": Choice(body.choice),
        "speaks_to_patient": SpeaksToPatient(body.speaks_to_patient),
        "household": bulletin.household_of(body.record, today),
    }


def _refuse_impossible(house: House, actor: Actor, body: SearchIn, today: date) -> None:
    found = completeness.impossible(body, house.now(), today)
    places = house.territory(actor.territory).places
    if body.place and places.find(body.place) is None:
        found["place"] = "ce lieu n’est pas dans la liste du territoire"
    if found:
        raise Invalid(found)


def _refuse_less(held: Mapping[str, Any], body: SearchIn) -> None:
    """What was handed in complete is corrected, never emptied: the rest of the service counts on it."""
    lost = set(completeness.missing(body)) - set(completeness.missing(checked(held)))
    if lost:
        raise Invalid(dict.fromkeys(sorted(lost), "Ce champ est nécessaire : il se corrige, sans se vider."))


def _kept(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What is sealed: everything sent but the wish to keep it as a draft."""
    return {name: value for name, value in raw.items() if name != "draft"}
