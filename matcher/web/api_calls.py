"""The API of the calls: whom to phone, who phones, what came of it."""

from typing import Any

from aiohttp import web

from matcher.protocol.search import CallOutcome, RefusalReason, SpokeWith
from matcher.records.bulletin import TermsIn
from matcher.service import calls, standing
from matcher.service.actors import OFFICE, Actor
from matcher.service.house import House
from matcher.web.bodies import Day, Email, Id, Moment, terms_of
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import API, SEARCH, does_with
from matcher.web.reading import Body, answer, body_of
from matcher.web.route import Doc, Route
from matcher.web.schemas import Anything, CallBoard, StandingList, ToPhoneList


class ClaimIn(Body):
    doctor_id: Id


class CallIn(Body):
    doctor_id: Id
    outcome: CallOutcome
    spoke_with: SpokeWith | None = None
    #: When to call back.
    at: Moment | None = None
    #: The end of "not taking".
    until: Day | None = None
    reason: RefusalReason | None = None
    conditions: TermsIn | None = None
    #: Where the doctor would like to be written to.
    email: Email | None = None
    mssante: Email | None = None


async def board(request: web.Request) -> web.StreamResponse:
    """Everybody to phone, by doctor."""
    return answer({"items": await calls.board(house_of(request), actor_of(request))})


async def of_search(request: web.Request) -> web.StreamResponse:
    """Those still to phone for one search."""
    return answer(await calls.of_search(house_of(request), actor_of(request), request.match_info["id"]))


async def standing_of(request: web.Request) -> web.StreamResponse:
    """Whom a search could ask, in which order, and why in that one."""
    return answer(await standing.of_search(house_of(request), actor_of(request), request.match_info["id"]))


async def claim(request: web.Request) -> web.StreamResponse:
    """Take a doctor to phone for oneself."""
    body = await body_of(request, ClaimIn)
    return answer(await calls.claim(house_of(request), actor_of(request), body.doctor_id))


async def _outcome(house: House, actor: Actor, search: str, body: CallIn) -> dict[str, Any]:
    return await calls.outcome(
        house,
        actor,
        search,
        body.doctor_id,
        body.outcome,
        spoke_with=body.spoke_with,
        at=body.at,
        until=body.until,
        reason=body.reason,
        conditions=terms_of(body.conditions),
        email=body.email,
        mssante=body.mssante,
    )


ROUTES = (
    Route(
        "GET",
        API + "/calls",
        board,
        allowed=OFFICE,
        doc=Doc(summary="Everybody to phone, by doctor", answers={200: CallBoard}),
    ),
    Route(
        "POST",
        API + "/calls/claim",
        claim,
        allowed=OFFICE,
        doc=Doc(summary="Take a doctor to phone", body=ClaimIn, answers={200: Anything}),
    ),
    Route(
        "GET",
        SEARCH + "/calls",
        of_search,
        allowed=OFFICE,
        doc=Doc(summary="Those still to phone for one search", answers={200: ToPhoneList}),
    ),
    Route(
        "GET",
        SEARCH + "/doctors",
        standing_of,
        allowed=OFFICE,
        doc=Doc(summary="Whom a search could ask, in order, and why", answers={200: StandingList}),
    ),
    does_with("/calls", "Note what a call came to", OFFICE, CallIn, _outcome),
)
