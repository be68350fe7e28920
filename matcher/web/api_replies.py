"""The API of what came back by mail and waits for a person."""

from datetime import date, datetime
from typing import Literal, Required

from aiohttp import web
from typing_extensions import TypedDict

from matcher.protocol.search import State
from matcher.service import replies
from matcher.service.actors import OFFICE
from matcher.service.replies import Settled
from matcher.web.bodies import Day
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import API
from matcher.web.reading import Body, answer, body_of
from matcher.web.route import Doc, Route
from matcher.web.schemas import DoctorName


class SearchName(TypedDict):
    """A search, as lists of other things name one."""

    id: str
    reference: str
    state: State


class ReplyView(TypedDict, total=False):
    """A mail that came back. ``subject`` and ``text`` are there when one is read, as long as they are kept;
    ``from`` where it is no address of the directory. ``counted``: an answer took effect already.
    """

    id: Required[str]
    at: Required[datetime]
    kind: Required[Literal["reply", "automatic", "bounce"]]
    reading: Required[str]
    counted: Required[bool]
    sender: Required[Literal["doctor", "delegate", "other", "server"]]
    letter: Required[str]
    state: Required[Literal["waiting", "settled"]]
    search: Required[SearchName]
    doctor: DoctorName
    #: The directory's number, to call and ask.
    phone: str
    structure: str
    label: str
    subject: str
    text: str
    until: date


class ReplyList(TypedDict):
    """Those that wait, oldest first."""

    items: list[ReplyView]


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
