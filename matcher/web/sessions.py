"""Sessions of the pages: in our own table, so that they can be ended; the cookie holds a random word only.

There is a session from the login to the logout and at no other time: opening a page writes nothing.
"""

import hashlib
import secrets
import warnings
from datetime import timedelta
from typing import Any, Final, cast

import aiohttp_session
from aiohttp import web
from aiohttp.typedefs import Middleware
from aiohttp_session import AbstractStorage, Session, SessionData

from matcher.service import people as persons
from matcher.service.actors import Actor
from matcher.service.house import House
from matcher.storage import people
from matcher.web.keys import HOUSE

# The library keeps its two things on the request under plain strings; typed keys are for our own.
warnings.filterwarnings("ignore", category=web.NotAppKeyWarning, module="aiohttp_session")

#: A working day; then one logs in again.
LIFE: Final = timedelta(hours=12)
_TERRITORY, _USER, _CSRF = "territory", "user", "csrf"


class DatabaseStorage(AbstractStorage):
    """aiohttp-session over the table ``sessions``. The cookie is ``territory.secret``.

    The territory stands in the cookie because every index leads with it; the row is found by the
    secret's hash, so a stolen table opens no session.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        secure = house.public_url.startswith("https://")
        super().__init__(
            # A __Host- cookie is this host’s alone and never travels in clear; it needs TLS.
            cookie_name="__Host-session" if secure else "session",
            max_age=int(LIFE.total_seconds()),
            secure=secure,
            httponly=True,
            samesite="Lax",
        )

    async def load_session(self, request: web.Request) -> Session:
        """The session of the cookie; a new and empty one where it is unknown, ended or expired."""
        cookie = self.load_cookie(request) or ""
        territory, _, secret = cookie.partition(".")
        if not secret:
            return await self.new_session()
        async with self._house.sessions.begin() as session:
            data = await people.session_data(session, territory, _digest(secret), self._house.now())
        if data is None:
            return await self.new_session()
        return Session(cookie, data=cast("SessionData", data), new=False)

    async def save_session(
        self, request: web.Request, response: web.StreamResponse, session: Session
    ) -> None:
        """Keep a session that was begun or changed; end one that was emptied."""
        cookie = cast("str | None", session.identity)
        former = self.load_cookie(request)
        async with self._house.sessions.begin() as transaction:
            if (former is not None and former != cookie) or session.empty:
                # A login begins a new session: one that was planted beforehand is worth nothing.
                territory, _, secret = (former or "").partition(".")
                await people.end_session(transaction, territory, _digest(secret))
            if session.empty:
                response.set_cookie(self.cookie_name, "", max_age=0, **self._attributes())
                return
            if cookie is None:
                cookie = f"{session[_TERRITORY]}.{secrets.token_urlsafe(32)}"
            territory, _, secret = cookie.partition(".")
            await people.put_session(
                transaction,
                territory,
                _digest(secret),
                user=session[_USER],
                data=dict(self._get_session_data(session)),
                expires_at=self._house.now() + LIFE,
            )
        response.set_cookie(self.cookie_name, cookie, max_age=self.max_age, **self._attributes())

    def _attributes(self) -> Any:
        # A cookie that is taken back has to carry the same attributes as when it was given.
        return {name: self.cookie_params[name] for name in ("path", "secure", "httponly", "samesite")}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def middleware(storage: DatabaseStorage) -> Middleware:
    """aiohttp-session's middleware over our table."""
    return aiohttp_session.session_middleware(storage)


async def sign_in(request: web.Request, actor: Actor) -> None:
    """Begin a session for who has just shown a password. The cookie goes with the answer."""
    session = await aiohttp_session.new_session(request)
    session[_TERRITORY] = actor.territory
    session[_USER] = actor.id
    session[_CSRF] = secrets.token_urlsafe(32)


async def sign_out(request: web.Request) -> None:
    """End the session, here and in the table."""
    (await aiohttp_session.get_session(request)).invalidate()


async def actor(request: web.Request) -> Actor | None:
    """Who is logged in, as the database knows that person now."""
    session = await aiohttp_session.get_session(request)
    if session.empty:
        return None
    return await persons.actor_of_user(request.app[HOUSE], session[_TERRITORY], session[_USER])


async def csrf(request: web.Request) -> str:
    """The token that this session's forms carry; empty where there is no session."""
    token: str = (await aiohttp_session.get_session(request)).get(_CSRF, "")
    return token
