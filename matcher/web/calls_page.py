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
    """The doctor whom this person is phoning, and the list of all; a doctor is shown to one person only."""
    return await _show(request)


async def _show(
    request: web.Request,
    refusal: pages.Refusal | None = None,
    typed: dict[str, str] | None = None,
    held: str | None = None,
) -> web.Response:
    """The page; ``held`` is the doctor of a form that was refused, shown again with what was ``typed``."""
    house, actor = house_of(request), actor_of(request)
    only = (typed or {}).get("recherche") or request.query.get("recherche") or None
    wanted = held or request.match_info.get("doctor") or request.query.get("medecin")
    start = pages.start_of(request)
    board = await calls.screen(house, actor, only, start, wanted)
    current, back = await _current(request, board.mine, wanted, held is not None)
    find = request.query.get("q", "").strip()
    return pages.render(
        request,
        "calls.html",
        refusal=refusal,
        board=pages.lenient(board.cards),
        current=pages.lenient(current),
        gone=bool(wanted) and current is None,
        back=back,
        only=only or "",
        typed=typed or {},
        find=find,
        found=pages.lenient(await calls.named(house, actor, find)) if find else [],
        fresh=board.fresh,
        counts=board,
        start=start,
        following=start + len(board.cards) if board.after else None,
    )


async def _current(
    request: web.Request, mine: dict[str, Any] | None, wanted: str | None, held: bool
) -> tuple[dict[str, Any] | None, bool]:
    """The card of the doctor whom this person holds, and whether he is the one who rang."""
    back = "rappel" in request.query
    if wanted is None or (mine is not None and not back):
        return mine, False
    if back or held:
        card = await calls.questions(house_of(request), actor_of(request), wanted)
        if held or "mine_until" in card:
            return card, True
    return None, False


async def next_doctor(request: web.Request) -> web.StreamResponse:
    """Take the next doctor whom nobody else is phoning; the one at hand goes back to the others."""
    fields = await pages.fields_of(request)
    after = fields.get("apres")
    if after:
        await calls.let_go(house_of(request), actor_of(request), after)
    return await _next(request, after, fields.get("recherche"))


async def _next(request: web.Request, after: str | None, only: str | None, **done: str) -> web.StreamResponse:
    """Claim a doctor and show him: one's own first, then in the board's order from the one just left."""
    house, actor = house_of(request), actor_of(request)
    if only:
        done = {"recherche": only, **done}
    for doctor in await calls.next_ones(house, actor, after, only):
        try:
            await calls.claim(house, actor, doctor)
        except Conflict:
            # Somebody was quicker; the following one will do.
            continue
        return pages.see_other("/appels", medecin=doctor, **done)
    return pages.see_other("/appels", **done)


async def take(request: web.Request) -> web.StreamResponse:
    """Take this doctor; with ``rappel``, he is the one who rings."""
    doctor, fields = request.match_info["doctor"], await pages.fields_of(request)
    try:
        await calls.claim(house_of(request), actor_of(request), doctor)
    except pages.EXPLAINED as error:
        return await _show(request, pages.refusal_of(error))
    return pages.see_other("/appels", medecin=doctor, **pages.given(fields, "rappel", "recherche"))


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
        return await _show(request, pages.refusal_of(error), fields, held=doctor)
    return await _next(
        request, doctor, fields.get("recherche"), fait="yes" if came_to is CallOutcome.YES else "call"
    )


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
