"""What stands between a request and its handler, outermost first.

bounded → answered → (aiohttp-session) → known → read. Each does one thing; ``GUARDS`` is their order.
"""

import asyncio
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

import structlog
from aiohttp import web, web_request, web_response
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.typedefs import Handler, Middleware

from matcher.protocol.moves import Refused
from matcher.service import people
from matcher.service.actors import Actor
from matcher.service.errors import ServiceError
from matcher.service.logins import Step
from matcher.web import carried, confirm_page, login, problems, sessions
from matcher.web.callers import address_of
from matcher.web.headers import SERVER
from matcher.web.keys import ACTOR, CSRF, ERROR_PAGE, HEARD, HOUSE, OTHERS, OUTSIDE, ROUTE, ROUTES
from matcher.web.limits import LARGEST_ANONYMOUS_BODY, LARGEST_BODY, ROOM, ROOM_OF_EACH, Patience, Room
from matcher.web.pace import Budget, Pace, volume
from matcher.web.problems import Problem
from matcher.web.route import ANYONE, Route

log = structlog.get_logger(__name__)

PACE: Final[web.AppKey[Pace]] = web.AppKey("pace", Pace)
VOLUME: Final[web.AppKey[Budget]] = web.AppKey("volume", Budget)
#: How long a body may take to arrive.
WITHIN: Final = web.AppKey("within", Patience)
#: What large bodies may take together.
HELD: Final = web.AppKey("held", Room)
#: The same for whoever has not said who they are: what they take is nobody else's.
STRANGERS: Final = web.AppKey("strangers", Room)
#: (method, path as written in the route) → route.
TABLE: Final = web.AppKey[Mapping[tuple[str, str], Route]]("table")

_CHANGES_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})
LOGIN = "/connexion"


def install(app: web.Application) -> None:
    """Give ``app`` what the guards need; ``ROUTES`` and ``HOUSE`` are already there."""
    app[PACE], app[VOLUME] = Pace(app[HOUSE]), volume(app[HOUSE])
    app[WITHIN] = Patience()
    app[HELD], app[STRANGERS] = Room(), Room(total=ROOM // 2, each=ROOM_OF_EACH // 2)
    # An upload of a record in clear must not touch the disk: aiohttp would spool what is over 1 MB there.
    vars(web_request)["_FILE_SPOOL_MAX_SIZE"] = LARGEST_BODY + 1
    # What is no request at all is answered by aiohttp itself, before any signal of ours.
    vars(web_response)["SERVER_SOFTWARE"] = SERVER
    table: Mapping[tuple[str, str], Route] = {(route.method, route.path): route for route in app[ROUTES]}
    app[TABLE] = table


def _route_of(request: web.Request) -> Route | None:
    resource = request.match_info.route.resource
    if resource is None:
        return None
    method = "GET" if request.method == "HEAD" else request.method
    return request.app[TABLE].get((method, resource.canonical))


def _largest(route: Route | None) -> int:
    if route is not None and route.largest is not None:
        return route.largest
    return LARGEST_ANONYMOUS_BODY if route is None or route.allowed is ANYONE else LARGEST_BODY


def _speaks_json(request: web.Request, route: Route | None) -> bool:
    return request.path.startswith("/api/") or (route is not None and route.machine)


@web.middleware
async def bounded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request the body limit of its route, also for bodies that do not tell their length.

    The clone must be made before anything is noted on the request.
    """
    route = _route_of(request)
    narrowed = request.clone(client_max_size=_largest(route))
    if route is not None:
        narrowed[ROUTE] = route
    return await handler(narrowed)


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every refusal and every error into a problem, or a page for people."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        problem = problems.of_http(error)
    except Refused as refused:
        problem = problems.of_refused(refused)
    except ServiceError as error:
        problem = problems.of_service(error)
    except ConnectionResetError:
        # Whoever asked has left: there is nobody to answer, and nothing went wrong here.
        raise
    except Exception as error:  # noqa: BLE001 - nothing may reach the caller but "an error"
        # The message and the trace of an exception may quote a value: only type and place are logged.
        log.error(  # noqa: TRY400
            "request_failed", route=_name(request), error=type(error).__name__, at=_place(error)
        )
        problem = problems.plain(500)
    return await _said(request, problem)


async def _said(request: web.Request, problem: Problem) -> web.StreamResponse:
    draw = request.app.get(ERROR_PAGE)
    if draw is None or _speaks_json(request, request.get(ROUTE)):
        return problem.response()
    text = " ".join((problem.detail, *problem.fields.values()))
    page = await draw(request, problem.status, problem.title, text)
    page.headers.update(problem.headers)
    return page


def _name(request: web.Request) -> str:
    """The route as written: a path may hold a token, a route does not."""
    route = request.get(ROUTE)
    return "none" if route is None else f"{route.method} {route.path}"


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"


@web.middleware
async def known(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who is acting and whether the route is for that role, before a byte of the body is read."""
    route = request.get(ROUTE)
    if route is None:
        return await handler(request)
    if "\x00" in request.path:
        # PostgreSQL knows no text with a NUL in it, so there is no such thing.
        return await _said(request, problems.plain(404, code="not_found"))
    bearer = _bearer(request) if route.machine else None
    actor: Actor | None
    if route.machine:
        actor = None if bearer is None else await people.actor_of_key(request.app[HOUSE], bearer)
    else:
        actor = await _inside(request, route)
        request[CSRF] = await sessions.csrf(request)
    caller = f"{actor.territory} {actor.id}" if actor is not None else f"address {address_of(request)}"
    if not await request.app[PACE].take(caller):
        return await _said(request, problems.plain(429, code="too_many", headers={"Retry-After": "1"}))
    if actor is not None:
        request[ACTOR] = actor
        request[HEARD] = request.app[HOUSE].bell.mark(actor.territory)
    if route.allowed is not ANYONE:
        if actor is None:
            return await _unknown(request, route)
        if actor.role not in route.allowed:
            refused = {"method": route.method, "route": route.path, "role": actor.role.value}
            log.warning("forbidden", territory=actor.territory, actor=actor.id, **refused)
            return await _said(request, problems.plain(403, code="forbidden"))
        if actor.scopes is not None and route.scope not in actor.scopes:
            return await _said(request, problems.plain(403, code="scope"))
    return await handler(request)


async def _inside(request: web.Request, route: Route) -> Actor | None:
    """Who is inside; who is still on the way only for the routes that lead there."""
    found = await sessions.on_the_way(request)
    if found is None:
        return None
    actor, step = found
    if step is Step.FULL:
        names = request.app[HOUSE].territories
        also = await sessions.also(request)
        request[OTHERS] = tuple((one, names[one].name) for one, _ in also if one in names)
        return actor
    request[OUTSIDE] = True
    return actor if step is Step.ENROL and route.enrolling else None


def _bearer(request: web.Request) -> str | None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key.strip() else None


async def _unknown(request: web.Request, route: Route) -> web.StreamResponse:
    if route.machine:
        headers = {"WWW-Authenticate": 'Bearer realm="trait-union"'}
        return await _said(request, problems.plain(401, code="unauthenticated", headers=headers))
    if request.method not in _CHANGES_NOTHING:
        typed = None
        with request.app[STRANGERS].holding(address_of(request), request.content_length or 0) as room:
            if room:
                typed = await carried.of_lapsed(request, request.app[WITHIN].seconds)
        if typed:
            return login.again(request, typed)
    # After the login she lands where she wanted to go.
    wanted = f"?suite={quote(request.path_qs, safe='')}" if request.method in _CHANGES_NOTHING else ""
    raise web.HTTPSeeOther(LOGIN + wanted)


@web.middleware
async def read(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read the body, bounded in size and time, and check that a page's POST comes from our own page."""
    route = request.get(ROUTE)
    if route is None or request.method in _CHANGES_NOTHING:
        if route is not None and await _stale(request, route):
            return await confirm_page.ask(request, request.path_qs, [])
        return await handler(request)
    if (request.content_length or 0) > _largest(route):
        return await _said(request, problems.plain(413, code="too_large"))
    actor = request.get(ACTOR)
    rooms = request.app[STRANGERS if actor is None else HELD]
    caller = address_of(request) if actor is None else f"{actor.territory} {actor.id}"
    size = _largest(route) if request.content_length is None else request.content_length
    with rooms.holding(caller, size) as room:
        if not room:
            return await _said(request, problems.plain(503, code="full", headers={"Retry-After": "2"}))
        return await _taken(request, route, handler, actor, caller)


async def _taken(
    request: web.Request, route: Route, handler: Handler, actor: Actor | None, caller: str
) -> web.StreamResponse:
    try:
        async with asyncio.timeout(request.app[WITHIN].seconds):
            if route.machine:
                await request.read()
            else:
                await request.post()
    except TimeoutError:
        return await _said(request, problems.plain(408, code="too_slow"))
    except (ValueError, LookupError, BadHttpMessage, web.RequestPayloadError):
        # A form that cannot be taken apart, unpacked or decoded, or in a character set that nobody knows.
        return await _said(request, problems.plain(400, code="invalid"))
    if actor is not None and not await request.app[VOLUME].take(caller, await _kibibytes(request, route)):
        return await _said(request, _too_much(request.app[VOLUME]))
    if not route.machine and route.csrf and not await _from_our_page(request):
        return await _said(
            request,
            Problem(
                status=403,
                detail="Cette page a expiré : merci de la recharger et de recommencer.",
                code="csrf",
            ),
        )
    if await _stale(request, route):
        return await confirm_page.ask(request, request.path, await carried.of_page(request))
    return await handler(request)


async def _kibibytes(request: web.Request, route: Route) -> int:
    """How much was sent: of a call what it unpacked to, of a form what was announced."""
    if route.machine:
        size = len(await request.read())
    else:
        size = _largest(route) if request.content_length is None else request.content_length
    return -(-size // 1024)


def _too_much(budget: Budget) -> Problem:
    return Problem(
        status=429,
        detail="Vous avez déjà beaucoup envoyé aujourd’hui : réessayez demain, ou appelez la CPTS.",
        code="too_much",
        headers={"Retry-After": str(budget.seconds_left())},
    )


async def _stale(request: web.Request, route: Route) -> bool:
    """Whether who asks has to show again who they are. A key has nobody in front of it."""
    actor = request.get(ACTOR)
    if route.machine or actor is None:
        return False
    wanted = route.fresh if isinstance(route.fresh, bool) else actor.role in route.fresh
    return wanted and not await sessions.is_fresh(request, actor)


async def _from_our_page(request: web.Request) -> bool:
    """The browser says that a page of ours sent this; with a session, its token says so too.

    Under ``Referrer-Policy: no-referrer`` a browser's Origin is "null" even for our own forms, so
    Sec-Fetch-Site decides where there is one.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin", "null")
    if site is None and origin != "null":
        ours = urlsplit(request.app[HOUSE].public_url)
        if urlsplit(origin).netloc not in (ours.netloc, request.host):
            return False
    expected = request[CSRF]
    if not expected:
        return True
    given = request.headers.get("X-CSRF-Token") or (await request.post()).get("csrf", "")
    return isinstance(given, str) and hmac.compare_digest(given.encode(), expected.encode())


async def refuse_early(request: web.Request) -> web.StreamResponse | None:
    """Answer ``Expect: 100-continue``: a body that is too large need not be sent at all.

    aiohttp asks this before any middleware; its own handler says "continue" to every size.
    """
    if (request.content_length or 0) > _largest(_route_of(request)):
        return problems.plain(413, code="too_large").response()
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    # What was written so far is not the answer.
    request.writer.output_size = 0
    return None


def guards(storage: sessions.DatabaseStorage) -> tuple[Middleware, ...]:
    """The middlewares in their order."""
    return (bounded, answered, sessions.middleware(storage), known, read)
