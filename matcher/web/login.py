"""Coming in, choosing the first password, going out, and the address without a path."""

from typing import Final

from aiohttp import web

from matcher.service import people
from matcher.service.actors import STAFF, Actor, Role
from matcher.service.errors import Invalid, NotFound, TooMany
from matcher.web import carried, pages, sessions
from matcher.web.keys import ACTOR, CSRF, house_of, maybe_actor
from matcher.web.limits import LARGEST_ANONYMOUS_BODY, LARGEST_CARRIED
from matcher.web.route import ANYONE, Route


def home_of(actor: Actor) -> str:
    """Where a person's work begins."""
    if actor.role is Role.REQUESTER:
        return "/mes-demandes"
    return "/rapport" if actor.role is Role.DIRECTRICE else "/bureau"


def _inside(address: str) -> str | None:
    """An address to go on to, if it is one of ours: a login page must not send people elsewhere."""
    if address.startswith("/") and not address.startswith(("//", "/\\")) and "\n" not in address:
        return address
    return None


async def root(request: web.Request) -> web.StreamResponse:
    """To one's work, or to the login."""
    actor = maybe_actor(request)
    return pages.see_other("/connexion" if actor is None else home_of(actor))


async def form(request: web.Request) -> web.StreamResponse:
    """The login form."""
    actor = maybe_actor(request)
    if actor is not None:
        return pages.see_other(home_of(actor))
    return _login(request, 200, None, "", request.query.get("suite", ""), [])


def again(request: web.Request, typed: carried.Fields) -> web.Response:
    """The login form for somebody whose session ended while typing: what was typed goes along."""
    said = "Votre session a pris fin. Reconnectez-vous : votre saisie vous attend."
    return _login(request, 401, said, "", request.path, typed)


def _login(
    request: web.Request, status: int, said: str | None, email: str, then: str, typed: carried.Fields
) -> web.Response:
    return pages.render(
        request,
        "login.html",
        status=status,
        error=said,
        email=email,
        then=then,
        carried=carried.hidden(typed),
    )


async def login(request: web.Request) -> web.StreamResponse:
    """Check address and password; one answer for every mistake."""
    house = house_of(request)
    fields = await pages.fields_of(request)
    typed = await carried.of_login(request)
    email, then = fields.get("email", ""), fields.get("suite", "")
    posted = await request.post()
    try:
        actor = await people.login(house, email, str(posted.get("password", "")))
    except TooMany as error:
        minutes = max(1, error.retry_after // 60)
        said = f"Trop d’essais pour ce compte. Attendez {minutes} minutes, puis recommencez."
        return _login(request, 429, said, email, then, typed)
    if actor is None:
        said = "L’adresse ou le mot de passe ne convient pas. Vérifiez la saisie, puis recommencez."
        return _login(request, 401, said, email, then, typed)
    await sessions.sign_in(request, actor)
    await people.logged_in(house, actor)
    inside = _inside(then)
    if typed and inside is not None:
        request[ACTOR], request[CSRF] = actor, await sessions.csrf(request)
        return pages.render(request, "carried.html", carried=typed, then=inside)
    return pages.see_other(_inside(then) or home_of(actor))


async def logout(request: web.Request) -> web.StreamResponse:
    """End the session."""
    await sessions.sign_out(request)
    return pages.see_other("/connexion", fait="logout")


async def welcome(request: web.Request) -> web.Response:
    """Where a new person chooses a password; the one-time token comes in the fragment."""
    return pages.render(request, "welcome.html", token="")


async def enrol(request: web.Request) -> web.StreamResponse:
    """The first password, against the one-time token."""
    posted = {name: str(value) for name, value in (await request.post()).items()}
    token, password = posted.get("token", "").strip(), posted.get("password", "")
    try:
        if password != posted.get("again", ""):
            raise Invalid({"again": "Les deux saisies ne sont pas identiques."})
        await people.enrol(house_of(request), token, password)
    except NotFound:
        fault = {"token": "Ce code n’est pas valable, ou il a déjà servi. Demandez un nouveau lien."}
        return pages.render(
            request, "welcome.html", status=400, token=token, faults=fault, error="Ce code ne convient pas."
        )
    except Invalid as error:
        status, said, faults = pages.refusal_of(error)
        return pages.render(request, "welcome.html", status=status, token=token, faults=faults, error=said)
    return pages.see_other("/connexion", fait="enrolled")


ROUTES: Final = (
    Route("GET", "/", root, allowed=ANYONE),
    Route("GET", "/connexion", form, allowed=ANYONE),
    Route("POST", "/connexion", login, allowed=ANYONE, largest=LARGEST_CARRIED + LARGEST_ANONYMOUS_BODY),
    Route("POST", "/deconnexion", logout, allowed=STAFF | {Role.REQUESTER}),
    Route("GET", "/bienvenue", welcome, allowed=ANYONE),
    Route("POST", "/bienvenue", enrol, allowed=ANYONE),
)
