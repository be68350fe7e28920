"""The API of lists of patients who come together, and of what doctors answer to one over their link."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Required

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from matcher.protocol.announcement import ConditionKind
from matcher.service import list_links, lists
from matcher.service.actors import COORDINATION
from matcher.web.api_links import LINKS, LinkIn
from matcher.web.bodies import Day, Nothing
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import API
from matcher.web.reading import Body, answer, body_of
from matcher.web.route import ANYONE, Doc, Route

LISTS = API + "/lists"


class SettleIn(Body):
    #: Whether the answer counts.
    keep: bool


class PlacesIn(LinkIn):
    """How many patients of a list a doctor could take; 0 says no."""

    places: Annotated[int, Field(ge=0, le=200)]
    from_: Annotated[Day | None, Field(alias="from")] = None
    until: Day | None = None
    #: Kinds of conditions that the places do not cover.
    declines: Annotated[list[ConditionKind], Field(max_length=10, default_factory=list)]


class ListSummary(TypedDict, total=False):
    """A list: its patients, those who wait, and the places on offer."""

    id: Required[str]
    name: Required[str]
    created_at: Required[datetime]
    patients: Required[int]
    waiting: Required[int]
    states: Required[dict[str, int]]
    asked: Required[int]
    answered: Required[int]
    offered: Required[int]
    left: Required[int]


class ListView(ListSummary, total=False):
    """The same with what each doctor answered; ``filled``: proposals that were just made."""

    to_ask: int
    text: str
    filled: int
    doctors: list[dict[str, Any]]
    searches: list[dict[str, Any]]


class ListList(TypedDict):
    """Every list of the territory, the newest first, on one page."""

    items: list[ListSummary]


class PlacesView(TypedDict, total=False):
    """What a list's link shows; a count and a place, and what was answered."""

    purpose: str
    doctor: dict[str, Any]
    territory: dict[str, Any]
    state: str
    text: str
    places: int
    until: date
    declines: list[str]
    held: bool


async def listing(request: web.Request) -> web.StreamResponse:
    """Every list."""
    return answer(await lists.listing(house_of(request), actor_of(request)))


async def one(request: web.Request) -> web.StreamResponse:
    """One list."""
    return answer(await lists.one(house_of(request), actor_of(request), request.match_info["id"]))


async def ask(request: web.Request) -> web.StreamResponse:
    """One mail to each doctor who was not asked for this list yet."""
    await body_of(request, Nothing)
    return answer(await lists.ask(house_of(request), actor_of(request), request.match_info["id"]))


async def fill(request: web.Request) -> web.StreamResponse:
    """Give the places on offer to the patients who wait."""
    await body_of(request, Nothing)
    return answer(await lists.fill(house_of(request), actor_of(request), request.match_info["id"]))


async def settle(request: web.Request) -> web.StreamResponse:
    """Whether an answer that came too fast counts."""
    body = await body_of(request, SettleIn)
    origin, doctor = request.match_info["id"], request.match_info["doctor"]
    return answer(await lists.settle(house_of(request), actor_of(request), origin, doctor, keep=body.keep))


async def places(request: web.Request) -> web.StreamResponse:
    """A doctor's answer over his link; 202 where a person has to settle it first."""
    body = await body_of(request, PlacesIn)
    taken = await list_links.answer(
        house_of(request),
        body.token,
        body.places,
        from_=body.from_,
        until=body.until,
        declines=body.declines,
    )
    return answer(taken, 202 if taken.get("held") else 200)


def _route(method: Literal["GET", "POST"], path: str, handler: Any, doc: Doc) -> Route:
    return Route(method, LISTS + path, handler, allowed=COORDINATION, doc=doc)


ROUTES = (
    _route("GET", "", listing, Doc(summary="Every list of patients", answers={200: ListList})),
    _route("GET", "/{id}", one, Doc(summary="One list", answers={200: ListView})),
    _route(
        "POST",
        "/{id}/ask",
        ask,
        Doc(summary="Ask the doctors how many they could take", body=Nothing, answers={200: ListView}),
    ),
    _route(
        "POST",
        "/{id}/fill",
        fill,
        Doc(summary="Give the places to the patients who wait", body=Nothing, answers={200: ListView}),
    ),
    _route(
        "POST",
        "/{id}/doctors/{doctor}/settle",
        settle,
        Doc(summary="Settle an answer that came too fast", body=SettleIn, answers={200: ListView}),
    ),
    Route(
        "POST",
        LINKS + "/places",
        places,
        allowed=ANYONE,
        doc=Doc(
            summary="Say how many patients of a list",
            body=PlacesIn,
            answers={200: PlacesView, 202: PlacesView},
        ),
    ),
)
