"""Pro Santé Connect on the pages: to the provider and back, to come in or to tie a card to an account.

Going there writes nothing here: what ties the answer to this browser is in a cookie of ten minutes. Coming
back is a GET that shows a form, and the form's POST does the work, as everywhere (P6).
"""

from typing import Final

from aiohttp import web

from matcher.service import factors, pro_sante_connect
from matcher.service.actors import STAFF, Role
from matcher.service.errors import Conflict, NotFound, NotProven
from matcher.service.logins import Step
from matcher.web import pages, sessions
from matcher.web.entering import arrive
from matcher.web.keys import house_of
from matcher.web.route import ANYONE, Route

BACK: Final = "/connexion/pro-sante-connect/retour"
LOGIN, TIE = "login", "tie"
SECONDS: Final = 600


def _cookie(request: web.Request) -> str:
    return "__Host-psc" if house_of(request).public_url.startswith("https://") else "psc"


async def _away(request: web.Request, purpose: str) -> web.StreamResponse:
    seed = pro_sante_connect.new_seed()
    there = await pro_sante_connect.start(house_of(request), seed, purpose, BACK)
    response = web.Response(status=303, headers={"Location": there})
    secure = house_of(request).public_url.startswith("https://")
    response.set_cookie(
        _cookie(request), seed, max_age=SECONDS, httponly=True, secure=secure, samesite="Lax", path="/"
    )
    return response


async def to_login(request: web.Request) -> web.StreamResponse:
    """To the provider, to come in."""
    return await _away(request, LOGIN)


async def to_tie(request: web.Request) -> web.StreamResponse:
    """To the provider, to tie a card to one's account."""
    return await _away(request, TIE)


async def back(request: web.Request) -> web.StreamResponse:
    """Back from the provider: what it said is in a form that sends itself."""
    said = [(name, request.query.get(name, "")) for name in ("code", "state")]
    if not said[0][1]:
        return _refused(request, "Pro Santé Connect n’a pas confirmé votre identité.")
    return pages.render(request, "forward.html", carried=said, then=BACK, verb="Continuer")


async def done(request: web.Request) -> web.StreamResponse:
    """Who the card shows comes in, or ties it to the account that is open."""
    house = house_of(request)
    fields = await pages.fields_of(request)
    seed = request.cookies.get(_cookie(request), "")
    code, state = fields.get("code", ""), fields.get("state", "")
    purpose = pro_sante_connect.purpose_of(seed, state, (LOGIN, TIE))
    if purpose is None:
        return _refused(request, "Cette réponse n’est pas pour ce navigateur, ou elle a trop attendu.")
    try:
        who = await pro_sante_connect.finish(house, seed, purpose, BACK, code, state)
    except NotProven:
        return _refused(request, "Pro Santé Connect n’a pas confirmé votre identité.")
    if purpose == LOGIN:
        actors = await factors.of_professional(house, who)
        if not actors:
            return _refused(
                request,
                "Aucun compte n’est relié à cette carte. Connectez-vous d’abord par mot de passe, puis "
                "reliez-la dans « Mon compte ».",
            )
        return await arrive(request, actors, "psc", "", [])
    found = await sessions.on_the_way(request)
    if found is None or found[1] not in (Step.FULL, Step.ENROL):
        raise NotFound
    try:
        await factors.add_professional(house, found[0], who)
    except Conflict as refused:
        return _refused(request, refused.reason)
    if found[1] is Step.ENROL:
        others = await sessions.also(request)
        await sessions.sign_in(request, found[0], Step.FULL, how="psc", others=others)
    return pages.see_other("/compte", fait="factor")


def _refused(request: web.Request, said: str) -> web.Response:
    return pages.render(request, "error.html", status=403, title="Pro Santé Connect", text=said, faults={})


ROUTES: Final = (
    Route("GET", "/connexion/pro-sante-connect", to_login, allowed=ANYONE),
    Route("GET", BACK, back, allowed=ANYONE),
    Route("POST", BACK, done, allowed=ANYONE),
    Route(
        "GET",
        "/compte/pro-sante-connect",
        to_tie,
        allowed=STAFF | {Role.REQUESTER},
        enrolling=True,
        fresh=True,
    ),
)
