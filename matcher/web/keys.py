"""Typed keys of the application and of a request, and the few questions a handler asks of them."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from matcher.service.actors import Actor
from matcher.service.house import House
from matcher.web.route import Route

HOUSE: Final = web.AppKey("house", House)
#: Every route of the application, for the OpenAPI document and the matrix of roles.
ROUTES: Final = web.AppKey("routes", tuple[Route, ...])
#: Draws an error page: (request, status, title, text) → response. Set by the pages.
ErrorPage = Callable[[web.Request, int, str, str], Awaitable[web.Response]]
ERROR_PAGE: Final = web.AppKey[ErrorPage]("error_page")

#: Who is acting; absent on a request that needs nobody.
ACTOR: Final = web.RequestKey("actor", Actor)
#: The other territories that this session may switch to: (id, name).
OTHERS: Final = web.RequestKey[tuple[tuple[str, str], ...]]("others", tuple)
#: Set where somebody is known but not inside yet: pages show no menu.
OUTSIDE: Final = web.RequestKey("outside", bool)
#: How far the territory's changes were heard of before anything of the page was read.
HEARD: Final = web.RequestKey("heard", str)
#: The route that the request matched.
ROUTE: Final = web.RequestKey("route", Route)
#: The token that a page's POST must carry back, in the field ``csrf`` or the header ``X-CSRF-Token``.
CSRF: Final = web.RequestKey("csrf", str)


def house_of(request: web.Request) -> House:
    """The house that serves this request."""
    return request.app[HOUSE]


def actor_of(request: web.Request) -> Actor:
    """Who is acting. Only for routes with roles; the guards have checked them."""
    return request[ACTOR]


def csrf_of(request: web.Request) -> str:
    """The hidden field ``csrf`` of a form; empty where nobody is signed in (the Origin is checked then)."""
    token: str = request.get(CSRF, "")
    return token


def maybe_actor(request: web.Request) -> Actor | None:
    """Who is acting, or nobody: for pages that anyone may see."""
    return request.get(ACTOR)
