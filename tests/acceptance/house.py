"""A house to play whole searches in: the world of the API, with shorter words for what people do."""

import asyncio
import email
import email.policy
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import inspect, text

from matcher.service import people
from matcher.service.actors import Role
from tests.acceptance.api_world import API, HERE, World, request

#: The person who leads the searches, by the name of her key.
OFFICE = "coordinatrice"
#: Hours that pass at once in ``advance``.
STRIDE = 3.0
PARIS = ZoneInfo("Europe/Paris")

Doctor = Mapping[str, Any]


@dataclass
class House(World):
    """The installation as the tests of whole searches use it. Nothing sleeps: ``advance`` moves the clock."""

    async def see(self, search: str, who: str = OFFICE) -> Any:
        """The search as this person sees it."""
        return await self.get(who, f"/searches/{search}")

    async def do(
        self, search: str, what: str, expect: int = 200, /, *, who: str = OFFICE, **body: Any
    ) -> Any:
        """One act on a search; the answer, a problem where ``expect`` is one."""
        return await self.post(who, f"/searches/{search}/{what}", body, expect)

    async def state(self, search: str) -> str:
        """The state of a search."""
        return str((await self.see(search))["state"])

    async def advance(self, **delay: float) -> None:
        """Let time pass; what is due meanwhile is done about its hour, and every mail is sent."""
        await self.work()
        hours = sum(delay.pop(name, 0) * length for name, length in (("days", 24), ("hours", 1)))
        while hours > STRIDE:
            hours -= STRIDE
            await self.later(hours=STRIDE)
        await self.later(hours=hours, **delay)

    def at(self, text_: str) -> None:
        """Set the clock to a time of Paris, ``2026-11-24 18:30``."""
        self.clock.at = datetime.fromisoformat(text_).replace(tzinfo=PARIS).astimezone(UTC)

    async def ready(self, **changes: Any) -> str:
        """A validated request, not launched; its id."""
        search = await self.submitted(**changes)
        await self.do(search, "validate")
        return search

    async def yes(self, doctor: Doctor, **more: Any) -> Any:
        """A doctor's yes over his link, once it has taken effect."""
        return await self.says(doctor, "yes", **more)

    async def proposing(self, number: int = 1, **changes: Any) -> tuple[str, list[dict[str, Any]]]:
        """A search with so many proposals by link, and the doctors who made them, first first."""
        search = await self.launched(**changes)
        doctors = (await self.mailed(search))[:number]
        for doctor in doctors:
            await self.yes(doctor)
        assert await self.state(search) == "proposing"
        return search, doctors

    async def released(self, number: int = 1, **changes: Any) -> tuple[str, list[dict[str, Any]]]:
        """A search whose first yes was chosen, with the others in reserve."""
        search, doctors = await self.proposing(number, **changes)
        await self.do(search, "choose", doctor_id=doctors[0]["id"])
        await self.work()
        return search, doctors

    async def open_record(self, search: str, doctor: Doctor, expect: int = 200) -> Any:
        """The chosen doctor opens the record with the code that the office reads out."""
        code = (await self.see(search))["release"]["code"]
        sent = {"token": self.token(doctor["email"], "dossier"), "code": code}
        return await self.post(None, "/links/record", sent, expect)

    async def attached(self, number: int = 1, **changes: Any) -> tuple[str, list[dict[str, Any]]]:
        """A search that found its doctor, and the doctors who said yes."""
        search, doctors = await self.released(number, **changes)
        today = self.clock.at.astimezone(PARIS).date().isoformat()
        await self.do(search, "confirm", declaration="done", honoured_on=today)
        await self.work()
        return search, doctors

    async def answer(self, token: str, answer: str, **more: Any) -> tuple[int, Any]:
        """The answer of the API to a token's POST, whatever it is."""
        reply = await self.call(None, "POST", "/links/answer", {"token": token, "answer": answer, **more})
        return reply.status, reply.json

    async def together(self, calls: Iterable[tuple[str | None, str, object]]) -> list[int]:
        """POSTs sent at once; their statuses."""
        replies = await asyncio.gather(*(self.call(who, "POST", path, body) for who, path, body in calls))
        return [reply.status for reply in replies]

    def mails(self) -> list[EmailMessage]:
        """Every mail that the relay took, as it came."""
        return [
            email.message_from_bytes(raw.split(b"\n", 2)[2], policy=email.policy.default)
            for raw in self.catcher.raw()
        ]

    def subjects(self, address: str) -> list[str]:
        """The subjects of the mails for one address, oldest first."""
        return [mail.subject for mail in self.catcher.to(address)]

    def letters(self, address: str, words: str) -> int:
        """How many mails for one address hold these words in their text."""
        return sum(words in " ".join(mail.text.split()) for mail in self.catcher.to(address))

    async def journal(self, search: str) -> list[dict[str, Any]]:
        """The journal's entries of one search, oldest first."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = await self.get("directrice", f"/journal{after}")
            found += [entry for entry in page["items"] if entry.get("search") == search]
            if "next" not in page:
                return found[::-1]
            after = f"?after={page['next']}"

    async def tasks(self, search: str) -> set[str]:
        """What a search wants of the office."""
        return {task["kind"] for task in (await self.see(search))["tasks"]}

    async def login(self, role: Role) -> None:
        """From now on the pages are asked for by a person of that role."""
        email, password = f"{role}-page@cpts.example", "une phrase assez longue"
        structure = None
        if role is Role.REQUESTER:
            structure = "Structure requester "
        await people.add_user(self.house, HERE, email, role, name="Essai", structure=structure)
        await people.set_password(self.house, HERE, email, password)
        self.client.session.cookie_jar.clear()
        form = {"email": email, "password": password}
        reply = await self.client.post("/connexion", data=form, allow_redirects=False)
        assert reply.status == 303

    async def run_sql(self, statement: str, **values: object) -> Sequence[Any]:
        """Somebody at the database itself: rows of a query, nothing for a change."""
        async with self.house.engine.begin() as connection:
            result = await connection.execute(text(statement), values)
            return result.all() if result.returns_rows else []

    async def tables(self) -> dict[str, tuple[int, str]]:
        """How many rows each table has, and a hash of them: two equal answers, nothing has changed."""
        async with self.house.engine.connect() as connection:
            names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            found = {}
            for name in sorted(names):
                # How often somebody asks is counted; it is no trace of what was asked.
                but = "WHERE kind NOT IN ('pace', 'volume')" if name == "failures" else ""
                found_rows = await connection.execute(text(f'SELECT * FROM "{name}" {but}'))
                rows = sorted(repr(row) for row in found_rows)
                found[name] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
        return found

    async def name_delegates(self) -> None:
        """Every doctor with a mailbox has named a secretary: whichever are asked, one of them has."""
        await self.run_sql(
            "UPDATE doctors SET delegate_email = 'secretariat-' || email"
            " WHERE email IS NOT NULL AND delegate_email IS NULL"
        )

    async def new_requester(self, name: str, email: str | None = None) -> str:
        """One more structure with a key of its own; the name to call with. ``email``: its mailbox."""
        self.keys[name] = await people.add_key(self.house, HERE, name, Role.REQUESTER, kind="ccas")
        if email is not None:
            await self.run_sql(
                "UPDATE structures SET email = :email WHERE name = :name", email=email, name=name
            )
        return name


def database_files(house: House) -> list[Path]:
    """The files of a SQLite database: itself, and its journal or WAL where there is one."""
    path = Path(house.house.settings.database_url.removeprefix("sqlite:///"))
    return [found for found in path.parent.glob(f"{path.name}*") if found.is_file()]


__all__ = ["API", "HERE", "OFFICE", "Doctor", "House", "database_files", "request"]
