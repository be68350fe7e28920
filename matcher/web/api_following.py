"""The API from the first yes to the end: contact, choice, release, appointment, endings."""

from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from matcher.protocol.search import (
    AppointmentState,
    Declaration,
    Household,
    Next,
    PatientContact,
    ReleaseKind,
    Says,
)
from matcher.service import searches
from matcher.service.actors import COORDINATION, OFFICE, Actor
from matcher.service.house import House
from matcher.web.bodies import Day, Email, Id, Moment, Reason
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import SEARCH, does, does_with
from matcher.web.reading import Body, answer, body_of
from matcher.web.route import Doc, Route
from matcher.web.schemas import SearchView

View = dict[str, Any]


class AttemptIn(Body):
    outcome: PatientContact


class RestIn(Body):
    #: A day means its first hour in the territory.
    until: Day | Moment | None = None


class PriorityIn(Body):
    level: Literal["urgent", "high", "normal"]
    reason: Reason


class JoinIn(Body):
    search: Id


class SplitIn(Body):
    """Who of the household stays in this search; the others become a search of their own."""

    adults: Annotated[int, Field(ge=0, le=10)]
    children: Annotated[int, Field(ge=0, le=20)]


class ChooseIn(Body):
    doctor_id: Id
    handover: ReleaseKind | None = None


class DeclineIn(Body):
    doctor_ids: Annotated[list[Id], Field(min_length=1, max_length=500)]


class RenewIn(Body):
    email: Email | None = None
    handover: ReleaseKind | None = None


class ReplyIn(Body):
    doctor_id: Id
    answer: Literal["yes", "no", "pause"]


class SettleIn(Body):
    #: The held answer counts, or does not.
    keep: bool


class AppointmentIn(Body):
    on: Day
    state: AppointmentState


class ConfirmIn(Body):
    declaration: Declaration
    #: Notes the honoured appointment at the same time.
    honoured_on: Day | None = None


class DesistIn(Body):
    by: Literal["doctor", "patient"]
    reason: Reason


class CloseIn(Body):
    next: Next
    relaunch_on: Day | None = None


class RelaunchIn(Body):
    on: Day | None = None


class ReopenIn(Body):
    reason: Reason


async def _attempt(house: House, actor: Actor, search: str, body: AttemptIn) -> View:
    return await searches.attempt(house, actor, search, body.outcome)


async def _rest(house: House, actor: Actor, search: str, body: RestIn) -> View:
    until = body.until
    if isinstance(until, date) and not isinstance(until, datetime):
        zone = house.territory(actor.territory).rules.office_calendar.zone
        until = datetime.combine(until, time(), tzinfo=zone)
    return await searches.rest(house, actor, search, until)


async def _priority(house: House, actor: Actor, search: str, body: PriorityIn) -> View:
    return await searches.set_priority(house, actor, search, body.level, body.reason)


async def _join(house: House, actor: Actor, search: str, body: JoinIn) -> View:
    return await searches.join(house, actor, search, body.search)


async def _split(house: House, actor: Actor, search: str, body: SplitIn) -> View:
    keep = Household(adults=body.adults, children=body.children)
    return await searches.split(house, actor, search, keep)


async def _choose(house: House, actor: Actor, search: str, body: ChooseIn) -> View:
    return await searches.choose(house, actor, search, body.doctor_id, body.handover)


async def _decline(house: House, actor: Actor, search: str, body: DeclineIn) -> View:
    return await searches.decline_proposals(house, actor, search, body.doctor_ids)


async def _reply(house: House, actor: Actor, search: str, body: ReplyIn) -> View:
    return await searches.mail_reply(house, actor, search, body.doctor_id, Says(body.answer))


async def _renew(house: House, actor: Actor, search: str, body: RenewIn) -> View:
    return await searches.renew_release(house, actor, search, body.email, body.handover)


async def _appointment(house: House, actor: Actor, search: str, body: AppointmentIn) -> View:
    return await searches.appointment(house, actor, search, body.on, body.state)


async def _confirm(house: House, actor: Actor, search: str, body: ConfirmIn) -> View:
    return await searches.confirm(house, actor, search, body.declaration, body.honoured_on)


async def _desist(house: House, actor: Actor, search: str, body: DesistIn) -> View:
    return await searches.desist(house, actor, search, body.by, body.reason)


async def _close(house: House, actor: Actor, search: str, body: CloseIn) -> View:
    return await searches.close(house, actor, search, body.next, body.relaunch_on)


async def _relaunch(house: House, actor: Actor, search: str, body: RelaunchIn) -> View:
    return await searches.relaunch(house, actor, search, body.on)


async def _reopen(house: House, actor: Actor, search: str, body: ReopenIn) -> View:
    return await searches.reopen(house, actor, search, body.reason)


async def settle(request: web.Request) -> web.StreamResponse:
    """Settle one held answer, which the path names."""
    body = await body_of(request, SettleIn)
    search, held = request.match_info["id"], request.match_info["answer"]
    return answer(await searches.settle_answer(house_of(request), actor_of(request), search, held, body.keep))


ROUTES = (
    does_with("/attempts", "Note an attempt to reach the patient", COORDINATION, AttemptIn, _attempt),
    does_with("/rest", "Let the search rest: no delay runs", COORDINATION, RestIn, _rest),
    does("/wake", "Wake a resting search", COORDINATION, searches.wake),
    does_with("/priority", "Override the priority, with a reason", COORDINATION, PriorityIn, _priority),
    does_with("/join", "Join another request for the same patient", COORDINATION, JoinIn, _join),
    does_with("/split", "Split a household", COORDINATION, SplitIn, _split),
    does_with("/choose", "Note the doctor whom the patient chooses", COORDINATION, ChooseIn, _choose),
    does_with("/decline-proposals", "Decline proposals", COORDINATION, DeclineIn, _decline),
    does_with("/replies", "Note a doctor's answer by plain mail", OFFICE, ReplyIn, _reply),
    does("/release/code", "Make a new code for the chosen doctor", COORDINATION, searches.new_code),
    does_with("/release/renew", "Renew the release, or hand the record over", COORDINATION, RenewIn, _renew),
    Route(
        "POST",
        SEARCH + "/answers/{answer}/settle",
        settle,
        allowed=COORDINATION,
        doc=Doc(summary="Settle a held answer", body=SettleIn, answers={200: SearchView}),
    ),
    does_with("/appointment", "Note the first appointment", COORDINATION, AppointmentIn, _appointment),
    does_with("/confirm", "Note the declaration: attached", COORDINATION, ConfirmIn, _confirm),
    does_with("/desist", "The doctor or the patient does not go on", COORDINATION, DesistIn, _desist),
    does_with("/close", "Close unmet, with what comes next", COORDINATION, CloseIn, _close),
    does_with("/relaunch", "Begin a new run, now or on a date", COORDINATION, RelaunchIn, _relaunch),
    does_with("/reopen", "Reopen an attached search", COORDINATION, ReopenIn, _reopen),
)
