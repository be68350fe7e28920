"""Coming in by a password, choosing the first one, going out, and the address without a path."""

from typing import Final

from aiohttp import web

from matcher.service import logins, people, pro_sante_connect
from matcher.service.actors import STAFF, Role
from matcher.service.errors import Invalid, NotFound, TooMany
from matcher.service.logins import Step
from matcher.web import carried, pages, sessions
from matcher.web.callers import address_of
from matcher.web.entering import STEPS, TOO_MANY, arrive, home_of
from matcher.web.keys import house_of, maybe_actor
from matcher.web.limits import LARGEST_ANONYMOUS_BODY, LARGEST_CARRIED
from matcher.web.route import ANYONE, Route


async def root(request: web.Request) -> web.StreamResponse:
    """To one's work, or to the login."""
    actor = maybe_actor(request)
    return pages.see_other("/connexion" if actor is None else home_of(actor))


async def form(request: web.Request) -> web.StreamResponse:
    """The login form; the next step for somebody on the way."""
    then = request.query.get("suite", "")
    found = await sessions.on_the_way(request)
    if found is not None:
        actor, step = found
        if step is not Step.FULL:
            return pages.see_other(STEPS[step], **({"suite": then} if then else {}))
        return pages.see_other(home_of(actor))
    return _login(request, 200, None, "", then, [])


def again(request: web.Request, typed: carried.Fields) -> web.Response:
    """The login form for somebody whose session ended while typing: what was typed goes along."""
    said = "Votre session a pris fin. Reconnectez-vous : votre saisie vous attend."
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
        psc=pro_sante_connect.is_configured(house_of(request)),
    )


async def login(request: web.Request) -> web.StreamResponse:
    """Check address and password; one answer for every mistake."""
    house = house_of(request)
    fields = await pages.fields_of(request)
    typed = await carried.of_login(request)
    email, then = fields.get("email", ""), fields.get("suite", "")
    posted = await request.post()
    try:
        actors = await logins.login(house, email, str(posted.get("password", "")), address_of(request))
    except TooMany as error:
        said = TOO_MANY.format(max(1, error.retry_after // 60))
        return _login(request, 429, said, email, then, typed)
    if not actors:
        said = "L’adresse ou le mot de passe ne convient pas. Vérifiez la saisie, puis recommencez."
        return _login(request, 401, said, email, then, typed)
    return await arrive(request, actors, "password", then, typed)


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
        await people.enrol(house_of(request), token, password, address_of(request))
    except NotFound:
        fault = {"token": "Ce code n’est pas valable, ou il a déjà servi. Demandez un nouveau lien."}
        return pages.render(
            request, "welcome.html", status=400, token=token, faults=fault, error="Ce code ne convient pas."
        )
    except Invalid as error:
        return pages.render(request, "welcome.html", refusal=pages.refusal_of(error), token=token)
    return pages.see_other("/connexion", fait="enrolled")


ROUTES: Final = (
    Route("GET", "/", root, allowed=ANYONE),
    Route("GET", "/connexion", form, allowed=ANYONE),
    Route("POST", "/connexion", login, allowed=ANYONE, largest=LARGEST_CARRIED + LARGEST_ANONYMOUS_BODY),
    Route("POST", "/deconnexion", logout, allowed=STAFF | {Role.REQUESTER}, enrolling=True),
    Route("GET", "/bienvenue", welcome, allowed=ANYONE),
    Route("POST", "/bienvenue", enrol, allowed=ANYONE),
)
