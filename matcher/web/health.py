"""What an operator's tools ask: is it alive, can it work, how does it go. Nothing of anybody is in it."""

import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from matcher.service import health
from matcher.service.health import Word
from matcher.web.keys import house_of
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
    figures = _gauges(await health.read(house), house.at_the_door)
    text = generate_latest(request.app[METERS].registry) + figures
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _gauges(figures: health.Figures, door: Mapping[str, int]) -> bytes:
    """What is read from the database at each scrape, so that every replica says the same; and what this
    process alone knows: how it goes at the door where mail comes back.
    """
    registry = CollectorRegistry()
    waiting = Gauge("trait_union_outbox_waiting", "Mails to be sent.", registry=registry)
    waiting.set(figures.outbox_waiting)
    mail_age = Gauge("trait_union_outbox_age_seconds", "Lateness of the oldest due mail.", registry=registry)
    mail_age.set(figures.outbox_age.total_seconds())
    step_age = Gauge("trait_union_steps_age_seconds", "Lateness of the oldest due step.", registry=registry)
    step_age.set(figures.steps_age.total_seconds())
    searches = Gauge("trait_union_searches", "Searches by state.", ("territory", "state"), registry=registry)
    for (territory, state), count in figures.searches.items():
        searches.labels(territory, state).set(count)
    back = Gauge("trait_union_received", "Mails that came back.", ("kind", "reading"), registry=registry)
    for (kind, reading), count in figures.received.items():
        back.labels(kind, reading).set(count)
    to_read = Gauge("trait_union_received_to_read", "Mails that a person must read.", registry=registry)
    to_read.set(figures.to_read)
    here = Gauge("trait_union_mail_door", "Mails at the door of this process.", ("what",), registry=registry)
    for what, count in sorted(door.items()):
        here.labels(what).set(count)
    return generate_latest(registry)


#: The metrics ask for the operator's own key themselves: it belongs to no territory and no role.
PROBES: Final = (
    Route("GET", "/healthz", alive, allowed=ANYONE),
    Route("GET", "/readyz", ready, allowed=ANYONE),
    Route("GET", "/metrics", metrics, allowed=ANYONE),
)
