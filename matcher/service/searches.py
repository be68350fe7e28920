"""What a person does to a search. Each is one turn of the protocol; each answers the actor's view of it."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import steps
from matcher.protocol.ids import AnswerId, DoctorId
from matcher.protocol.moves import Event, Refused
from matcher.protocol.search import (
    AppointmentState,
    Consent,
    Declaration,
    Household,
    Next,
    PatientContact,
    ReleaseKind,
    Says,
    Search,
    State,
    WithdrawalReason,
)
from matcher.records.priority import Level
from matcher.service import announcing, replies, turn, vaulted, views
from matcher.service.actors import COORDINATION, OFFICE, Actor, Role, require, system
from matcher.service.errors import Invalid
from matcher.service.house import House
from matcher.storage import journal, releases, searches

View = dict[str, Any]
#: A field of the request by its dotted name: ``record.phone``, ``consent``.
_FIELD = re.compile(r"(record|wishes|consent|conditions|place)(\.[a-z_0-9]+)*", re.ASCII)
#: A requester may do these to its own searches.
OWNERS = COORDINATION | {Role.REQUESTER}


async def validate(house: House, actor: Actor, search_id: str) -> View:
    """The request is complete and consented: ready. The announcement is measured now if it was not."""
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        before = await turn.locked(session, actor, search_id)
        step = await turn.stepped(session, house, before, steps.validate)
        await turn.carry_out(session, house, actor, before, step, Event.VALIDATE)
        measured = await announcing.measured(session, house, step.search)
        if measured is not None and step.search.announcement is None:
            announced = await turn.stepped(
                session, house, step.search, lambda s, a: steps.announce(s, measured, a)
            )
            await turn.carry_out(session, house, actor, step.search, announced, Event.ANNOUNCE)
    return await views.search(house, actor, search_id)


async def give_back(house: House, actor: Actor, search_id: str, missing: list[str]) -> View:
    """Back to the requester, with what is missing. What is in clear of it are field names only."""
    require(actor, COORDINATION)
    named = tuple(one for one in missing if _FIELD.fullmatch(one))
    async with house.sessions.begin() as session:
        before = await turn.locked(session, actor, search_id)
        step = await turn.stepped(session, house, before, lambda s, a: steps.give_back(s, named, a))
        await turn.carry_out(session, house, actor, before, step, Event.RETURN)
        await vaulted.hand_back(session, house, step.search, missing)
    house.bell.ring()
    return await views.search(house, actor, search_id)


async def announce(
    house: House, actor: Actor, search_id: str, age: str | None = None, place: str | None = None
) -> View:
    """Choose how fine the announcement is, never under K."""
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        before = await turn.locked(session, actor, search_id)
        steps.taken(Event.ANNOUNCE, before)
        chosen = await announcing.chosen(session, house, before, age, place)
        step = await turn.stepped(session, house, before, lambda s, a: steps.announce(s, chosen, a))
        await turn.carry_out(session, house, actor, before, step, Event.ANNOUNCE)
    house.bell.ring(actor.territory)
    return await views.search(house, actor, search_id)


async def send_wave(house: House, actor: Actor, search_id: str) -> View:
    """One more wave now."""
    require(actor, COORDINATION)
    return await _take(house, actor, search_id, Event.WAVE, steps.send_wave)


async def start_calls(house: House, actor: Actor, search_id: str) -> View:
    """Pass to the calls at once."""
    require(actor, COORDINATION)
    return await _take(house, actor, search_id, Event.START_CALLS, steps.start_calls)


async def widen(house: House, actor: Actor, search_id: str) -> View:
    """Phone the neighbouring zone too."""
    require(actor, COORDINATION)
    return await _take(house, actor, search_id, Event.WIDEN, steps.widen)


async def take_consent(
    house: House, actor: Actor, search_id: str, consent: Consent, told: dict[str, Any] | None = None
) -> View:
    """Consent given, undecided or refused; after validation "no" is a withdrawal.

    ``told`` is the consent as it was sent (by whom, how, on which text): it is sealed with the request.
    """
    require(actor, OWNERS)
    return await _end_family(
        house, actor, search_id, Event.CONSENT, lambda s, a: steps.take_consent(s, consent, a), told
    )


async def reconfirm(house: House, actor: Actor, search_id: str) -> View:
    """Need and consent hold still."""
    require(actor, OWNERS)
    return await _take(house, actor, search_id, Event.RECONFIRM, steps.reconfirm)


async def withdraw(house: House, actor: Actor, search_id: str, reason: WithdrawalReason) -> View:
    """Stop it: every link ends at once."""
    require(actor, OWNERS)
    return await _end_family(
        house, actor, search_id, Event.WITHDRAW, lambda s, a: steps.withdraw(s, reason, a)
    )


async def undo_withdrawal(house: House, actor: Actor, search_id: str) -> View:
    """A misclick, within 7 days. What the office joined, only the office parts again."""
    require(actor, OWNERS)
    async with house.sessions.begin() as session:
        before = await turn.locked(session, actor, search_id)
        owned = await searches.get(session, actor.territory, before.id)
        joined = owned is not None and owned.joined_to is not None
        if joined and actor.role is Role.REQUESTER:
            raise Refused("over", "La CPTS suit cette demande : appelez-la.", before.state)
        step = await turn.stepped(session, house, before, steps.undo_withdrawal)
        await turn.carry_out(session, house, actor, before, step, Event.UNDO_WITHDRAWAL)
        if joined:
            await searches.part(session, actor.territory, before.id)
    house.bell.ring(actor.territory)
    return await views.search(house, actor, search_id)


async def attempt(house: House, actor: Actor, search_id: str, outcome: PatientContact) -> View:
    """The coordination, which alone sees the number, tried to reach the patient."""
    require(actor, COORDINATION)
    return await _take(
        house, actor, search_id, Event.CONTACT_ATTEMPT, lambda s, a: steps.contact_attempt(s, outcome, a)
    )


async def rest(house: House, actor: Actor, search_id: str, until: date | None) -> View:
    """The patient is unreachable or unavailable: every delay stands still. A moment counts as its day."""
    require(actor, COORDINATION)
    if isinstance(until, datetime):
        zone = house.territory(actor.territory).rules.office_calendar.zone
        until = until.astimezone(zone).date()
    return await _take(house, actor, search_id, Event.REST, lambda s, a: steps.rest(s, until, a))


async def wake(house: House, actor: Actor, search_id: str) -> View:
    """The patient is back."""
    require(actor, COORDINATION)
    return await _take(house, actor, search_id, Event.WAKE, steps.wake)


async def set_priority(house: House, actor: Actor, search_id: str, level: str, reason: str) -> View:
    """Override the office's order of work, with a reason; doctors never see it."""
    require(actor, COORDINATION)
    if level not in tuple(Level):
        raise Invalid({"level": "Choisissez urgent, high ou normal."})
    async with house.sessions.begin() as session:
        before = await turn.locked(session, actor, search_id)
        await searches.set_priority(session, actor.territory, before.id, Level(level))
        await vaulted.note_priority(session, house, before, reason)
        await journal.append(session, house.entry(actor, "priority", search=before.id))
    return await views.search(house, actor, search_id)


async def join(house: House, actor: Actor, search_id: str, other_id: str) -> View:
    """Two requests for one patient: the less advanced ends as duplicate.

    Raises Refused ``both_released`` where each has a doctor: a task of either tells the office, and stays.
    """
    require(actor, COORDINATION)
    if search_id == other_id:
        raise Invalid({"search": "Choisissez une autre recherche que celle-ci."})
    async with house.sessions.begin() as session:
        # Always in the same order, so that two persons who join the same pair cannot lock each other out.
        locked = {i: await turn.locked(session, actor, i) for i in sorted((search_id, other_id))}
        around = await turn.around(session, house, locked[search_id], actor.territory)
        this, other = steps.join(locked[search_id], locked[other_id], around)
        await turn.carry_out(session, house, actor, locked[search_id], this, Event.JOIN)
        await turn.carry_out(session, house, actor, locked[other_id], other, Event.JOIN)
        for ended, kept in ((this.search, other_id), (other.search, search_id)):
            if ended.state is State.WITHDRAWN:
                await searches.join(session, actor.territory, ended.id, kept)
    house.bell.ring(actor.territory)
    if State.WITHDRAWN not in (this.search.state, other.search.state):
        raise Refused(
            "both_released",
            "Chacune de ces recherches a son médecin : elles ne sont pas réunies, voyez-les toutes deux.",
            this.search.state,
        )
    return await views.search(house, actor, search_id)


async def split(house: House, actor: Actor, search_id: str, keep: Household) -> View:
    """A doctor takes part of a household: the rest becomes a search of its own."""
    require(actor, COORDINATION)
    return await _take(house, actor, search_id, Event.SPLIT, lambda s, a: steps.split(s, keep, a))


async def choose(
    house: House, actor: Actor, search_id: str, doctor_id: str, handover: ReleaseKind | None
) -> View:
    """The patient chooses this doctor: the record may go to that one only."""
    require(actor, COORDINATION)
    return await _take(
        house,
        actor,
        search_id,
        Event.CHOOSE,
        lambda s, a: steps.choose(s, DoctorId(doctor_id), handover, a),
        doctor=doctor_id,
    )


async def decline_proposals(house: House, actor: Actor, search_id: str, doctor_ids: list[str]) -> View:
    """The patient does not want these doctors; they are never asked again in this search."""
    require(actor, COORDINATION)
    declined = frozenset(DoctorId(d) for d in doctor_ids)
    return await _take(house, actor, search_id, Event.DECLINE, lambda s, a: steps.decline(s, declined, a))


async def new_code(house: House, actor: Actor, search_id: str) -> View:
    """A fresh code for the chosen doctor, to be read out on a call to the directory's number."""
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        search = await turn.locked(session, actor, search_id)
        if search.release is None or search.state not in (State.RELEASED, State.ATTACHED):
            raise Refused("no_release", "Aucune fiche n’est en cours d’envoi.", search.state)
        if search.release.locked:
            raise Refused("locked", "Le lien est bloqué : renouvelez-le d’abord.", search.state)
        until = house.now() + house.territory(actor.territory).rules.code_life
        await releases.new_code(session, actor.territory, search.id, search.release.number, until)
        await journal.append(
            session, house.entry(actor, "new_code", search=search.id, doctor=search.release.doctor)
        )
    return await views.search(house, actor, search_id)


async def renew_release(
    house: House, actor: Actor, search_id: str, email: str | None, handover: ReleaseKind | None
) -> View:
    """A new link (to another address perhaps) or a hand-over; the old link dies."""
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        before = await turn.locked(session, actor, search_id)
        if email is not None and before.chosen is not None:
            await turn.correct_doctor(session, house, actor, before.chosen, {"email": email})
        step = await turn.stepped(session, house, before, lambda s, a: steps.renew_release(s, handover, a))
        await turn.carry_out(session, house, actor, before, step, Event.RENEW_RELEASE, doctor=before.chosen)
    house.bell.ring(actor.territory)
    return await views.search(house, actor, search_id)


async def mail_reply(house: House, actor: Actor, search_id: str, doctor_id: str, says: Says) -> View:
    """A doctor answered a mail by a plain one, which the office has read. A yes gets the confirmation link
    back and cannot be chosen before it was confirmed; a no or a pause counts at once.
    """
    require(actor, OFFICE)
    move = replies.by_mail(DoctorId(doctor_id), says, house.now())
    return await _take(house, actor, search_id, Event.ANSWER, move, doctor=doctor_id, purpose=says)


async def settle_answer(house: House, actor: Actor, search_id: str, answer_id: str, keep: bool) -> View:
    """A held answer counts, or does not."""
    require(actor, OFFICE)
    return await _take(
        house,
        actor,
        search_id,
        Event.SETTLE_HELD,
        lambda s, a: steps.settle_held(s, AnswerId(answer_id), keep, a),
    )


async def appointment(house: House, actor: Actor, search_id: str, on: date, state: AppointmentState) -> View:
    """A first appointment is planned, honoured or missed."""
    require(actor, OFFICE)
    return await _take(
        house, actor, search_id, Event.APPOINTMENT, lambda s, a: steps.appointment(s, on, state, a)
    )


async def confirm(
    house: House, actor: Actor, search_id: str, declaration: Declaration, honoured_on: date | None
) -> View:
    """The declaration is noted: the patient has a médecin traitant."""
    require(actor, COORDINATION)
    return await _take(
        house,
        actor,
        search_id,
        Event.CONFIRM,
        lambda s, a: steps.confirm(s, declaration, honoured_on, a),
    )


async def desist(house: House, actor: Actor, search_id: str, by: str, reason: str) -> View:
    """The chosen doctor gives up, or the patient does not wish to go on with this doctor."""
    require(actor, COORDINATION)
    who: Literal["doctor", "patient"] = "doctor" if by == "doctor" else "patient"
    if by != who:
        raise Invalid({"by": "Dites qui renonce : doctor ou patient."})
    given = {"by": by, "text": reason}
    return await _take(
        house,
        actor,
        search_id,
        Event.DESIST,
        lambda s, a: steps.desist(s, who, reason, a),
        purpose=who,
        reason=given,
    )


async def close(house: House, actor: Actor, search_id: str, then: Next, on: date | None = None) -> View:
    """Nobody was found: say what comes next."""
    require(actor, COORDINATION)
    return await _take(house, actor, search_id, Event.CLOSE, lambda s, a: steps.close(s, then, on, a))


async def relaunch(house: House, actor: Actor, search_id: str, on: date | None) -> View:
    """A new run, at once or on its date, with seniority kept."""
    require(actor, COORDINATION)
    return await _take(house, actor, search_id, Event.RELAUNCH, lambda s, a: steps.relaunch(s, on, a))


async def reopen(house: House, actor: Actor, search_id: str, reason: str) -> View:
    """The doctor leaves, or it failed: search again, with seniority kept."""
    require(actor, COORDINATION)
    return await _take(
        house,
        actor,
        search_id,
        Event.REOPEN,
        lambda s, a: steps.reopen(s, reason, a),
        reason={"text": reason},
    )


async def _take(
    house: House,
    actor: Actor,
    search_id: str,
    action: Event,
    move: turn.Move,
    doctor: str | None = None,
    purpose: str | None = None,
    reason: Mapping[str, str] | None = None,
) -> View:
    await turn.take(house, actor, search_id, action, move, doctor=doctor, purpose=purpose, reason=reason)
    return await views.search(house, actor, search_id)


async def _end_family(
    house: House,
    actor: Actor,
    search_id: str,
    action: Event,
    move: turn.Move,
    told: dict[str, Any] | None = None,
) -> View:
    """Move a search; where that took its consent back, stop those that were joined with it too."""
    async with house.sessions.begin() as session:
        # Always in the same order, so that two who end one family cannot lock each other out.
        for one in sorted({search_id, *await searches.family(session, actor.territory, search_id)}):
            await turn.locked(session, actor if one == search_id else system(actor.territory), one)
        first = await turn.locked(session, actor, search_id)
        step = await turn.stepped(session, house, first, move)
        await turn.carry_out(session, house, actor, first, step, action)
        if told is not None and not step.search.record_destroyed:
            await vaulted.note_consent(session, house, step.search, told)
        await stop_relatives(session, house, step.search)
    house.bell.ring(actor.territory)
    return await views.search(house, actor, search_id)


async def stop_relatives(session: AsyncSession, house: House, ended: Search) -> None:
    """Two requesters may have sent one patient, and the parts of a split household hold one record: consent
    taken back on any of them stops all.
    """
    if not is_taken_back(ended):
        return
    who = system(ended.territory)
    for one in sorted(await searches.family(session, ended.territory, ended.id)):
        relative = await turn.locked(session, who, one)
        if one == ended.id or is_taken_back(relative):
            continue
        stopped = await turn.stepped(
            session, house, relative, lambda s, a: steps.withdraw(s, WithdrawalReason.CONSENT, a)
        )
        await turn.carry_out(session, house, who, relative, stopped, Event.WITHDRAW)


def is_taken_back(search: Search) -> bool:
    """Whether it ended because its consent was taken back."""
    return search.withdrawal is not None and search.withdrawal.reason is WithdrawalReason.CONSENT
