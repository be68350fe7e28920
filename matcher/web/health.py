"""What an operator's tools ask: is it alive, can it work, how does it go. Nothing of anybody is in it."""

import hmac
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

from matcher.service import health
from matcher.service.health import Word
from matcher.web.keys import house_of
from matcher.web.meters import figures_text
from matcher.web.reading import answer
from matcher.web.route import ANYONE, Route


class Meters:
    """The figures of this process. Labels are routes as written and statuses: never a path or an id."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("trait_union_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "trait_union_request_seconds", "Seconds to answer.", ("method", "route"), registry=self.registry
        )


METERS: Final = web.AppKey("meters", Meters)


@web.middleware
async def metered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count and time every request, by its route."""
    resource = request.match_info.route.resource
    path = "none" if resource is None else resource.canonical
    meters = request.app[METERS]
    method = request.method if resource is not None else "none"
    status = HTTPStatus.INTERNAL_SERVER_ERROR.value
    with meters.seconds.labels(method, path).time():
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as raised:
            status = raised.status
            raise
        finally:
            meters.requests.labels(method, path, str(status)).inc()
    return response


async def alive(_request: web.Request) -> web.StreamResponse:
    """The process answers; nothing else is asked."""
    return web.json_response({"status": "ok"})


async def ready(request: web.Request) -> web.StreamResponse:
    """Whether traffic should come here: each check with its word; 503 when one is failing."""
    checks = await health.checks(house_of(request))
    failing = Word.FAILING in checks.values()
    state = "failing" if failing else "ok" if set(checks.values()) == {Word.OK} else "degraded"
    status = HTTPStatus.SERVICE_UNAVAILABLE if failing else HTTPStatus.OK
    return answer({"status": state, "checks": checks}, status)


async def metrics(request: web.Request) -> web.StreamResponse:
    """Prometheus text, for the operator's key; without a key in the settings it does not exist."""
    house = house_of(request)
    token = house.settings.metrics_token
    if not token:
        raise web.HTTPNotFound
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    figures = await health.read(house)
    words = await health.checks(house, figures)
    text = generate_latest(request.app[METERS].registry)
    text += figures_text(figures, words, house.at_the_door)
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})


#: The metrics ask for the operator's own key themselves: it belongs to no territory and no role.
PROBES: Final = (
    Route("GET", "/healthz", alive, allowed=ANYONE),
    Route("GET", "/readyz", ready, allowed=ANYONE),
    Route("GET", "/metrics", metrics, allowed=ANYONE),
)
