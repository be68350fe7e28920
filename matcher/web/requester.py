"""``/demande`` and ``/mes-demandes``: a request filled in, resumed, handed in, and followed."""

import json
from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

from aiohttp import web
from aiohttp.web_request import FileField

from matcher.protocol.search import WithdrawalReason
from matcher.service import requests, searches, views
from matcher.service.actors import COORDINATION, Actor, Role
from matcher.service.errors import Invalid
from matcher.service.house import House
from matcher.web import pages, record_words, request_form
from matcher.web.keys import actor_of, house_of
from matcher.web.pages import EXPLAINED
from matcher.web.route import Route
from matcher.web.search_page import doctor_names

REQUESTERS: Final = frozenset({Role.REQUESTER})
WRITERS: Final = COORDINATION | REQUESTERS

_REPEATED: Final = ("conditions", "attachment", "wish.exclude.value", "wish.prefer.value")


async def blank(request: web.Request) -> web.Response:
    """An empty form; its key makes a second press of the button the same request."""
    return await _form(request, {"key": uuid4().hex}, {})


async def resume(request: web.Request) -> web.StreamResponse:
    """A requester's own draft or returned request, as it was left."""
    house, actor, search = house_of(request), actor_of(request), request.match_info["id"]
    if actor.role is not Role.REQUESTER:
        return pages.render(request, "request_open.html", id=search)
    view = pages.lenient(await views.search(house, actor, search))
    if view["input"] is None:
        raise web.HTTPSeeOther(f"/mes-demandes/{search}")
    fields, many = request_form.shown(view["input"])
    return await _form(request, fields, many, missing=view["missing"] or [])


async def correct(request: web.Request) -> web.StreamResponse:
    """The office opens a record in order to complete or correct it; the service journals it."""
    raw = await views.record(house_of(request), actor_of(request), request.match_info["id"], "complete")
    fields, many = request_form.shown(raw)
    return await _form(request, fields, many)


async def save(request: web.Request) -> web.StreamResponse:
    """A draft kept, a request handed in, or a correction; at fault, the form again with everything typed."""
    house, actor = house_of(request), actor_of(request)
    search = request.match_info.get("id")
    fields = await pages.fields_of(request)
    many = {name: await pages.many_of(request, name) for name in _REPEATED}
    dropped = set(await pages.many_of(request, "drop"))
    many["attachment"] = [one for i, one in enumerate(many["attachment"]) if str(i) not in dropped]
    many["attachment"] += await _uploaded(request)
    raw = request_form.read(fields, many, house.now())
    submitting = fields.get("do") != "draft"
    try:
        if search is None:
            made = await _create(house, actor, raw, fields.get("key"), submitting)
            search = str(made["id"])
            if made.get("warnings"):
                return pages.render(
                    request, "request_received.html", made=pages.lenient(made), submitted=submitting
                )
        else:
            await _change(house, actor, search, raw, submitting)
    except EXPLAINED as error:
        return await _form(request, fields, many, refusal=pages.refusal_of(error))
    done = "submitted" if submitting else "draft"
    if actor.role is Role.REQUESTER:
        return pages.see_other("/mes-demandes", fait=done)
    return pages.see_other(f"/recherches/{search}", fait=done)


async def _create(
    house: House, actor: Actor, raw: dict[str, Any], key: str | None, submitting: bool
) -> dict[str, Any]:
    if not submitting:
        raw = {**raw, "draft": True}
    return await requests.create(house, actor, requests.checked(raw), raw, key or None)


async def _change(house: House, actor: Actor, search: str, raw: dict[str, Any], submitting: bool) -> None:
    view = pages.lenient(await views.search(house, actor, search))
    unsent = view["state"] in ("draft", "returned")
    if actor.role is Role.REQUESTER:
        held = view["input"] or {}
    else:
        held = await views.record(house, actor, search, "complete")
    patch = request_form.changes(held, raw, house.now())
    if not unsent:
        # After the hand-in consent changes by a step of its own, never by a correction.
        patch.pop("consent", None)
    if patch:
        await (requests.amend if unsent else requests.correct)(house, actor, search, patch)
    if unsent and submitting:
        await requests.submit(house, actor, search)


async def _uploaded(request: web.Request) -> list[str]:
    """New files as the hidden fields that carry them through a form at fault."""
    return [
        json.dumps(request_form.attachment(value.filename, value.file.read()))
        for value in (await request.post()).getall("file", [])
        if isinstance(value, FileField) and value.filename
    ]


async def _form(
    request: web.Request,
    fields: dict[str, str],
    many: dict[str, list[str]],
    *,
    missing: Sequence[str] = (),
    refusal: pages.Refusal | None = None,
) -> web.Response:
    house, actor = house_of(request), actor_of(request)
    status, error, faults = refusal or (200, None, {})
    search = request.match_info.get("id")
    places = house.territories[actor.territory].places
    return pages.render(
        request,
        "request.html",
        status=status,
        error=error,
        faults=faults,
        typed=fields,
        many=many,
        missing=missing,
        id=search,
        key=fields.get("key", ""),
        rw=record_words,
        rf=request_form,
        files=[json.loads(one) for one in many.get("attachment", [])],
        places=sorted({place.name: place.name for place in places.places}.items()),
        doctors=await doctor_names(request) if actor.role in COORDINATION else {},
    )


async def mine(request: web.Request) -> web.Response:
    """The structure's own requests."""
    found = await views.listing(
        house_of(request),
        actor_of(request),
        after=request.query.get("after"),
        q=request.query.get("q") or None,
    )
    return pages.render(
        request,
        "requests.html",
        items=pages.lenient(found["items"]),
        q=request.query.get("q", ""),
        next=found.get("next"),
    )


async def one(request: web.Request) -> web.Response:
    """One request of the structure: where it stands and what the structure may do."""
    return await _one(request)


async def _one(request: web.Request, refusal: pages.Refusal | None = None) -> web.Response:
    view = await views.search(house_of(request), actor_of(request), request.match_info["id"])
    status, error, faults = refusal or (200, None, {})
    return pages.render(
        request, "request_one.html", status=status, error=error, faults=faults, s=pages.lenient(view)
    )


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
    Route("GET", "/demande", blank, allowed=WRITERS),
    Route("POST", "/demande", save, allowed=WRITERS),
    Route("GET", "/demande/{id}", resume, allowed=WRITERS),
    Route("POST", "/demande/{id}", save, allowed=WRITERS),
    Route("POST", "/demande/{id}/ouvrir", correct, allowed=COORDINATION),
    Route("GET", "/mes-demandes", mine, allowed=REQUESTERS),
    Route("GET", "/mes-demandes/{id}", one, allowed=REQUESTERS),
    Route("POST", "/mes-demandes/{id}/reconfirmer", reconfirm, allowed=REQUESTERS),
    Route("POST", "/mes-demandes/{id}/retirer", withdraw, allowed=REQUESTERS),
    Route("POST", "/mes-demandes/{id}/annuler-retrait", undo, allowed=REQUESTERS),
)
