"""Sessions of the pages: in our own table, so that they can be ended; the cookie holds a random word only.

There is a session from the login to the logout and at no other time: opening a page begins none.
"""

import hashlib
import secrets
import warnings
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, cast

import aiohttp_session
from aiohttp import web
from aiohttp.typedefs import Middleware
from aiohttp_session import AbstractStorage, Session, SessionData

from config.checks import elapsed
from config.territory import Accounts
from matcher.service import access
from matcher.service import people as persons
from matcher.service.actors import Actor
from matcher.service.house import House
from matcher.service.logins import Step
from matcher.storage import sessions as stored
from matcher.web.callers import agent_of
from matcher.web.keys import HOUSE

# The library keeps its two things on the request under plain strings; typed keys are for our own.
warnings.filterwarnings("ignore", category=web.NotAppKeyWarning, module="aiohttp_session")

_TERRITORY, _USER, _CSRF, _STEP = "territory", "user", "csrf", "step"
#: When somebody last showed a password or more; the other accounts that were proven with it; a passkey's
#: question; the mark of a shared form's code; what was shown first.
_CONFIRMED, _ALSO, _CHALLENGE, _FORM, _HOW = "confirmed", "also", "challenge", "form", "how"


class DatabaseStorage(AbstractStorage):
    """aiohttp-session over the table ``sessions``. The cookie is ``territory.secret``.

    The territory stands in the cookie because every index leads with it; the row is found by the
    secret's hash, so a stolen table opens no session. The cookie itself ends with the browser.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        secure = house.public_url.startswith("https://")
        super().__init__(
            # A __Host- cookie is this host’s alone and never travels in clear; it needs TLS.
            cookie_name="__Host-session" if secure else "session",
            secure=secure,
            httponly=True,
            samesite="Lax",
        )

    async def load_session(self, request: web.Request) -> Session:
        """The session of the cookie; a new and empty one where it is unknown, ended or expired."""
        cookie = self.load_cookie(request) or ""
        territory, _, secret = cookie.partition(".")
        if not secret or territory not in self._house.territories:
            return await self.new_session()
        idle = elapsed(_settings(self._house, territory).idle)
        async with self._house.sessions.begin() as session:
            data = await stored.data(session, territory, digest(secret), self._house.now(), idle)
        if data is None:
            return await self.new_session()
        return Session(cookie, data=cast("SessionData", data), new=False)

    async def save_session(
        self, request: web.Request, response: web.StreamResponse, session: Session
    ) -> None:
        """Keep a session that was begun or changed; end one that was emptied."""
        cookie = cast("str | None", session.identity)
        former = self.load_cookie(request)
        now = self._house.now()
        async with self._house.sessions.begin() as transaction:
            if (former is not None and former != cookie) or session.empty:
                # A login begins a new session: one that was planted beforehand is worth nothing.
                territory, _, secret = (former or "").partition(".")
                await stored.end(transaction, territory, digest(secret))
            if session.empty:
                response.set_cookie(self.cookie_name, "", max_age=0, **self._attributes())
                return
            if cookie is None:
                cookie = f"{session[_TERRITORY]}.{secrets.token_urlsafe(32)}"
            territory, _, secret = cookie.partition(".")
            await stored.put(
                transaction,
                territory,
                digest(secret),
                user=session[_USER],
                data=dict(self._get_session_data(session)),
                agent=agent_of(request),
                now=now,
                expires_at=now + elapsed(_settings(self._house, territory).session),
            )
        response.set_cookie(self.cookie_name, cookie, **self._attributes())

    def _attributes(self) -> Any:
        # A cookie that is taken back has to carry the same attributes as when it was given.
        return {name: self.cookie_params[name] for name in ("path", "secure", "httponly", "samesite")}


def _settings(house: House, territory: str) -> Accounts:
    return house.territory(territory).settings.accounts


def digest(secret: str) -> str:
    """What the table knows a cookie's secret by."""
    return hashlib.sha256(secret.encode()).hexdigest()


def middleware(storage: DatabaseStorage) -> Middleware:
    """aiohttp-session's middleware over our table."""
    return aiohttp_session.session_middleware(storage)


async def sign_in(
    request: web.Request,
    actor: Actor,
    step: Step,
    *,
    how: str,
    others: Iterable[tuple[str, str]] = (),
    form: str = "",
) -> None:
    """Begin a session for who has just shown a password, or more. The cookie goes with the answer.

    ``how``: by what, ``password`` or ``psc``. ``others``: territory and id of further accounts it proved.
    ``form``: the mark of a shared form's code, for a session that is nobody's in particular.
    """
    session = await aiohttp_session.new_session(request)
    session[_TERRITORY] = actor.territory
    session[_USER] = None if form else actor.id
    session[_CSRF] = secrets.token_urlsafe(32)
    session[_STEP] = step.value
    session[_HOW] = how
    session[_ALSO] = [list(one) for one in others if one != (actor.territory, actor.id)]
    if form:
        session[_FORM] = [actor.id.removeprefix("form:"), form]
    session[_CONFIRMED] = request.app[HOUSE].now().isoformat()


async def sign_out(request: web.Request) -> None:
    """End the session, here and in the table."""
    (await aiohttp_session.get_session(request)).invalidate()


async def on_the_way(request: web.Request) -> tuple[Actor, Step] | None:
    """Who has come in how far, as the database knows that person now."""
    session = await aiohttp_session.get_session(request)
    if session.empty:
        return None
    house = request.app[HOUSE]
    if form := session.get(_FORM):
        actor = await access.form_actor(house, session[_TERRITORY], *form)
    else:
        actor = await persons.actor_of_user(house, session[_TERRITORY], session[_USER])
    # A session of before there were steps is a whole one.
    return None if actor is None else (actor, Step(session.get(_STEP, Step.FULL)))


async def also(request: web.Request) -> list[tuple[str, str]]:
    """Territory and id of the other accounts that this session has proven."""
    session = await aiohttp_session.get_session(request)
    return [(territory, user) for territory, user in session.get(_ALSO, ())]


async def how(request: web.Request) -> str:
    """By what the session was begun."""
    found: str = (await aiohttp_session.get_session(request)).get(_HOW, "password")
    return found


async def is_fresh(request: web.Request, actor: Actor) -> bool:
    """Whether who is inside showed who they are lately enough to see a record."""
    session = await aiohttp_session.get_session(request)
    house = request.app[HOUSE]
    confirmed = session.get(_CONFIRMED)
    lately = elapsed(_settings(house, actor.territory).confirm)
    return confirmed is not None and house.now() - datetime.fromisoformat(confirmed) < max(
        lately, timedelta(seconds=1)
    )


async def confirm(request: web.Request) -> None:
    """Who is inside has just shown again who they are."""
    session = await aiohttp_session.get_session(request)
    session[_CONFIRMED] = request.app[HOUSE].now().isoformat()


async def ask(request: web.Request, challenge: str) -> None:
    """Keep the question that a passkey will answer."""
    (await aiohttp_session.get_session(request))[_CHALLENGE] = challenge


async def asked(request: web.Request) -> str:
    """The question that was kept, once; empty where there is none."""
    challenge: str = (await aiohttp_session.get_session(request)).pop(_CHALLENGE, "")
    return challenge


async def own_mark(request: web.Request) -> str:
    """What the table knows this session by."""
    return digest(await secret(request))


async def secret(request: web.Request) -> str:
    """The random word that only the browser has; empty where there is no session."""
    cookie = str((await aiohttp_session.get_session(request)).identity or "")
    return cookie.partition(".")[2]


async def csrf(request: web.Request) -> str:
    """The token that this session's forms carry; empty where there is no session."""
    token: str = (await aiohttp_session.get_session(request)).get(_CSRF, "")
    return token
