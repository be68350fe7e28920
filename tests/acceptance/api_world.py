"""A whole installation for a test: two territories, a real relay, the real pages and API, and a clock
that moves only when the test says so. Everybody acts over HTTP, with a key or with a link of a mail.
"""

import base64
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from config.settings import Settings, load_settings
from matcher import app, clock
from matcher.demo.catcher import Catcher
from matcher.service import installation, people
from matcher.service.actors import Role
from matcher.service.house import House
from messaging.dispatcher import Dispatcher
from messaging.smtp import Pool
from tests import protocols_delays
from tests.acceptance import installed

HERE, ELSEWHERE = "venissieux", "ailleurs"
#: A Monday, 10:30 in Paris: everybody is at work.
MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
METRICS = "cle-de-l-exploitant"
API = "/api/v1"
PEOPLE = (Role.COORDINATRICE, Role.COORDINATRICE_SOCIALE, Role.SECRETAIRE, Role.DIRECTRICE)


@dataclass
class Clock:
    """The hour that the house sees."""

    at: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    json: Any = None


@dataclass
class World:
    """The installation, and hands to act in it."""

    house: House
    client: TestClient[Any, Any]
    catcher: Catcher
    dispatcher: Dispatcher
    clock: Clock
    #: "coordinatrice", "requester", "requester2" … and the same with "@ailleurs" → API key.
    keys: dict[str, str] = field(default_factory=dict)

    async def call(
        self, who: str | None, method: str, path: str, body: object = None, **headers: str
    ) -> Reply:
        """One call to the API: ``path`` is under /api/v1 unless it begins with "//"."""
        address = path[1:] if path.startswith("//") else API + path
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            sent["Authorization"] = f"Bearer {self.keys.get(who, who)}"
        async with self.client.request(
            method, address, json=body, headers=sent, allow_redirects=False
        ) as response:
            content = await response.read()
            is_json = "json" in response.content_type
            return Reply(
                response.status, response.headers, content, await response.json() if is_json else None
            )

    async def get(self, who: str | None, path: str, expect: int = 200) -> Any:
        """The JSON of a GET that ends with ``expect``."""
        reply = await self.call(who, "GET", path)
        assert reply.status == expect, (path, reply.status, reply.content[:500])
        return reply.json

    async def post(self, who: str | None, path: str, body: object = None, expect: int = 200) -> Any:
        """The JSON of a POST that ends with ``expect``."""
        reply = await self.call(who, "POST", path, {} if body is None else body)
        assert reply.status == expect, (path, reply.status, reply.content[:500])
        return reply.json if reply.json is not None else reply.content

    async def work(self) -> None:
        """Do what is due and send what waits, until there is neither."""
        while True:
            done = await clock.tick(self.house)
            if not done + await self.dispatcher.run_once():
                return

    async def later(self, **delay: float) -> None:
        """Let time pass, then do what has become due."""
        self.clock.at += timedelta(**delay)
        await self.work()

    async def submitted(self, who: str = "requester", **changes: Any) -> str:
        """A request handed in; its id."""
        made = await self.post(who, "/searches", request(**changes), 201)
        return str(made["id"])

    async def launched(self, **changes: Any) -> str:
        """A search whose first wave is out; its id."""
        search = await self.submitted(**changes)
        await self.post("coordinatrice", f"/searches/{search}/validate")
        await self.post("coordinatrice", f"/searches/{search}/launch")
        await self.work()
        return search

    async def doctors(self) -> dict[str, dict[str, Any]]:
        """The directory by id."""
        return {d["id"]: d for d in (await self.get("coordinatrice", "/doctors"))["items"]}

    def token(self, address: str, page: str = "r") -> str:
        """The last token of a page (r, dossier) mailed to this address."""
        for mail in reversed(self.catcher.to(address)):
            if found := re.search(rf"/{page}#([A-Za-z0-9_-]+)", mail.text):
                return found[1]
        raise LookupError(f"no /{page} link for {address}")

    async def says(self, doctor: Mapping[str, Any], answer: str, expect: int = 200, **more: Any) -> Any:
        """A doctor answers over the link of his mail, after having read it."""
        token = self.token(doctor["email"])
        await self.post(None, "/links/open", {"token": token})
        self.clock.at += timedelta(seconds=10)
        taken = await self.post(None, "/links/answer", {"token": token, "answer": answer, **more}, expect)
        await self.later(seconds=10)
        return taken

    async def mailed(self, search: str) -> list[dict[str, Any]]:
        """The doctors mailed for a search who have a mailbox of their own, in the order of the view."""
        listed = await self.doctors()
        seen = await self.get("coordinatrice", f"/searches/{search}")
        asked = [s["doctor"]["id"] for s in seen["solicitations"] if s["channel"] == "mail"]
        return [listed[id] for id in asked if listed[id].get("email")]


def request(**changes: Any) -> dict[str, Any]:
    """A complete request, some of its top fields changed; those set to None are left out."""
    body: dict[str, Any] = {
        "record": {
            "birth_name": "Aubépine",
            "first_names": "Camille Églantine",
            "sex": "F",
            "birth_date": "1958-03-02",
            "nir": "258036938200178",
            "phone": "06 39 98 12 34",
            "address": {
                "line": "3 rue des Essais",
                "postcode": "69200",
                "city": "Vénissieux",
                "insee": "69259",
            },
            "housing": "own",
            "language": "fr",
            "interpreter": False,
            "nationality": "française",
            "coverage": "c2s",
            "ald": "no",
            "difficulty": "Plus de médecin depuis un déménagement.",
            "care_needed": "Suivi.",
            "referring": {"name": "Mme Fougère", "service": "PASS", "phone": "04 65 71 00 11"},
            "attachments": [
                {
                    "name": "ordonnance.pdf",
                    "media_type": "application/pdf",
                    "content": base64.b64encode(b"%PDF-1.4 fictif").decode(),
                }
            ],
        },
        "wishes": [{"kind": "sector1", "value": True, "hard": True}],
        "consent": {
            "given": "yes",
            "at": "2026-11-23T08:00:00Z",
            "by": "patient",
            "how": "oral",
            "text_version": "2026-1",
            "nationality_shared": True,
            "outcome_shared": True,
        },
        "conditions": [],
        "place": "Parilly",
        "urgent": False,
        "choice": "patient_chooses",
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


@asynccontextmanager
async def make_world(
    database_url: str, folder: Path, more: Mapping[str, str] | None = None
) -> AsyncIterator[World]:
    """Everything up, on a fresh migrated database; ``more`` settings, by their variables."""
    at, catcher = Clock(), Catcher()
    async with catcher.listening() as port:
        settings = load_settings(
            {
                "TRAIT_UNION_DATABASE_URL": database_url,
                "TRAIT_UNION_SMTP_URL": f"smtp://127.0.0.1:{port}",
                "TRAIT_UNION_PUBLIC_URL": "http://trait-union.example",
                "TRAIT_UNION_KEYS_DIR": str(folder / "keys"),
                "TRAIT_UNION_TERRITORIES": str(_territories(folder)),
                "TRAIT_UNION_METRICS_TOKEN": METRICS,
                "TRAIT_UNION_INBOX_URL": "lmtp://127.0.0.1:0",
            }
            | dict(more or {})
        )
        keys = await installed.into(database_url, settings.keys_dir, lambda: _install(settings, at))
        async with app.open_house(settings, now=at, mailbox=catcher) as house:
            pool = Pool(settings.relay)
            client = TestClient(TestServer(app.make_web_app(house)))
            world = World(house, client, catcher, app.dispatcher_of(house, pool), at, keys)
            async with client:
                yield world
            await pool.close()


async def _install(settings: Settings, at: Clock) -> dict[str, str]:
    """Two territories, and the API key of everybody in them."""
    async with app.open_house(settings, now=at) as empty:
        for territory in (HERE, ELSEWHERE):
            await installation.init(empty, settings.territories / territory)
    keys: dict[str, str] = {}
    async with app.open_house(settings, now=at) as house:
        for territory, mark in ((HERE, ""), (ELSEWHERE, f"@{ELSEWHERE}")):
            for role in PEOPLE:
                keys[role + mark] = await people.add_key(house, territory, f"{role} {mark}", role)
            for name in ("requester", "requester2"):
                keys[name + mark] = await people.add_key(
                    house, territory, f"Structure {name} {mark}", Role.REQUESTER, kind="pass"
                )
    return keys


def _territories(folder: Path) -> Path:
    """Vénissieux with PROTOCOL.md's delays, and a copy of it under another name."""
    made = protocols_delays.territories(folder)
    shutil.copytree(made / HERE, made / ELSEWHERE)
    path = made / ELSEWHERE / "territory.toml"
    path.write_text(path.read_text("utf-8").replace('id = "venissieux"', 'id = "ailleurs"'), "utf-8")
    return made
