"""The real service on this host, with made-up people and a search in every state, for a real browser."""

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from config.settings import load_settings
from matcher import app
from matcher.demo import patient
from matcher.demo.catcher import Catcher
from matcher.protocol.search import (
    AppointmentState,
    CallOutcome,
    Declaration,
    Next,
    ReleaseKind,
    SpokeWith,
    State,
    WithdrawalReason,
)
from matcher.service import calls, installation, launching, logins, people, requests, searches, views
from matcher.service.actors import Actor, Role
from matcher.service.house import House
from matcher.storage import migrate
from tests import protocols_delays

ROOT = Path(__file__).resolve().parents[2]
TERRITORY = "venissieux"
STRUCTURE = "PASS de l’hôpital des Trois-Érables"
PASSWORD = secrets.token_urlsafe(16)
ROLES = ("coordinatrice", "secretaire", "directrice", "requester")


@dataclass(kw_only=True)
class Stage:
    """Where the service listens, and what is in it."""

    base: str
    house: House
    catcher: Catcher
    actors: dict[str, Actor]
    #: State → id of a search in it.
    searches: dict[str, str] = field(default_factory=dict)

    @property
    def office(self) -> Actor:
        return self.actors["coordinatrice"]

    async def submitted(self, name: str = "Tisserand", **more: object) -> str:
        """The id of a new request, handed in by the PASS."""
        body = patient.request(datetime.now(UTC)) | more
        body["record"] |= {"birth_name": name}
        actor = self.actors["requester"]
        made = await requests.create(self.house, actor, requests.checked(body), body)
        return str(made["id"])

    async def asking(self, name: str = "Tisserand") -> str:
        search = await self.submitted(name)
        await searches.validate(self.house, self.office, search)
        await launching.launch(self.house, self.office, search)
        return search

    async def calling(self, name: str = "Tisserand") -> str:
        search = await self.asking(name)
        await searches.start_calls(self.house, self.office, search)
        return search

    async def phoned_yes(self, search: str) -> str:
        """Somebody with a mailbox says yes on the phone; the doctor's id."""
        listed = (await calls.of_search(self.house, self.office, search))["items"]
        for one in listed:
            doctor = one["doctor"]["id"]
            await calls.outcome(
                self.house, self.office, search, doctor, CallOutcome.YES, spoke_with=SpokeWith.DOCTOR
            )
            view = await views.search(self.house, self.office, search)
            if any(p["doctor"]["id"] == doctor and p["has_mailbox"] for p in view["proposals"]):
                return str(doctor)
        raise AssertionError("nobody with a mailbox")

    async def proposing(self, name: str = "Tisserand") -> str:
        search = await self.calling(name)
        await self.phoned_yes(search)
        return search

    async def released(self, name: str = "Tisserand") -> str:
        search = await self.calling(name)
        doctor = await self.phoned_yes(search)
        await searches.choose(self.house, self.office, search, doctor, None)
        return search

    async def quiet(self) -> set[str]:
        """The mails caught, once no more come."""
        known: set[str] = set()
        while True:
            now = {mail.id for mail in self.catcher.messages()}
            if now == known:
                return known
            known = now
            await asyncio.sleep(1)

    async def state(self, search: str) -> str:
        return str((await views.search(self.house, self.office, search))["state"])


async def fill(stage: Stage) -> None:
    """One search in each state."""
    house, office = stage.house, stage.office
    today = house.now().date()
    body = patient.request(datetime.now(UTC)) | {"draft": True}
    made = await requests.create(house, stage.actors["requester"], requests.checked(body), body)
    stage.searches[State.DRAFT] = made["id"]
    stage.searches[State.SUBMITTED] = await stage.submitted("Filature")
    returned = await stage.submitted("Ourdissoir")
    await searches.give_back(house, office, returned, ["record.phone"])
    stage.searches[State.RETURNED] = returned
    ready = await stage.submitted("Navette")
    await searches.validate(house, office, ready)
    stage.searches[State.READY] = ready
    stage.searches[State.ASKING] = await stage.asking("Trameur")
    stage.searches[State.CALLING] = await stage.calling("Lisière")
    stage.searches[State.PROPOSING] = await stage.proposing("Chaîne")
    stage.searches[State.RELEASED] = await stage.released("Peigne")
    resting = await stage.asking("Bobine")
    await searches.rest(house, office, resting, today + timedelta(days=9))
    stage.searches[State.RESTING] = resting
    attached = await stage.released("Fuseau")
    await searches.appointment(house, office, attached, today, AppointmentState.PLANNED)
    await searches.confirm(house, office, attached, Declaration.DONE, today)
    stage.searches[State.ATTACHED] = attached
    unmet = await stage.calling("Quenouille")
    await searches.close(house, office, unmet, Next.RELAUNCH, today + timedelta(days=40))
    stage.searches[State.UNMET] = unmet
    withdrawn = await stage.asking("Rouet")
    await searches.withdraw(house, office, withdrawn, WithdrawalReason.FOUND_ONE)
    stage.searches[State.WITHDRAWN] = withdrawn
    paper = await stage.calling("Écheveau")
    await searches.choose(house, office, paper, await stage.phoned_yes(paper), ReleaseKind.PAPER)


def _settings(place: Path, relay: int, base: str, database: str | None):
    territory = protocols_delays.territories(place) / TERRITORY
    path = territory / "territory.toml"
    text = path.read_text("utf-8").replace('clock = "working"', 'clock = "wall"')
    path.write_text(re.sub(r'(?m)^settle = "[^"]*"', 'settle = "PT1S"', text), "utf-8")
    return load_settings(
        {
            "TRAIT_UNION_DATABASE_URL": database or f"sqlite:///{place / 'base.sqlite3'}",
            "TRAIT_UNION_SMTP_URL": f"smtp://127.0.0.1:{relay}",
            "TRAIT_UNION_PUBLIC_URL": base,
            "TRAIT_UNION_KEYS_DIR": str(place / "keys"),
            "TRAIT_UNION_TERRITORIES": str(place / "territories"),
        }
    )


@contextlib.asynccontextmanager
async def playing(
    place: Path, port: int, database: str | None = None, *, host: str = "127.0.0.1"
) -> AsyncIterator[Stage]:
    """The service with its timers and mail, listening on ``port``; on SQLite but for a ``database``.

    ``host``: by which name of this machine it is reached; passkeys belong to a name, never to an address.
    """
    catcher, base = Catcher(), f"http://{host}:{port}"
    (place / "keys").mkdir()
    async with catcher.listening() as relay:
        settings = _settings(place, relay, base, database)
        async with app.open_house(settings) as house:
            await migrate.upgrade(house.engine)
            await installation.init(house, place / "territories" / TERRITORY)
        async with app.open_house(settings, mailbox=catcher) as house:
            actors = {}
            for role in ROLES:
                email = f"{role}@cpts.example"
                structure = STRUCTURE if role == "requester" else None
                await people.add_user(
                    house, TERRITORY, email, Role(role), name=role.capitalize(), structure=structure
                )
                await people.set_password(house, TERRITORY, email, PASSWORD)
                (actors[role],) = await logins.login(house, email, PASSWORD)
            stop = asyncio.Event()
            runner = web.AppRunner(app.make_web_app(house), access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            working = asyncio.create_task(app.work(house, stop))
            stage = Stage(base=base, house=house, catcher=catcher, actors=actors)
            try:
                yield stage
            finally:
                stop.set()
                await working
                await runner.cleanup()
