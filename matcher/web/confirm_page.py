"""Showing again who one is, before a record is shown or let out: password, code of the app, or passkey."""

from typing import Final

from aiohttp import web

from matcher.service import factors, logins, passkeys
from matcher.service.actors import STAFF, Role
from matcher.service.errors import TooMany
from matcher.web import carried, pages, sessions
from matcher.web.callers import address_of
from matcher.web.entering import TOO_MANY, inside
from matcher.web.keys import actor_of, house_of
from matcher.web.limits import LARGEST_ANONYMOUS_BODY, LARGEST_CARRIED
from matcher.web.reading import answer
from matcher.web.route import Route
from matcher.web.second_step import credential_of

_PERSONS: Final = STAFF | {Role.REQUESTER}


async def ask(
    request: web.Request, then: str, typed: carried.Fields, status: int = 401, said: str | None = None
) -> web.Response:
    """The page that asks, carrying what was asked for meanwhile."""
    held = await factors.listing(house_of(request), actor_of(request))
    return pages.render(
        request,
        "confirm.html",
        status=status,
        error=said,
        kinds={one.kind for one in held},
        then=then,
        carried=carried.hidden(typed),
    )


async def form(request: web.Request) -> web.StreamResponse:
    """The same by itself, to go on to a page."""
    return await ask(request, inside(request.query.get("suite", "")) or "/", [], 200)


async def confirm(request: web.Request) -> web.StreamResponse:
    """The password, a code, or a passkey's answer; then on with what was asked for."""
    house, actor = house_of(request), actor_of(request)
    fields, typed = await pages.fields_of(request), await carried.of_login(request)
    then, place = inside(fields.get("suite", "")) or "/", address_of(request)
    password = str((await request.post()).get("password", ""))
    try:
        if fields.get("credential"):
            challenge = await sessions.asked(request)
            right = await passkeys.check(house, actor, challenge, credential_of(fields), place)
        elif fields.get("code"):
            right = await factors.check_code(house, actor, fields["code"], place) is not None
        else:
            right = await logins.confirm(house, actor, password, place)
    except TooMany as error:
        return await ask(request, then, typed, 429, TOO_MANY.format(max(1, error.retry_after // 60)))
    if not right:
        return await ask(
            request, then, typed, 401, "Ce n’est pas cela. Vérifiez la saisie, puis recommencez."
        )
    await sessions.confirm(request)
    if any(name == carried.FILE for name, _ in typed):
        return pages.render(request, "carried.html", carried=typed, then=then, file=carried.FILE)
    if typed:
        return pages.render(request, "forward.html", carried=typed, then=then, verb="Continuer")
    return pages.see_other(then)


async def question(request: web.Request) -> web.StreamResponse:
    """What a passkey is asked."""
    options, challenge = await passkeys.question(house_of(request), actor_of(request))
    await sessions.ask(request, challenge)
    return answer(options)


ROUTES: Final = (
    Route("GET", "/confirmer", form, allowed=_PERSONS),
    Route("POST", "/confirmer", confirm, allowed=_PERSONS, largest=LARGEST_CARRIED + LARGEST_ANONYMOUS_BODY),
    Route("POST", "/confirmer/question", question, allowed=_PERSONS),
)
