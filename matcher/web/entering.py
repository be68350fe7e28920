"""The way in, step by step: a password or a card, the territory, what the account has beside it."""

from typing import Final

from aiohttp import web

from matcher.service import factors, logins, pro_sante_connect
from matcher.service.actors import Actor, Role
from matcher.service.logins import Step
from matcher.web import carried, pages, sessions
from matcher.web.keys import ACTOR, CSRF, OUTSIDE, house_of

#: Where somebody goes on who is not inside yet.
STEPS: Final = {
    Step.CHOOSE: "/connexion/territoire",
    Step.FACTOR: "/connexion/facteur",
    Step.ENROL: "/compte/second-facteur",
}
TOO_MANY: Final = "Trop d’essais pour ce compte. Attendez {} minutes, puis recommencez."


def home_of(actor: Actor) -> str:
    """Where a person's work begins."""
    if actor.role is Role.REQUESTER:
        return "/mes-demandes"
    return "/rapport" if actor.role is Role.DIRECTRICE else "/bureau"


def inside(address: str) -> str | None:
    """An address to go on to, if it is one of ours: a login page must not send people elsewhere.

    Browsers take a tab or a line end out of an address and a backslash for a slash: « /<tab>/elsewhere » is
    another host to them. An address of ours is of printable ASCII, other signs in it are encoded.
    """
    plain = all("!" <= sign <= "~" and sign != "\\" for sign in address)
    return address if plain and address.startswith("/") and not address.startswith("//") else None


async def arrive(
    request: web.Request, actors: list[Actor], how: str, then: str, typed: carried.Fields
) -> web.StreamResponse:
    """Go on with who was proven, in one territory or several: to the choice, the second step, or inside."""
    if len(actors) > 1:
        others = [(one.territory, one.id) for one in actors]
        await sessions.sign_in(request, actors[0], Step.CHOOSE, how=how, others=others)
        return pages.see_other(STEPS[Step.CHOOSE], **({"suite": then} if then else {}))
    return await enter(request, actors[0], how, then, typed)


async def enter(
    request: web.Request,
    actor: Actor,
    how: str,
    then: str,
    typed: carried.Fields,
    others: tuple[tuple[str, str], ...] = (),
) -> web.StreamResponse:
    """Into one territory. A card is two factors by itself; after a password comes what the account has."""
    house = house_of(request)
    step = Step.FULL if how == "psc" else await logins.step_after_password(house, actor)
    await sessions.sign_in(request, actor, step, how=how, others=others)
    if step is Step.FULL:
        await logins.logged_in(house, actor, how)
        return await go_on(request, actor, then, typed)
    if typed and step is Step.FACTOR:
        # What was typed goes from form to form, never through an address.
        request[CSRF] = await sessions.csrf(request)
        return await factor_page(request, actor, then, typed)
    return pages.see_other(STEPS[step], **({"suite": then} if then else {}))


async def go_on(request: web.Request, actor: Actor, then: str, typed: carried.Fields) -> web.StreamResponse:
    """Inside: back to what was being typed, to what was asked for, or home."""
    target = inside(then)
    if typed and target is not None:
        request[ACTOR], request[CSRF] = actor, await sessions.csrf(request)
        return pages.render(request, "carried.html", carried=typed, then=target, file=carried.FILE)
    return pages.see_other(target or home_of(actor))


async def factor_page(
    request: web.Request,
    actor: Actor,
    then: str,
    typed: carried.Fields,
    status: int = 200,
    said: str | None = None,
) -> web.Response:
    """What the account has beside its password is asked for."""
    house = house_of(request)
    request[OUTSIDE] = True
    kinds = {one.kind for one in await factors.listing(house, actor)}
    return pages.render(
        request,
        "factor.html",
        status=status,
        error=said,
        kinds=kinds,
        then=then,
        carried=carried.hidden(typed),
        psc="psc" in kinds and pro_sante_connect.is_configured(house),
    )
