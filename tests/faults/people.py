"""Requesters, the office and doctors, at random, over HTTP; each writes down what it was told."""

import asyncio
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import aiohttp

from tests.acceptance.api_world import request
from tests.faults.clock import EPOCH, FastClock
from tests.faults.history import History, Opened, Said
from tests.faults.relay import Received, Relay

#: Seconds until somebody who gets no answer asks again, and until they give up.
_PATIENCE, _GIVES_UP = 15, 90
#: Out of a hundred doctors who got an announcement; the others say nothing.
_SAYS = (("yes", 12), ("no", 22), ("pause", 1))
_TOKEN = re.compile(r"/(r|dossier)#([A-Za-z0-9_-]+)")
#: A word of every record that no mail and no log may hold.
CANARY = "Mirabelle-Quetsche"


@dataclass
class People:
    """Everybody outside of the processes."""

    servers: Sequence[str]
    keys: Mapping[str, str]
    relay: Relay
    history: History
    clock: FastClock
    chance: random.Random
    http: aiohttp.ClientSession
    #: Searches that reached their end, or that nobody goes on with.
    settled: set[str] = field(default_factory=set)
    #: Searches that somebody began to lead.
    begun: int = 0
    #: How often a server said that it could not (5xx), and was asked again.
    refused: int = 0
    _read: int = 0
    _dossiers: list[tuple[Received, str]] = field(default_factory=list)
    #: The doctors' addresses, by their ids.
    _boxes: dict[str, str] = field(default_factory=dict)
    _wrong: set[tuple[str, str]] = field(default_factory=set)

    async def ask(
        self, method: str, path: str, body: object = None, *, who: str | None = None, key: str | None = None
    ) -> tuple[int, Any] | None:
        """One request, tried on either server until one answers; None where nobody did.

        A refusal (4xx) is an answer. A server that was killed, hangs or fails (5xx) is asked again.
        """
        headers = {} if who is None else {"Authorization": f"Bearer {self.keys[who]}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        loop = asyncio.get_running_loop()
        until = loop.time() + _GIVES_UP
        while loop.time() < until:
            address = self.chance.choice(self.servers) + "/api/v1" + path
            try:
                async with self.http.request(
                    method,
                    address,
                    json=body,
                    headers=headers,
                    timeout=aiohttp.ClientTimeout(total=_PATIENCE),
                ) as reply:
                    said = await reply.json(content_type=None)
                    if reply.status < 500:
                        return reply.status, said
                    self.refused += 1
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                pass
            await asyncio.sleep(self.chance.uniform(0.05, 0.3))
        return None

    async def submit(self, number: int) -> str:
        """A requester hands a request in, again until she has read that it is there; its id."""
        changes: dict[str, Any] = {}
        if number % 5 == 0:
            changes["wishes"] = [{"kind": "doctor_sex", "value": "F", "hard": True}]
        else:
            changes["wishes"] = []
        body = request(**changes)
        body["record"] |= {"birth_name": f"{CANARY}{number}", "nir": None, "attachments": None}
        body["record"] = {name: value for name, value in body["record"].items() if value is not None}
        body["consent"]["at"] = (EPOCH - timedelta(hours=1)).isoformat()
        key, told = uuid4().hex, None
        while told is None:
            told = await self.ask("POST", "/searches", body, who="requester", key=key)
        if told[0] != 201:
            raise RuntimeError(f"a request was refused: {told}")
        search = str(told[1]["id"])
        self.history.submitted.append(search)
        return search

    async def lead(self, number: int) -> None:
        """One search from its request to its end, as the office leads it."""
        self.begun += 1
        search = await self.submit(number)
        for what in ("validate", "launch"):
            await self.ask("POST", f"/searches/{search}/{what}", {}, who="office")
        elsewhere = await self.ask("GET", f"/searches/{search}", who="elsewhere")
        if elsewhere is not None:
            self.history.from_elsewhere.append(elsewhere[0])
        if self.chance.random() < 0.05:
            told = await self.ask("POST", f"/searches/{search}/withdraw", {"reason": "consent"}, who="office")
            if told is not None and told[0] == 200:
                self.history.taken_back.append(search)
                self.settled.add(search)
                return
        while not await self._followed(search):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(self.chance.uniform(2, 4))
        self.settled.add(search)

    async def _followed(self, search: str) -> bool:
        """One look of the office at a search; whether there is nothing more to do for it."""
        seen = await self.ask("GET", f"/searches/{search}", who="office")
        if seen is None or seen[0] != 200:
            return False
        state, view = seen[1]["state"], seen[1]
        if state == "proposing" and view.get("proposals"):
            doctor = self.chance.choice(view["proposals"])["doctor"]["id"]
            told = await self.ask("POST", f"/searches/{search}/choose", {"doctor_id": doctor}, who="office")
            if told is not None and told[0] == 200:
                self.history.chosen.append((search, doctor))
        elif state == "released":
            if view["release"]["state"] == "opened":
                return True
            if view["release"]["state"] == "locked":
                # Too many codes of other records on this link.
                await self.ask("POST", f"/searches/{search}/release/renew", {}, who="office")
            elif code := view["release"].get("code"):
                await self._open_record(search, code, view["chosen"]["id"])
        return state in ("calling", "withdrawn", "attached", "unmet")

    async def _open_record(self, search: str, code: str, doctor: str) -> None:
        """The chosen doctor tries the code on the links that his mails hold and that no search has used, the
        last first.
        """
        for mail, token in self._dossiers[::-1]:
            if (search, token) in self._wrong or mail.recipient != self._boxes.get(doctor):
                continue
            told = await self.ask("POST", "/links/record", {"token": token, "code": code})
            status = None if told is None else told[0]
            if status in (200, None):
                self.history.opened.append(Opened(at=self.clock(), message_id=mail.message_id, status=status))
            if status == 200:
                self._dossiers.remove((mail, token))
                return
            self._wrong.add((search, token))

    async def keep_directory(self) -> None:
        """The office rings doctors up whose address is said to be wrong, and notes that it is right: the
        relay only was in a mood. Until cancelled.
        """
        while True:
            told = await self.ask("GET", "/doctors", who="office")
            for doctor in [] if told is None or told[0] != 200 else told[1]["items"]:
                self._boxes[doctor["id"]] = doctor.get("email", "")
                if doctor.get("email") and not doctor["has_mailbox"]:
                    body = {"email_checked": True}
                    await self.ask("PATCH", f"/doctors/{doctor['id']}", body, who="office")
            await asyncio.sleep(5)

    async def read_mail(self) -> None:
        """Every doctor reads what arrives, until cancelled; some answer, and scanners open every link."""
        async with asyncio.TaskGroup() as group:
            while True:
                arrived, self._read = self.relay.received[self._read :], len(self.relay.received)
                for mail in arrived:
                    group.create_task(self._doctor(mail))
                await asyncio.sleep(0.1)

    async def _doctor(self, mail: Received) -> None:
        found = _TOKEN.search(mail.text())
        if found is None:
            return
        if found[1] == "dossier":
            self._dossiers.append((mail, found[2]))
            return
        luck = self.chance.uniform(0, 100)
        for answer, share in _SAYS:
            luck -= share
            if luck < 0:
                await asyncio.sleep(self.chance.uniform(0, 15))
                await self._answer(mail, found[2], answer)
                return
        if luck < 10:
            # A mail scanner: it opens what it finds, and nothing comes of it.
            await self.ask("GET", "/links/open")
            await self.ask("POST", "/links/open", {"token": found[2]})

    async def _answer(self, mail: Received, token: str, answer: str) -> None:
        opened = await self.ask("POST", "/links/open", {"token": token})
        if opened is None or opened[0] != 200:
            return
        # Long enough to have read it, in protocol time.
        await asyncio.sleep(self.clock.real(timedelta(seconds=10)))
        body: dict[str, object] = {"token": token, "answer": answer}
        if answer == "pause":
            body["until"] = (self.clock() + timedelta(days=1)).date().isoformat()
        said = Said(
            at=self.clock(),
            recipient=mail.recipient,
            message_id=mail.message_id,
            answer=answer,
            status=None,
        )
        # Written down before it is said: whoever is cut off here may have been heard.
        self.history.said.append(said)
        told = await self.ask("POST", "/links/answer", body)
        if told is not None:
            self.history.said.append(replace(said, status=told[0], at=self.clock()))
