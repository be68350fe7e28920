"""``/demande``: a request filled in step by step; each step saves the draft, the last one hands it in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import uuid4

from aiohttp import web
from aiohttp.web_request import FileField

from matcher.records import completeness
from matcher.service import asking, requests, views
from matcher.service.actors import COORDINATION, Actor, Role
from matcher.service.errors import Invalid
from matcher.service.house import House
from matcher.web import consent_text, pages, record_words, request_faults, request_form, request_steps
from matcher.web.keys import actor_of, house_of
from matcher.web.pages import EXPLAINED
from matcher.web.request_steps import SUMMARY, WHOLE
from matcher.web.route import Route
from matcher.web.search_page import doctor_names

WRITERS: Final = COORDINATION | {Role.REQUESTER}

_REPEATED: Final = ("conditions", "attachment", "wish.exclude.value", "wish.prefer.value")
_UNSENT: Final = ("draft", "returned")


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """What a page of the form shows."""

    step: str
    fields: dict[str, str]
    many: dict[str, list[str]]
    #: The request as it is held, None for one that is not begun.
    held: dict[str, Any] | None = None
    state: str = "draft"
    #: Name the gaps of this step beside its fields.
    gaps: bool = False
    refusal: pages.Refusal | None = None
    done: str | None = None
    #: What the office asked for when it gave the request back.
    wanted: tuple[str, ...] = ()
    #: Files that are typed and not yet saved.
    fresh: list[str] = field(default_factory=list)
    #: Those that cannot be taken.
    refused: list[str] = field(default_factory=list)


async def blank(request: web.Request) -> web.Response:
    """An empty first step; its key makes a second press of the button the same request."""
    step = WHOLE if request.query.get("etape") == WHOLE else request_steps.PARTS[0].key
    return await _form(request, _Shown(step=step, fields={"key": uuid4().hex}, many={}))


async def resume(request: web.Request) -> web.StreamResponse:
    """A requester's own draft or returned request, as it was left."""
    house, actor, search = house_of(request), actor_of(request), request.match_info["id"]
    if actor.role is not Role.REQUESTER:
        return pages.render(request, "request_open.html", id=search)
    view = pages.lenient(await views.search(house, actor, search))
    if view["input"] is None:
        raise web.HTTPSeeOther(f"/mes-demandes/{search}")
    shown = _resumed(request, dict(view["input"]), view["state"])
    # Of a draft that is only begun nobody asks for anything yet.
    wanted = tuple(view["missing"] or ()) if view["state"] == "returned" else ()
    return await _form(request, replace(shown, wanted=wanted))


async def correct(request: web.Request) -> web.StreamResponse:
    """The office opens a record in order to complete or correct it; the service journals it."""
    house, actor, search = house_of(request), actor_of(request), request.match_info["id"]
    state = (await views.search(house, actor, search))["state"]
    held = await views.record(house, actor, search, "complete")
    return await _form(request, _resumed(request, held, state))


def _resumed(request: web.Request, held: dict[str, Any], state: str) -> _Shown:
    fields, many = request_form.shown(held)
    asked = request.query.get("etape")
    if state not in _UNSENT:
        step = WHOLE
    elif asked is not None:
        step = request_steps.known(asked)
    elif state == "returned":
        step = SUMMARY
    else:
        step = request_steps.first_open(completeness.missing(requests.checked(held)))
    gaps = "manque" in request.query
    return _Shown(step=step, fields=fields, many=many, held=held, state=state, gaps=gaps)


async def save(request: web.Request) -> web.StreamResponse:
    """Keep a step, and go where the pressed button says; at fault, the step again with everything typed."""
    house, actor = house_of(request), actor_of(request)
    search = request.match_info.get("id")
    posted = await pages.fields_of(request)
    step, do = request_steps.known(posted.get("etape", WHOLE)), posted.get("do", "next")
    refused: list[str] = []
    state, held = await _held(house, actor, search)
    fields, many, fresh = await _joined(request, step, posted, held)
    if do.startswith(("up:", "down:")):
        verb, _, kind = do.partition(":")
        fields = request_steps.moved(fields, kind, -1 if verb == "up" else 1)
    raw = request_form.read(fields, many, house.now())
    submitting = do == "submit"
    try:
        if search is None:
            made = await _create(house, actor, raw, posted.get("key"), submitting)
            search, held = str(made["id"]), {**raw, **({} if submitting else {"draft": True})}
            if made.get("warnings") and step == WHOLE:
                return pages.render(
                    request, "request_received.html", made=pages.lenient(made), submitted=submitting
                )
        else:
            held = await _change(house, actor, search, held or {}, raw, state, submitting)
    except EXPLAINED as error:
        refusal = pages.refusal_of(error)
        if isinstance(error, Invalid):
            faults = error.fields
            if submitting:
                faults = request_faults.every(raw, faults, house.now(), asking.today(house, actor.territory))
            kept = len(many["attachment"]) - len(fresh)
            spoilt = {place - kept for place in request_faults.refused_files(faults)}
            refused = [one for place, one in enumerate(fresh) if place in spoilt]
            fresh = [one for place, one in enumerate(fresh) if place not in spoilt]
            refusal = (refusal[0], refusal[1], request_faults.folded(faults, raw))
        fields = {**fields, "key": posted.get("key", "")}
        shown = _Shown(
            step=step,
            fields=fields,
            many=many,
            held=held,
            state=state,
            refusal=refusal,
            fresh=fresh,
            refused=refused,
        )
        return await _form(request, shown)
    return await _onwards(request, search, step, do, held, state)


async def _onwards(
    request: web.Request, search: str, step: str, do: str, held: dict[str, Any], state: str
) -> web.StreamResponse:
    actor = actor_of(request)
    if do in ("submit", "draft") or step == WHOLE:
        done = (
            "submitted" if do == "submit" and state in _UNSENT else "draft" if state in _UNSENT else "correct"
        )
        home = "/mes-demandes" if actor.role is Role.REQUESTER else f"/recherches/{search}"
        return pages.see_other(home, fait=done)
    there = step
    if do == "next":
        there = request_steps.following(step)
    elif do.startswith("go:"):
        there = request_steps.known(do.removeprefix("go:"))
    # From the summary one goes back for what is missing: it is named there.
    gaps = step == SUMMARY and there != SUMMARY
    if actor.role is Role.REQUESTER:
        query = {"etape": there, "fait": "step"} | ({"manque": "1"} if gaps else {})
        return pages.see_other(f"/demande/{search}", **query)
    # An address would open the record once more, unasked: the office gets the next step at once.
    request.match_info["id"] = search
    fields, many = request_form.shown(held)
    shown = _Shown(step=there, fields=fields, many=many, held=held, state=state, gaps=gaps, done="step")
    return await _form(request, shown)


async def _held(house: House, actor: Actor, search: str | None) -> tuple[str, dict[str, Any] | None]:
    """The state of a request and what it holds now; the office's reading is journaled."""
    if search is None:
        return "draft", None
    view = pages.lenient(await views.search(house, actor, search))
    if actor.role is Role.REQUESTER:
        return view["state"], dict(view["input"] or {})
    return view["state"], await views.record(house, actor, search, "complete")


async def _joined(
    request: web.Request, step: str, posted: dict[str, str], held: dict[str, Any] | None
) -> tuple[dict[str, str], dict[str, list[str]], list[str]]:
    """The fields of the whole form, and the files that are new."""
    known = request_form.shown(held or {})
    many = {name: await pages.many_of(request, name) for name in _REPEATED}
    dropped = set(await pages.many_of(request, "drop"))
    fresh = [*many["attachment"], *await _uploaded(request)]
    kept = [one for i, one in enumerate(known[1].get("attachment", [])) if str(i) not in dropped]
    many["attachment"] = [*kept, *fresh]
    if posted.get("consent.given") != known[0].get("consent.given"):
        # Another answer is another moment.
        posted = {name: value for name, value in posted.items() if name != "consent.at"}
    fields, every = request_steps.joined(step, known, (posted, many))
    return fields, every, fresh


async def _create(
    house: House, actor: Actor, raw: dict[str, Any], key: str | None, submitting: bool
) -> dict[str, Any]:
    if not submitting:
        raw = {**raw, "draft": True}
    return await requests.create(house, actor, requests.checked(raw), raw, key or None)


async def _change(
    house: House,
    actor: Actor,
    search: str,
    held: dict[str, Any],
    raw: dict[str, Any],
    state: str,
    submitting: bool,
) -> dict[str, Any]:
    """Save what was changed; the request as it is held then."""
    unsent = state in _UNSENT
    patch = request_form.changes(held, raw, house.now())
    if not unsent:
        # After the hand-in consent changes by a step of its own, never by a correction.
        patch.pop("consent", None)
    if patch:
        await (requests.amend if unsent else requests.correct)(house, actor, search, patch)
    if unsent and submitting:
        await requests.submit(house, actor, search)
    return requests.merged(held, patch)


async def _uploaded(request: web.Request) -> list[str]:
    """New files as the hidden fields that carry them through a form at fault."""
    return [
        json.dumps(request_form.attachment(value.filename, pages.bytes_of(value)))
        for value in (await request.post()).getall("file", [])
        if isinstance(value, FileField) and value.filename
    ]


async def _form(request: web.Request, shown: _Shown) -> web.Response:
    house, actor = house_of(request), actor_of(request)
    status, error, faults = shown.refusal or (200, None, {})
    places = house.territories[actor.territory].places
    doctors = await doctor_names(request) if actor.role in COORDINATION else {}
    missing, odd = _gaps(house, actor, shown.held)
    if shown.step == SUMMARY:
        # What is missing is named below, each with the way to it.
        faults = {name: why for name, why in faults.items() if name not in missing}
    if shown.gaps:
        faults = {name: "À compléter." for name in missing if request_steps.step_of(name) == shown.step}
    saved = shown.many.get("attachment", [])[: -len(shown.fresh + shown.refused) or None]
    wishes, expressed = request_steps.wish_order(shown.fields, shown.many)
    return pages.render(
        request,
        "request.html",
        status=status,
        error=error,
        faults=faults,
        typed=shown.fields,
        many=shown.many,
        missing=missing,
        odd=odd,
        step=shown.step,
        state=shown.state,
        saved_now=shown.done,
        wanted=shown.wanted,
        id=request.match_info.get("id"),
        key=shown.fields.get("key", ""),
        rw=record_words,
        rf=request_form,
        rs=request_steps,
        wishes=wishes,
        expressed=expressed,
        sheet=consent_text.sheets()["fr"],
        sheets=consent_text.sheets(),
        summary=request_steps.summary(shown.held or {}, doctors),
        files=[json.loads(one)["name"] for one in saved],
        fresh=[(one, json.loads(one)["name"]) for one in shown.fresh],
        refused=[json.loads(one)["name"] for one in shown.refused],
        places=sorted({place.name: place.name for place in places.places}.items()),
        doctors=doctors,
    )


def _gaps(house: House, actor: Actor, held: Mapping[str, Any] | None) -> tuple[list[str], dict[str, str]]:
    """What the request lacks, and what of it looks odd: field → a sentence."""
    if held is None:
        return [], {}
    body = requests.checked(held)
    odd = completeness.warnings(body, asking.today(house, actor.territory))
    return request_steps.in_order(completeness.missing(body)), {one["field"]: one["message"] for one in odd}


ROUTES: Final = (
    Route("GET", "/demande", blank, allowed=WRITERS),
    Route("POST", "/demande", save, allowed=WRITERS),
    Route("GET", "/demande/{id}", resume, allowed=WRITERS),
    # To the office every step shows the whole record; a requester sees what it wrote.
    Route("POST", "/demande/{id}", save, allowed=WRITERS, fresh=COORDINATION),
    Route("POST", "/demande/{id}/ouvrir", correct, allowed=COORDINATION, fresh=True),
)
