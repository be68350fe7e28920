"""``/mes-demandes``: a structure's own requests, followed, reconfirmed, withdrawn."""

from typing import Final

from aiohttp import web

from matcher.protocol.search import WithdrawalReason
from matcher.service import searches, views
from matcher.service.actors import Role
from matcher.service.errors import Invalid
from matcher.web import looked_up, pages
from matcher.web.keys import actor_of, house_of
from matcher.web.pages import EXPLAINED
from matcher.web.route import Route

REQUESTERS: Final = frozenset({Role.REQUESTER})


async def mine(request: web.Request) -> web.Response:
    """The structure's own requests."""
    q, after = await looked_up.words_of(request), request.query.get("after")
    found = await views.listing(house_of(request), actor_of(request), after=after, q=q or None, for_page=True)
    following = found.get("next")
    return pages.render(
        request,
        "requests.html",
        items=pages.lenient(found["items"]),
        q=q,
        next=await looked_up.address(request, request.path, q, after=following) if following else None,
    )


async def one(request: web.Request) -> web.Response:
    """One request of the structure: where it stands and what the structure may do."""
    return await _one(request)


async def _one(request: web.Request, refusal: pages.Refusal | None = None) -> web.Response:
    view = await views.search(house_of(request), actor_of(request), request.match_info["id"])
    return pages.render(request, "request_one.html", refusal=refusal, s=pages.lenient(view))


async def reconfirm(request: web.Request) -> web.StreamResponse:
    """Need and consent hold still, says the requester."""
    search = request.match_info["id"]
    try:
        await searches.reconfirm(house_of(request), actor_of(request), search)
    except EXPLAINED as error:
        return await _one(request, pages.refusal_of(error))
    return pages.see_other(f"/mes-demandes/{search}", fait="reconfirm")


async def withdraw(request: web.Request) -> web.StreamResponse:
    """The requester stops its own request; taking consent back is one of the reasons."""
    search = request.match_info["id"]
    reason = (await pages.fields_of(request)).get("reason", "")
    try:
        await searches.withdraw(house_of(request), actor_of(request), search, _reason(reason))
    except EXPLAINED as error:
        return await _one(request, pages.refusal_of(error))
    return pages.see_other(f"/mes-demandes/{search}", fait="withdraw")


def _reason(typed: str) -> WithdrawalReason:
    try:
        return WithdrawalReason(typed)
    except ValueError:
        raise Invalid({"reason": "Choisissez un motif."}) from None


async def undo(request: web.Request) -> web.StreamResponse:
    """A withdrawal taken back within its 7 days."""
    search = request.match_info["id"]
    try:
        await searches.undo_withdrawal(house_of(request), actor_of(request), search)
    except EXPLAINED as error:
        return await _one(request, pages.refusal_of(error))
    return pages.see_other(f"/mes-demandes/{search}", fait="undo")


ROUTES: Final = (
    Route("GET", "/mes-demandes", mine, allowed=REQUESTERS),
    Route("POST", "/mes-demandes/trouver", looked_up.look_up, allowed=REQUESTERS),
    Route("GET", "/mes-demandes/{id}", one, allowed=REQUESTERS),
    Route("POST", "/mes-demandes/{id}/reconfirmer", reconfirm, allowed=REQUESTERS),
    Route("POST", "/mes-demandes/{id}/retirer", withdraw, allowed=REQUESTERS),
    Route("POST", "/mes-demandes/{id}/annuler-retrait", undo, allowed=REQUESTERS),
)
