"""Somebody in front of the pages of a world, and the accounts that they come in by."""

import re
from dataclasses import replace
from typing import Any

import pyotp
from sqlalchemy import text

from matcher.service import people
from matcher.service.actors import Role
from matcher.service.house import Territory
from matcher.storage import journal
from matcher.storage import people as stored
from tests.acceptance.api_world import HERE, World

PASSWORD = "une phrase assez longue"
EMAIL = "salima@cpts.example"


class Browser:
    """Somebody at the pages: keeps cookies, finds the CSRF token, follows nothing by itself."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.client.session.cookie_jar.clear()
        self.csrf = ""
        self.text = ""
        self.status = 0
        self.location = ""

    async def go(self, path: str) -> str:
        return await self._seen("GET", path, None, {})

    async def post(self, path: str, /, place: str = "", **fields: str) -> str:
        """Post a form of the page that was last seen; ``place`` is the caller's address."""
        headers = {"X-Forwarded-For": place} if place else {}
        return await self._seen("POST", path, {"csrf": self.csrf, **fields}, headers)

    async def _seen(self, method: str, path: str, form: Any, headers: dict[str, str]) -> str:
        async with self.world.client.request(
            method, path, data=form, headers=headers, allow_redirects=False
        ) as reply:
            self.text, self.status = await reply.text(), reply.status
            self.location = reply.headers.get("Location", "")
        found = re.search(r'name="csrf" value="([^"]*)"', self.text)
        self.csrf = found[1] if found else self.csrf
        return self.text

    async def login(
        self, email: str = EMAIL, password: str = PASSWORD, place: str = "", suite: str = ""
    ) -> str:
        self.csrf = ""
        self.world.client.session.cookie_jar.clear()
        await self.post("/connexion", email=email, password=password, place=place, suite=suite)
        return self.location


async def person(
    world: World, role: Role = Role.COORDINATRICE, email: str = EMAIL, territory: str = HERE, **more: Any
) -> str:
    await people.add_user(world.house, territory, email, role, name="Salima", **more)
    await people.set_password(world.house, territory, email, PASSWORD)
    async with world.house.sessions.begin() as session:
        found = await stored.users_by_email(session, email)
    return next(one.id for one in found if one.territory == territory)


def demand(world: World, second_factor: str = "required", territory: str = HERE, **more: str) -> None:
    """What a territory's file says of accounts, changed."""
    held: Territory = world.house.territories[territory]
    accounts = held.settings.accounts.model_copy(update={"second_factor": second_factor, **more})
    settings = held.settings.model_copy(update={"accounts": accounts})
    world.house.territories[territory] = replace(held, settings=settings)  # type: ignore[index]


def secret_of(page: str) -> str:
    found = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert found is not None
    return found[1].replace(" ", "")


async def add_app(browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """An authenticator app for who is logged in, and the recovery codes that come with it."""
    await browser.go("/compte/second-facteur")
    await browser.post("/compte/second-facteur/application", name="Téléphone")
    assert browser.location == "/compte/second-facteur"
    app = pyotp.TOTP(secret_of(await browser.go("/compte/second-facteur")))
    page = await browser.post("/compte/second-facteur/application/code", code=app.at(browser.world.clock.at))
    return app, re.findall(r"<li>([a-z0-9]{5}-[a-z0-9]{5})</li>", page)


async def journaled(world: World, territory: str = HERE) -> list[tuple[str, str | None]]:
    async with world.house.sessions.begin() as session:
        entries = await journal.list_(session, territory, limit=100)
    return [(one.action, one.purpose) for one in entries]


async def everything(world: World) -> str:
    """What the tables of accounts hold, as text."""
    async with world.house.engine.connect() as connection:
        found = []
        for name in ("users", "factors", "sessions", "journal", "failures", "form_links", "api_keys"):
            found += [repr(row) for row in await connection.execute(text(f'SELECT * FROM "{name}"'))]
    return "\n".join(found)
