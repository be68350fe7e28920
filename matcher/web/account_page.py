"""``/compte``: one's own sessions, password and second factors."""

from typing import Any, Final

import segno
from aiohttp import web

from matcher.service import factors, logins, passkeys, people, pro_sante_connect
from matcher.service.actors import STAFF, Actor, Role
from matcher.service.errors import Conflict, Invalid, NotFound, TooMany
from matcher.service.logins import SECOND, Step
from matcher.storage import sessions as stored
from matcher.storage.factors import Factor
from matcher.web import pages, sessions
from matcher.web.callers import address_of
from matcher.web.entering import TOO_MANY
from matcher.web.keys import actor_of, house_of
from matcher.web.reading import answer
from matcher.web.route import Route
from matcher.web.second_step import credential_of

_PERSONS: Final = STAFF | {Role.REQUESTER}
_FACTORS: Final = "/compte/second-facteur"


async def show(request: web.Request) -> web.Response:
    """Everything of one's account."""
    return await _show(request)


async def _show(request: web.Request, refusal: pages.Refusal | None = None) -> web.Response:
    house, actor = house_of(request), actor_of(request)
    async with house.sessions.begin() as session:
        open_ones = await stored.of_user(session, actor.territory, actor.id, house.now())
    held = await factors.listing(house, actor)
    return pages.render(
        request,
        "account.html",
        refusal=refusal,
        shared=actor.id.startswith("form:"),
        open_ones=open_ones,
        mine=await sessions.own_mark(request),
        **_of_factors(actor, held, request),
    )


def _of_factors(actor: Actor, held: list[Factor], request: web.Request) -> dict[str, Any]:
    house = house_of(request)
    return {
        "held": [one for one in held if one.kind in SECOND],
        "codes_left": sum(one.kind == "recovery" for one in held),
        "demanded": logins.demands_factor(house, actor),
        "psc": pro_sante_connect.is_configured(house) and not any(one.kind == "psc" for one in held),
    }


async def password(request: web.Request) -> web.StreamResponse:
    """Another password, after the present one; every other session ends."""
    house, actor = house_of(request), actor_of(request)
    posted = {name: str(value) for name, value in (await request.post()).items()}
    try:
        if posted.get("password", "") != posted.get("again", ""):
            raise Invalid({"again": "Les deux saisies ne sont pas identiques."})
        if not await logins.confirm(house, actor, posted.get("current", ""), address_of(request)):
            raise Invalid({"current": "Ce n’est pas votre mot de passe actuel."})
        await people.change_password(house, actor, posted.get("password", ""))
    except TooMany as error:
        return await _show(request, (429, TOO_MANY.format(max(1, error.retry_after // 60)), {}))
    except Invalid as error:
        return await _show(request, pages.refusal_of(error))
    await _end(request, but=await sessions.own_mark(request))
    return pages.see_other("/compte", fait="password")


async def end(request: web.Request) -> web.StreamResponse:
    """End one of one's sessions, or all but this one."""
    which = (await pages.fields_of(request)).get("session")
    await _end(request, only=which) if which else await _end(request, but=await sessions.own_mark(request))
    if which == await sessions.own_mark(request):
        await sessions.sign_out(request)
        return pages.see_other("/connexion", fait="logout")
    return pages.see_other("/compte", fait="session")


async def _end(request: web.Request, *, only: str | None = None, but: str | None = None) -> None:
    house, actor = house_of(request), actor_of(request)
    async with house.sessions.begin() as session:
        await stored.end_of(session, actor.territory, actor.id, only=only, but=but)


async def second(request: web.Request) -> web.Response:
    """The second factors, and how to add one."""
    return await _second(request)


async def _second(request: web.Request, refusal: pages.Refusal | None = None) -> web.Response:
    house, actor = house_of(request), actor_of(request)
    waiting = await factors.waiting_totp(house, actor)
    return pages.render(
        request,
        "second_factor.html",
        refusal=refusal,
        waiting=waiting,
        # Drawn here, so that no secret goes through an address; without style attributes, for the policy.
        picture=None
        if waiting is None
        else segno.make(waiting.uri, micro=False).svg_inline(scale=4, border=2),
        **_of_factors(actor, await factors.listing(house, actor), request),
    )


async def start_app(request: web.Request) -> web.StreamResponse:
    """A secret for an authenticator app."""
    name = (await pages.fields_of(request)).get("name", "")
    await factors.start_totp(house_of(request), actor_of(request), name)
    return pages.see_other(_FACTORS)


async def confirm_app(request: web.Request) -> web.StreamResponse:
    """The first code of the app: from now on it counts."""
    try:
        await factors.confirm_totp(
            house_of(request), actor_of(request), (await pages.fields_of(request)).get("code", "")
        )
    except Invalid as error:
        return await _second(request, pages.refusal_of(error))
    return await _added(request, "totp")


async def ask_passkey(request: web.Request) -> web.StreamResponse:
    """What a new passkey is asked; the page's script gives it to the browser."""
    options, challenge = await passkeys.registration(house_of(request), actor_of(request))
    await sessions.ask(request, challenge)
    return answer(options)


async def add_passkey(request: web.Request) -> web.StreamResponse:
    """What the new passkey answered."""
    fields = await pages.fields_of(request)
    try:
        await passkeys.register(
            house_of(request),
            actor_of(request),
            await sessions.asked(request),
            credential_of(fields),
            fields.get("name", ""),
        )
    except Invalid as error:
        return await _second(request, pages.refusal_of(error))
    return await _added(request, "passkey")


async def _added(request: web.Request, kind: str) -> web.StreamResponse:
    """After a new factor: inside, if that was all that lacked; and recovery codes with the first."""
    house, actor = house_of(request), actor_of(request)
    found = await sessions.on_the_way(request)
    if found is not None and found[1] is Step.ENROL:
        others = await sessions.also(request)
        await sessions.sign_in(request, actor, Step.FULL, how=await sessions.how(request), others=others)
        await logins.logged_in(house, actor, kind)
    held = await factors.listing(house, actor)
    if any(one.kind == "recovery" for one in held):
        return pages.see_other("/compte", fait="factor")
    return await codes(request)


async def codes(request: web.Request) -> web.StreamResponse:
    """Fresh recovery codes, shown this once."""
    fresh = await factors.new_recovery(house_of(request), actor_of(request))
    return pages.render(request, "recovery.html", codes=fresh)


async def remove(request: web.Request) -> web.StreamResponse:
    """Give up a second factor."""
    factor = (await pages.fields_of(request)).get("factor", "")
    try:
        await factors.remove(house_of(request), actor_of(request), factor)
    except Conflict as error:
        return await _show(request, pages.refusal_of(error))
    except NotFound:
        return pages.see_other("/compte")
    return pages.see_other("/compte", fait="factor_removed")


ROUTES: Final = (
    Route("GET", "/compte", show, allowed=_PERSONS),
    Route("POST", "/compte/mot-de-passe", password, allowed=_PERSONS),
    Route("POST", "/compte/sessions/fermer", end, allowed=_PERSONS),
    Route("GET", _FACTORS, second, allowed=_PERSONS, enrolling=True),
    Route("POST", f"{_FACTORS}/application", start_app, allowed=_PERSONS, enrolling=True, fresh=True),
    Route("POST", f"{_FACTORS}/application/code", confirm_app, allowed=_PERSONS, enrolling=True),
    Route("POST", f"{_FACTORS}/cle/question", ask_passkey, allowed=_PERSONS, enrolling=True),
    Route("POST", f"{_FACTORS}/cle", add_passkey, allowed=_PERSONS, enrolling=True, fresh=True),
    Route("POST", f"{_FACTORS}/secours", codes, allowed=_PERSONS, fresh=True),
    Route("POST", f"{_FACTORS}/retirer", remove, allowed=_PERSONS, fresh=True),
)
