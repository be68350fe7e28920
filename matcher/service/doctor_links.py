"""What a doctor does over the link of a mail: read, answer, open the record, give it up.

Nobody is logged in here; the token is the capability. A bad token has one answer, an ended one another,
and neither says why. Opening changes nothing of the search (P6).
"""

from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from matcher import documents
from matcher.protocol import steps
from matcher.protocol.hours import is_open
from matcher.protocol.ids import AnswerId
from matcher.protocol.moves import Event
from matcher.protocol.places import distance_km, rounded_km
from matcher.protocol.search import (
    ACTIVE,
    Answer,
    AppointmentState,
    RefusalReason,
    Says,
    Search,
    Stand,
    State,
    TaskKind,
    Terms,
    Via,
)
from matcher.protocol.wording import sentence
from matcher.service import asking, doors, handover, second_factor, turn, vaulted, views
from matcher.service.actors import Actor, Role
from matcher.service.errors import Invalid, Locked, WrongCode
from matcher.service.house import House
from matcher.service.phrases import duration, hours
from matcher.service.second_factor import CardAnswer
from matcher.storage import doctors, journal, links, searches
from messaging.links import Purpose

#: Where an answer may still come: the search is neither being prepared nor gone.
_ANSWERABLE = ACTIVE | {State.RESTING, State.UNMET}


async def open_link(house: House, token: str) -> dict[str, Any]:
    """What the page ``/r`` or ``/dossier`` shows; notes the hour, against answers that come too fast."""
    async with house.sessions.begin() as session:
        opened = await doors.opened(session, house, token, {Purpose.ANSWER, Purpose.DELEGATE, Purpose.RECORD})
        await links.opened(session, opened.link, house.now())
        territory = house.territory(opened.link.territory)
        card = (await doctors.cards(session, territory.id, [opened.doctor]))[opened.doctor]
        view: dict[str, Any] = {
            "purpose": "record" if opened.link.purpose == Purpose.RECORD else "answer",
            "delegate": opened.link.purpose == Purpose.DELEGATE,
            "doctor": {"name": card.name},
            "territory": {"name": territory.name, "phone": territory.phone, "mail": territory.mail},
        }
        if opened.link.purpose == Purpose.RECORD:
            way = await second_factor.ways(session, house, territory.id, opened.doctor)
            return view | _record_state(house, opened) | way
        view |= _answer_state(opened, card)
        if view["state"] != "over":
            # As in the mail that brought the doctor here.
            delays = territory.settings.urgent if opened.search.urgent else territory.settings.delays
            view["yes_held"] = duration(delays.yes_held)
        return view


async def answer(
    house: House,
    token: str,
    says: Says,
    *,
    conditions: Terms | None = None,
    reason: RefusalReason | None = None,
    until: date | None = None,
) -> dict[str, Any]:
    """A confirmed answer. ``{held: True}`` where it waits for the office; repeating it changes nothing."""
    async with house.sessions.begin() as session:
        opened = await doors.opened(session, house, token, {Purpose.ANSWER, Purpose.DELEGATE})
        given = Answer(
            id=AnswerId(uuid4().hex),
            says=says,
            via=Via.DELEGATE if opened.link.purpose == Purpose.DELEGATE else Via.LINK,
            at=house.now(),
            terms=conditions or Terms(),
            reason=reason,
            until=until,
        )
        read_at = opened.link.last_opened_at
        step = await turn.stepped(
            session, house, opened.search, lambda s, a: steps.answer(s, opened.doctor, given, read_at, a)
        )
        await turn.carry_out(
            session,
            house,
            opened.actor,
            opened.search,
            step,
            Event.ANSWER,
            doctor=opened.doctor,
            purpose=str(says),
        )
        card = (await doctors.cards(session, opened.link.territory, [opened.doctor]))[opened.doctor]
        after = doors.Opened(link=opened.link, search=step.search)
    house.bell.ring(opened.link.territory)
    position = step.search.position(opened.doctor)
    if position is not None and any(h.answer.id == given.id for h in position.held):
        return {"held": True}
    return _answer_state(after, card)


async def one_click_pause(house: House, token: str, until: date) -> None:
    """List-Unsubscribe: no more announcements until that day, whatever becomes of the search."""
    async with house.sessions.begin() as session:
        link = await doors.checked(session, house, token, {Purpose.PAUSE})
        actor = Actor(territory=link.territory, id=link.doctor, role=Role.DOCTOR)
        await journal.append(session, house.entry(actor, "pause", doctor=link.doctor))
        card = await doctors.get(session, link.territory, link.doctor)
        # He may be away for longer already.
        if card is not None and (card.away_until is None or card.away_until < until):
            await doctors.pause(session, link.territory, link.doctor, until)


async def open_record(
    house: House, token: str, code: str | None, card: CardAnswer | None = None
) -> dict[str, Any]:
    """The record, for the chosen doctor, against a code, or against a card where there is no ``code``.

    Raises WrongCode, NotProven, Locked, Over, BadLink.

    The opening is one conditional UPDATE with its journal entry; the record is decrypted after the commit.
    """
    now = house.now()
    # The provider is asked before the search is locked: it may take its time.
    rpps = None if card is None else await second_factor.card_rpps(house, token, card)
    async with house.sessions.begin() as session:
        opened = await doors.opened(session, house, token, {Purpose.RECORD})
        row = await doors.release_of(session, opened)
        if row.locked:
            raise Locked
        right = await second_factor.opens(session, house, row, code=code, rpps=rpps)
        if right:
            step = await turn.stepped(
                session, house, opened.search, lambda s, a: steps.open_record(s, opened.doctor, a)
            )
            await turn.carry_out(
                session,
                house,
                opened.actor,
                opened.search,
                step,
                Event.OPEN_RECORD,
                doctor=opened.doctor,
                purpose="care",
            )
            locked = False
        else:
            # A wrong code must be counted: this transaction commits, and the refusal comes after it.
            locked = await doors.count_wrong_code(session, house, opened, row)
    house.bell.ring(opened.link.territory)
    if not right:
        raise Locked if locked else WrongCode
    until = now + house.territory(opened.link.territory).rules.code_life
    record = await _given(house, opened.search)
    return {
        "record": record,
        "notes": documents.alerts(record),
        "session": house.links.session(doors.link_of(opened.link), until),
        "until": until,
    }


async def document(house: House, token: str, session_token: str) -> bytes:
    """The record as a PDF, within the session that the code opened."""
    async with house.sessions.begin() as session:
        opened = await _in_session(session, house, token, session_token)
        await journal.append(
            session,
            house.entry(opened.actor, "print_record", search=opened.search.id, doctor=opened.doctor),
        )
        owned = await searches.get(session, opened.link.territory, opened.search.id)
        card = (await doctors.cards(session, opened.link.territory, [opened.doctor]))[opened.doctor]
    assert owned is not None
    territory = house.territory(opened.link.territory)
    position = opened.search.position(opened.doctor)
    return await documents.record_pdf(
        await _given(house, opened.search),
        reference=owned.reference,
        territory=territory.name,
        doctor=card.name,
        at=house.now(),
        office=f"{territory.phone} – {territory.mail}",
        terms=None if position is None or position.answer is None else position.answer.terms,
    )


async def acknowledge(house: House, token: str, session_token: str) -> dict[str, Any]:
    """Note that the doctor has the record."""
    async with house.sessions.begin() as session:
        opened = await _in_session(session, house, token, session_token)
        await doors.step(
            session, house, opened, Event.ACKNOWLEDGE, lambda s, a: steps.acknowledge(s, opened.doctor, a)
        )
    return {"acknowledged": True}


async def appointment(house: House, token: str, session_token: str, on: date) -> dict[str, Any]:
    """The doctor has given the first appointment. Raises Invalid for a day that is over."""
    async with house.sessions.begin() as session:
        opened = await _in_session(session, house, token, session_token)
        if on < asking.today(house, opened.link.territory):
            raise Invalid({"on": "Cette date est passée."})
        planned = AppointmentState.PLANNED
        await doors.step(
            session, house, opened, Event.APPOINTMENT, lambda s, a: steps.appointment(s, on, planned, a)
        )
    house.bell.ring(opened.link.territory)
    return {"appointment": {"on": on, "state": planned}}


async def desist(house: House, token: str, reason: str) -> dict[str, Any]:
    """The chosen doctor gives up; the office and the reserve take over."""
    async with house.sessions.begin() as session:
        opened = await doors.opened(session, house, token, {Purpose.RECORD})
        await doors.release_of(session, opened)
        given = {"by": "doctor", "text": reason}
        await doors.step(
            session,
            house,
            opened,
            Event.DESIST,
            lambda s, a: steps.desist(s, "doctor", reason, a),
            reason=given,
        )
    house.bell.ring(opened.link.territory)
    return {"desisted": True}


async def call_me(house: House, token: str) -> dict[str, Any]:
    """« Rappelez-moi pour le code » : a task of the office."""
    async with house.sessions.begin() as session:
        opened = await doors.opened(session, house, token, {Purpose.RECORD})
        await doors.release_of(session, opened)
        await doors.step(session, house, opened, Event.CALL_ME, steps.call_me)
    return {"called_back": True}


async def _in_session(session: AsyncSession, house: House, token: str, session_token: str) -> doors.Opened:
    opened = await doors.opened(session, house, token, {Purpose.RECORD})
    await doors.release_of(session, opened)
    if not house.links.check_session(session_token, doors.link_of(opened.link), house.now()):
        raise WrongCode
    return opened


async def _given(house: House, search: Search) -> dict[str, Any]:
    async with house.sessions.begin() as session:
        request = await vaulted.request(session, house, search)
    agreed = search.consent is not None and search.consent.nationality_shared
    return handover.given(request, nationality=agreed)


def _record_state(house: House, opened: doors.Opened) -> dict[str, Any]:
    release = opened.search.release
    standing = (
        opened.search.state in (State.RELEASED, State.ATTACHED)
        and opened.search.chosen == opened.doctor
        and release is not None
    )
    if not standing or release is None:
        return {"state": "over"}
    calendar = house.territory(opened.link.territory).rules.office_calendar
    view: dict[str, Any] = {
        "state": "locked" if release.locked else "chosen",
        "office_open": is_open(house.now(), calendar),
        "office_hours": hours(house.territory(opened.link.territory).settings.hours.office),
        "called_back": any(t.kind is TaskKind.CALL_ME_FOR_THE_CODE for t in opened.search.tasks),
    }
    if release.acknowledged_at is not None:
        view["acknowledged"] = True
    if opened.search.appointment is not None:
        view["appointment"] = {"on": opened.search.appointment.on, "state": opened.search.appointment.state}
    return view


def _answer_state(opened: doors.Opened, card: doctors.Card) -> dict[str, Any]:
    """Where the doctor stands: open, settling or answered, held, intended_for_another, chosen, over."""
    search, position = opened.search, opened.search.position(opened.doctor)
    view: dict[str, Any] = {}
    if search.state not in _ANSWERABLE:
        return {"state": "over"}
    if search.announcement is not None:
        view["text"] = sentence(search.announcement, distance_km=_distance(search, card))
    stand = Stand.OPEN if position is None else position.stand
    given = None if position is None else position.settling or position.answer
    if given is not None:
        view["answer"] = given.says
        view["conditions"] = views.terms_view(given.terms)
    if stand is Stand.CHOSEN:
        return view | {"state": "chosen"}
    if position is not None and position.held:
        return view | {"state": "held"}
    if search.chosen is not None:
        return view | {"state": "intended_for_another"}
    if stand in (Stand.GAVE_UP, Stand.DECLINED):
        return {"state": "over"}
    settling = position is not None and position.settling is not None
    answered = settling or stand is not Stand.OPEN
    return view | {"state": "answered" if answered else "open", "unconfirmed": stand is Stand.UNCONFIRMED}


def _distance(search: Search, card: doctors.Card) -> float | None:
    """Rounded kilometres from the announced place, as in the mail."""
    if search.announcement is None or card.lat is None or card.lon is None:
        return None
    place = search.announcement.place
    return rounded_km(distance_km(place.lat, place.lon, card.lat, card.lon))
