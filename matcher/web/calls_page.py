"""``/appels``: one doctor at a time, with what one call may say, and what came of it."""

from datetime import datetime
from typing import Any, Final

from aiohttp import web

from matcher.protocol.search import CallOutcome, RefusalReason, SpokeWith, Terms, Where
from matcher.service import calls
from matcher.service.actors import OFFICE
from matcher.service.errors import Conflict, Invalid
from matcher.web import pages
from matcher.web.keys import actor_of, house_of
from matcher.web.route import Route
from matcher.web.search_actions import Form

#: The outcomes that promise a call-back, and so need its hour.
PROMISES: Final = frozenset({CallOutcome.CALL_BACK, CallOutcome.SECRETARY_WILL_ASK})


async def show(request: web.Request) -> web.Response:
    """The doctor to phone now, and the list of the others."""
    return await _show(request)


async def _show(
    request: web.Request, refusal: pages.Refusal | None = None, typed: dict[str, str] | None = None
) -> web.Response:
    board = pages.lenient(await calls.board(house_of(request), actor_of(request)))
    only = request.query.get("recherche")
    if only:
        board = [one for one in board if any(search["id"] == only for search in one["searches"])]
    wanted = request.match_info.get("doctor") or request.query.get("medecin")
    find = request.query.get("q", "").strip().lower()
    if find:
        board = [one for one in board if find in one["doctor"]["name"].lower()]
    current = next((one for one in board if one["doctor"]["id"] == wanted), None)
    if current is None:
        current = next((one for one in board if not one["claimed_by"]), None)
    status, error, faults = refusal or (200, None, {})
    return pages.render(
        request,
        "calls.html",
        status=status,
        error=error,
        faults=faults,
        board=board,
        current=current,
        typed=typed or {},
        find=find,
        waiting=len({search["id"] for one in board for search in one["searches"]}),
    )


async def next_doctor(request: web.Request) -> web.StreamResponse:
    """Take the first doctor whom nobody else is phoning."""
    return await _next(request)


async def _next(request: web.Request, **done: str) -> web.StreamResponse:
    house, actor = house_of(request), actor_of(request)
    for one in await calls.board(house, actor):
        if one.get("claimed_by"):
            continue
        try:
            await calls.claim(house, actor, one["doctor"]["id"])
        except Conflict:
            # Somebody was quicker; the following one will do.
            continue
        return pages.see_other("/appels", medecin=one["doctor"]["id"], **done)
    return pages.see_other("/appels", **done)


async def take(request: web.Request) -> web.StreamResponse:
    """Take this doctor: « Dr X rappelle »."""
    doctor = request.match_info["doctor"]
    try:
        await calls.claim(house_of(request), actor_of(request), doctor)
    except pages.EXPLAINED as error:
        return await _show(request, pages.refusal_of(error))
    return pages.see_other("/appels", medecin=doctor)


async def outcome(request: web.Request) -> web.StreamResponse:
    """What the call came to, for each announcement that was spoken of; then the next doctor at once."""
    house, actor, doctor = house_of(request), actor_of(request), request.match_info["doctor"]
    fields = await pages.fields_of(request)
    about = await pages.many_of(request, "search")
    form = Form(house=house, actor=actor, search="", fields=fields, many={})
    try:
        if not about:
            raise Invalid({"search": "Cochez au moins une annonce dont vous avez parlé."})
        came_to = form.one_of("outcome", CallOutcome)
        told = _told(form, came_to)
        for search in about:
            await calls.outcome(house, actor, search, doctor, came_to, **told)
    except pages.EXPLAINED as error:
        return await _show(request, pages.refusal_of(error), fields)
    return await _next(request, fait="call")


def _told(form: Form, came_to: CallOutcome) -> dict[str, Any]:
    """The particulars that belong to this outcome; those of the others are left alone."""
    told: dict[str, Any] = {"spoke_with": form.maybe_one_of("spoke_with", SpokeWith)}
    if came_to in PROMISES:
        told["at"] = _moment(form.fields.get("at", ""))
    if came_to is CallOutcome.NOT_TAKING:
        told["until"] = form.maybe_day("until")
    if came_to is CallOutcome.NO:
        told["reason"] = form.maybe_one_of("reason", RefusalReason)
    if came_to is CallOutcome.YES:
        told["conditions"] = Terms(
            from_=form.maybe_day("from"),
            where=form.maybe_one_of("where", Where),
            count=form.count("count") or None,
            once="once" in form.fields,
        )
        told["email"] = form.fields.get("email") or None
        told["mssante"] = form.fields.get("mssante") or None
    return told


def _moment(typed: str) -> datetime:
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=pages.PARIS)
    except ValueError:
        raise Invalid({"at": "Indiquez le jour et l’heure du rappel."}) from None


ROUTES: Final = (
    Route("GET", "/appels", show, allowed=OFFICE),
    Route("POST", "/appels/suivant", next_doctor, allowed=OFFICE),
    Route("GET", "/appels/{doctor}", show, allowed=OFFICE),
    Route("POST", "/appels/{doctor}", outcome, allowed=OFFICE),
    Route("POST", "/appels/{doctor}/prendre", take, allowed=OFFICE),
)
