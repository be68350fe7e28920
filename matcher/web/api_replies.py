"""The API of what came back by mail and waits for a person."""

from aiohttp import web

from matcher.service import replies
from matcher.service.actors import OFFICE
from matcher.service.replies import Settled
from matcher.web.bodies import Day
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import API
from matcher.web.reading import Body, answer, body_of
from matcher.web.route import Doc, Route
from matcher.web.schemas import ReplyList, ReplyView

REPLY = API + "/replies/{id}"


class SettleReplyIn(Body):
    answer: Settled
    #: The last day of a pause.
    until: Day | None = None


async def waiting(request: web.Request) -> web.StreamResponse:
    """Those to read, oldest first, without what they say."""
    return answer({"items": await replies.waiting(house_of(request), actor_of(request))})


async def one(request: web.Request) -> web.StreamResponse:
    """One with its text; the journal has who read it."""
    return answer(await replies.read(house_of(request), actor_of(request), request.match_info["id"]))


async def settle(request: web.Request) -> web.StreamResponse:
    """What the office made of it."""
    body = await body_of(request, SettleReplyIn)
    house, actor, id = house_of(request), actor_of(request), request.match_info["id"]
    return answer(await replies.settle(house, actor, id, body.answer, body.until))


ROUTES = (
    Route(
        "GET",
        API + "/replies",
        waiting,
        allowed=OFFICE,
        doc=Doc(summary="Replies and bounces that a person must read", answers={200: ReplyList}),
    ),
    Route(
        "GET",
        REPLY,
        one,
        allowed=OFFICE,
        doc=Doc(summary="Read one of them; journaled", answers={200: ReplyView}),
    ),
    Route(
        "POST",
        REPLY + "/settle",
        settle,
        allowed=OFFICE,
        doc=Doc(
            summary="Settle one: a yes gets its confirmation link, a no or a pause counts",
            body=SettleReplyIn,
            answers={200: ReplyView},
        ),
    ),
)
