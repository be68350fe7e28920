"""Routes that do one thing to one search: read a body, call a use case, answer the role's view."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from aiohttp import web

from matcher.service.actors import Actor, Role
from matcher.service.house import House
from matcher.web.bodies import Nothing
from matcher.web.keys import actor_of, house_of
from matcher.web.reading import Body, answer, body_of
from matcher.web.route import Doc, Route
from matcher.web.schemas import SearchView

_B = TypeVar("_B", bound=Body)
View = Mapping[str, Any]

API = "/api/v1"
SEARCH = API + "/searches/{id}"


def does(
    path: str,
    summary: str,
    allowed: frozenset[Role],
    use_case: Callable[[House, Actor, str], Awaitable[View]],
) -> Route:
    """A POST without a body under one search."""

    async def handler(request: web.Request) -> web.StreamResponse:
        await body_of(request, Nothing)
        return answer(await use_case(house_of(request), actor_of(request), request.match_info["id"]))

    doc = Doc(summary=summary, body=Nothing, answers={200: SearchView})
    return Route("POST", SEARCH + path, handler, allowed=allowed, doc=doc)


def does_with(
    path: str,
    summary: str,
    allowed: frozenset[Role],
    model: type[_B],
    use_case: Callable[[House, Actor, str, _B], Awaitable[View]],
) -> Route:
    """A POST with the body ``model`` under one search."""

    async def handler(request: web.Request) -> web.StreamResponse:
        body = await body_of(request, model)
        return answer(await use_case(house_of(request), actor_of(request), request.match_info["id"], body))

    doc = Doc(summary=summary, body=model, answers={200: SearchView})
    return Route("POST", SEARCH + path, handler, allowed=allowed, doc=doc)
