"""After the password: the choice of a territory, the second factor, and going over to another territory."""

import json
from typing import Any, Final

from aiohttp import web

from matcher.service import factors, logins, passkeys, people
from matcher.service.actors import STAFF, Actor, Role
from matcher.service.errors import NotFound, TooMany
from matcher.service.logins import Step
from matcher.web import carried, pages, sessions
from matcher.web.callers import address_of
from matcher.web.entering import TOO_MANY, enter, factor_page, go_on
from matcher.web.keys import actor_of, house_of
from matcher.web.limits import LARGEST_ANONYMOUS_BODY, LARGEST_CARRIED
from matcher.web.reading import answer
from matcher.web.route import ANYONE, Route

_PERSONS: Final = STAFF | {Role.REQUESTER}
WRONG: Final = "Ce code ne convient pas, ou il a déjà servi. Attendez le suivant, puis recommencez."


async def _at(request: web.Request, wanted: Step) -> Actor | None:
    """Who is at this step of the way in; None for anybody else."""
    found = await sessions.on_the_way(request)
    return found[0] if found is not None and found[1] is wanted else None


async def territories(request: web.Request) -> web.StreamResponse:
    """Which of one's territories to work in."""
    actor = await _at(request, Step.CHOOSE)
    if actor is None:
        return pages.see_other("/connexion")
    house = house_of(request)
    mine = [actor.territory, *(territory for territory, _ in await sessions.also(request))]
    names = sorted((house.territories[one].name, one) for one in mine if one in house.territories)
    return pages.render(request, "territories.html", names=names, then=request.query.get("suite", ""))


async def choose(request: web.Request) -> web.StreamResponse:
    """Into the chosen territory."""
    actor = await _at(request, Step.CHOOSE)
    if actor is None:
        return pages.see_other("/connexion")
    fields = await pages.fields_of(request)
    return await _over(request, actor, fields.get("territory", ""), fields.get("suite", ""))


async def switch(request: web.Request) -> web.StreamResponse:
    """Over to another territory of the same person; what that account has beside its password is asked."""
    return await _over(request, actor_of(request), (await pages.fields_of(request)).get("territory", ""), "")


async def _over(request: web.Request, actor: Actor, territory: str, then: str) -> web.StreamResponse:
    mine = ((actor.territory, actor.id), *await sessions.also(request))
    user = next((user for known, user in mine if known == territory), None)
    chosen = None if user is None else await people.actor_of_user(house_of(request), territory, user)
    if chosen is None:
        raise NotFound
    return await enter(request, chosen, await sessions.how(request), then, [], tuple(mine))


async def form(request: web.Request) -> web.StreamResponse:
    """The second factor is asked for."""
    actor = await _at(request, Step.FACTOR)
    if actor is None:
        return pages.see_other("/connexion")
    return await factor_page(request, actor, request.query.get("suite", ""), [])


async def code(request: web.Request) -> web.StreamResponse:
    """A code of the app, or a recovery code."""
    actor = await _at(request, Step.FACTOR)
    if actor is None:
        return pages.see_other("/connexion")
    fields, typed = await pages.fields_of(request), await carried.of_login(request)
    then = fields.get("suite", "")
    try:
        kind = await factors.check_code(house_of(request), actor, fields.get("code", ""), address_of(request))
    except TooMany as error:
        said = TOO_MANY.format(max(1, error.retry_after // 60))
        return await factor_page(request, actor, then, typed, 429, said)
    if kind is None:
        return await factor_page(request, actor, then, typed, 401, WRONG)
    await _inside(request, actor, kind)
    return await go_on(request, actor, then, typed)


async def _inside(request: web.Request, actor: Actor, kind: str) -> None:
    others = await sessions.also(request)
    await sessions.sign_in(request, actor, Step.FULL, how=await sessions.how(request), others=others)
    await logins.logged_in(house_of(request), actor, kind)


async def question(request: web.Request) -> web.StreamResponse:
    """What a passkey is asked; the page's script gives it to the browser."""
    actor = await _at(request, Step.FACTOR)
    if actor is None:
        raise NotFound
    options, challenge = await passkeys.question(house_of(request), actor)
    await sessions.ask(request, challenge)
    return answer(options)


async def passkey(request: web.Request) -> web.StreamResponse:
    """What the passkey answered."""
    actor = await _at(request, Step.FACTOR)
    if actor is None:
        raise NotFound
    fields, typed = await pages.fields_of(request), await carried.of_login(request)
    then = fields.get("suite", "")
    try:
        right = await passkeys.check(
            house_of(request),
            actor,
            await sessions.asked(request),
            credential_of(fields),
            address_of(request),
        )
    except TooMany as error:
        said = TOO_MANY.format(max(1, error.retry_after // 60))
        return await factor_page(request, actor, then, typed, 429, said)
    if not right:
        return await factor_page(request, actor, then, typed, 401, "La clé d’accès n’a pas été reconnue.")
    await _inside(request, actor, "passkey")
    return await go_on(request, actor, then, typed)


def credential_of(fields: dict[str, str]) -> dict[str, Any]:
    """What the browser says of a passkey, from the hidden field of a form; empty where it is not JSON."""
    try:
        found = json.loads(fields.get("credential", ""))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


_CARRIED: Final = LARGEST_CARRIED + LARGEST_ANONYMOUS_BODY

ROUTES: Final = (
    Route("GET", "/connexion/territoire", territories, allowed=ANYONE),
    Route("POST", "/connexion/territoire", choose, allowed=ANYONE),
    Route("POST", "/territoire", switch, allowed=_PERSONS),
    Route("GET", "/connexion/facteur", form, allowed=ANYONE),
    Route("POST", "/connexion/facteur", code, allowed=ANYONE, largest=_CARRIED),
    Route("POST", "/connexion/cle/question", question, allowed=ANYONE),
    Route("POST", "/connexion/cle", passkey, allowed=ANYONE, largest=_CARRIED),
)
