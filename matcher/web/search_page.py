"""The list of searches, the page of one search, and the record behind a reason."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from matcher.protocol.search import State
from matcher.service import directory, launching, sharing, sketch, views
from matcher.service.actors import COORDINATION, OFFICE, Actor
from matcher.service.errors import Forbidden
from matcher.service.house import House
from matcher.web import (
    consent_text,
    looked_up,
    pages,
    proposals,
    reaching_words,
    record_words,
    request_steps,
    timeline,
    words,
)
from matcher.web.keys import actor_of, house_of
from matcher.web.route import Route

#: State → what may be done from it, in the order in which it is offered. The protocol decides; a page
#: that offers too much is answered with the protocol's own reason.
ACTIONS: Final = {
    "draft": ("complete",),
    "submitted": ("valider", "renvoyer", "accord"),
    "returned": ("complete",),
    "ready": ("lancer",),
    "asking": ("appels", "vague"),
    "calling": ("board", "elargir", "clore"),
    "proposing": ("board", "vague"),
    "released": ("rendez-vous", "confirmer", "nouvel-acces", "renoncer"),
    "resting": ("reprendre",),
    "attached": ("rouvrir",),
    "unmet": ("relancer",),
    "withdrawn": ("annuler-retrait",),
}
_LIVE: Final = (
    "reponse",
    "contact",
    "reconfirmer",
    "accord",
    "pause",
    "priorite",
    "corriger",
    "partager",
    "reunir",
    "retirer",
)
#: The same for what is needed less often.
MORE: Final = {
    "draft": ("retirer",),
    "submitted": ("contact", "priorite", "corriger", "reunir", "retirer"),
    "returned": ("retirer",),
    "ready": _LIVE[1:],
    "asking": _LIVE,
    "calling": ("relancer", *_LIVE),
    "proposing": ("clore", *_LIVE),
    "released": tuple(name for name in _LIVE if name not in ("pause", "partager")),
    "resting": ("contact", "priorite", "corriger", "retirer"),
    "attached": ("retirer",),
    "unmet": ("priorite", "retirer"),
    "withdrawn": (),
}


#: What everybody of the office may do, a secretaire too.
ANYBODY: Final = frozenset({"board", "reponse", "rendez-vous"})


async def listing(request: web.Request) -> web.Response:
    """Every search, or those of a state or of a person."""
    return await _listing(request)


async def launch_all(request: web.Request) -> web.Response:
    """Launch every search that is ready, and say what became of each."""
    return await _listing(request, await launching.launch_all(house_of(request), actor_of(request)))


async def _listing(request: web.Request, launched: dict[str, Any] | None = None) -> web.Response:
    house, actor = house_of(request), actor_of(request)
    state, q = request.query.get("state", ""), await looked_up.words_of(request)
    if state not in words.STATES:
        state = ""
    found = await views.listing(
        house, actor, State(state) if state else None, q or None, request.query.get("after"), for_page=True
    )
    items = [summary(one) for one in found["items"]]
    if q and len(items) == 1 and "after" not in request.query:
        raise web.HTTPSeeOther(f"/recherches/{items[0]['id']}")
    after = found.get("next")
    more = await looked_up.address(request, "/recherches", q, state=state, after=after) if after else None
    return pages.render(
        request,
        "searches.html",
        items=items,
        state=state,
        q=q,
        next=more,
        launched=launched,
        leads=actor.role in COORDINATION,
    )


def summary(one: dict[str, Any]) -> dict[str, Any]:
    """A row of the list, with what may be absent."""
    return {
        "id": one["id"],
        "reference": one.get("reference", one["id"]),
        "label": one.get("label", ""),
        "state": one["state"],
        "since": one.get("since"),
        "urgent": one.get("urgent", False),
        "next": next_step(one.get("next")),
    }


def next_step(step: dict[str, Any] | None) -> dict[str, Any] | None:
    """``{what, at, idle}`` in words."""
    if not step:
        return None
    what = str(step.get("what", ""))
    return {
        "what": words.NEXT_STEPS.get(what, what),
        "at": step.get("at"),
        # In months something ends: until then only a person moves it on.
        "idle": what in ("untouched", "abandoned", "retention_over"),
    }


async def search(request: web.Request) -> web.Response:
    """One search: where it stands, what comes next, and everything that may be done."""
    return await show(request)


async def show(
    request: web.Request,
    *,
    refusal: pages.Refusal | None = None,
    action: str = "",
    typed: dict[str, str] | None = None,
) -> web.Response:
    """The page of a search; after a refused ``action`` with its reason and what was ``typed``."""
    house, actor = house_of(request), actor_of(request)
    found, surroundings = await sketch.with_view(house, actor, request.match_info["id"])
    view = pages.lenient(
        {**found, "proposals": proposals.side_by_side(found.get("proposals", ()), surroundings)}
    )
    state = view["state"]
    states = {one["doctor"]["id"]: one["state"] for one in found.get("solicitations", ())}
    choices: list[dict[str, Any]] = []
    if state in ("submitted", "ready") and actor.role in COORDINATION:
        choices = pages.lenient(await views.announcement_choices(house, actor, view["id"]))
    wider = _wider(choices, view["announcement"])
    entries = timeline.course(view.get("timeline") or [])
    chosen = view["chosen"] and surroundings.met.get(view["chosen"]["id"])
    actions, more = _offered(ACTIONS, state, actor), _offered(MORE, state, actor)
    if state == "submitted" and (view["consent"] or {}).get("given") == "yes":
        actions, more = (
            tuple(a for a in actions if a != "accord"),
            (*more, *(a for a in actions if a == "accord")),
        )
    return pages.render(
        request,
        "search.html",
        refusal=refusal,
        s=view,
        why_these=await sharing.explained(house, actor, view["id"]) if state == "ready" else None,
        next=next_step(view.get("next")),
        choices=choices,
        repliers={
            one["doctor"]["id"]: one["doctor"]["name"]
            for one in view.get("solicitations") or []
            if one["channel"] == "mail"
        },
        wider=wider,
        chosen_phone=chosen.card.phone if chosen else None,
        actions=actions,
        more=more,
        leads=actor.role in COORDINATION,
        entries=entries,
        picture=timeline.drawn(entries),
        map=proposals.around(states, surroundings),
        asked=pages.lenient(proposals.asked(found.get("solicitations", ()), surroundings)),
        unasked=[(one.card.name, one.why) for one in surroundings.unasked],
        unasked_in_all=surroundings.unasked_in_all,
        groups=proposals.GROUPS,
        tried=action,
        typed=typed or {},
        contacts=_contacts(house, view),
        text_version=consent_text.NEWEST,
    )


def _contacts(house: House, view: dict[str, Any]) -> dict[str, Any] | None:
    """The tries to reach the person and what is still to be tried, in words; None before the first."""
    if not view["contact_attempts"]:
        return None
    today = house.now().astimezone(pages.PARIS).date()
    return {
        "tries": reaching_words.tries(view["contact_attempts"], today),
        "advice": reaching_words.advice(view["contact_wanted"], today),
    }


def _offered(gestures: Mapping[str, tuple[str, ...]], state: str, actor: Actor) -> tuple[str, ...]:
    """What this person may do from this state; a secretaire takes answers and calls."""
    return tuple(one for one in gestures.get(state, ()) if actor.role in COORDINATION or one in ANYBODY)


def _wider(choices: list[dict[str, Any]], now: dict[str, Any] | None) -> dict[str, Any] | None:
    """The next coarser announcement, for one press; None where there is none."""
    residents = 0 if now is None else now["residents"]
    coarser = [one for one in choices if one["residents"] > residents]
    return min(coarser, key=lambda one: int(one["residents"]), default=None) if now else None


async def record(request: web.Request) -> web.StreamResponse:
    """The whole record, after saying what for; the opening is journaled by the service."""
    house, actor = house_of(request), actor_of(request)
    purpose = (await pages.fields_of(request)).get("purpose", "")
    if purpose not in words.PURPOSES:
        return await show(
            request,
            refusal=(400, "Choisissez le motif pour lequel vous ouvrez la fiche.", {}),
            action="fiche",
        )
    shown = await views.record(house, actor, request.match_info["id"], purpose)
    return pages.render(
        request,
        "record.html",
        id=request.match_info["id"],
        purpose=words.PURPOSES[purpose],
        groups=record_words.laid_out(shown["record"]),
        agreed=request_steps.consent_said(shown.get("consent", {})),
    )


async def contact(request: web.Request) -> web.StreamResponse:
    """Who it is and how to reach them, at one press; journaled by the service."""
    shown = await views.contact(house_of(request), actor_of(request), request.match_info["id"])
    return pages.render(
        request,
        "record.html",
        id=request.match_info["id"],
        purpose=None,
        groups=record_words.laid_out(shown),
        agreed=None,
    )


async def doctor_names(request: web.Request) -> dict[str, str]:
    """Doctors by id, for the forms of those who may see the directory."""
    try:
        found = await directory.listing(house_of(request), actor_of(request))
    except Forbidden:
        return {}
    return {one["id"]: f"{one['last_name']} {one['first_name']}".strip() for one in found["items"]}


ROUTES: Final = (
    Route("GET", "/recherches", listing, allowed=OFFICE),
    Route("POST", "/recherches/trouver", looked_up.look_up, allowed=OFFICE),
    Route("POST", "/recherches/lancer", launch_all, allowed=COORDINATION),
    Route("GET", "/recherches/{id}", search, allowed=OFFICE),
    Route("POST", "/recherches/{id}/identite", contact, allowed=COORDINATION, fresh=True),
    Route("POST", "/recherches/{id}/fiche", record, allowed=COORDINATION, fresh=True),
)
