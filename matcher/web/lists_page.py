"""``/listes``: patients who come together; ask the doctors once, watch the places fill, give them out."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from matcher.service import lists
from matcher.service.actors import COORDINATION, Actor
from matcher.service.house import House
from matcher.web import pages
from matcher.web.keys import actor_of, house_of
from matcher.web.route import Handler, Route


async def listing(request: web.Request) -> web.Response:
    """Every list."""
    found = await lists.listing(house_of(request), actor_of(request))
    return pages.render(request, "lists.html", items=pages.lenient(found["items"]))


async def one(request: web.Request) -> web.Response:
    """One list: who waits, what the mail says, who answered what."""
    return await _one(request)


async def _one(request: web.Request, refusal: pages.Refusal | None = None) -> web.Response:
    found = await lists.one(house_of(request), actor_of(request), request.match_info["id"])
    filled = request.query.get("places", "")
    return pages.render(
        request,
        "list.html",
        refusal=refusal,
        o=pages.lenient(found),
        filled=int(filled) if filled.isdecimal() else None,
    )


def _does(done: str, use_case: Callable[[House, Actor, str], Awaitable[dict[str, Any]]]) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        origin = request.match_info["id"]
        try:
            after = await use_case(house_of(request), actor_of(request), origin)
        except pages.EXPLAINED as error:
            return await _one(request, pages.refusal_of(error))
        told = {} if "filled" not in after else {"places": str(after["filled"])}
        return pages.see_other(f"/listes/{origin}", fait=done, **told)

    return handler


async def settle(request: web.Request) -> web.StreamResponse:
    """Whether an answer that came too fast counts."""
    fields = await pages.fields_of(request)
    origin, doctor = request.match_info["id"], fields.get("doctor", "")
    keep = fields.get("keep") == "oui"
    await lists.settle(house_of(request), actor_of(request), origin, doctor, keep=keep)
    return pages.see_other(f"/listes/{origin}", fait="settle")


ROUTES: Final = (
    Route("GET", "/listes", listing, allowed=COORDINATION),
    Route("GET", "/listes/{id}", one, allowed=COORDINATION),
    Route("POST", "/listes/{id}/demander", _does("list_asked", lists.ask), allowed=COORDINATION),
    Route("POST", "/listes/{id}/repartir", _does("list_filled", lists.fill), allowed=COORDINATION),
    Route("POST", "/listes/{id}/trancher", settle, allowed=COORDINATION),
)
