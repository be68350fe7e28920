"""A service killed in the middle of a wave, again and again, loses no mail and sends none twice."""

import asyncio
import json
import os
import signal
import sys
import urllib.request
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from config.settings import load_settings
from matcher import app
from matcher.demo.catcher import Catcher
from matcher.service import installation, people
from matcher.service.actors import Role
from tests import protocols_delays
from tests.acceptance.house import HERE, request

ROOT = Path(__file__).resolve().parents[2]
#: Seconds that the relay takes over one mail: the whole wave takes longer than a service lives.
SLOWLY = 0.15
METRICS = "cle-de-l-exploitant"


class SlowRelay(Catcher):
    """Keeps a mail, waits, and only then says so: a kill finds some taken and not acknowledged."""

    async def handle_DATA(self, *asked: Any) -> str:
        """Keep one mail, slowly."""
        said = await super().handle_DATA(*asked)
        await asyncio.sleep(SLOWLY)
        return said

    def announcements(self) -> dict[str, set[str]]:
        """Whom an announcement reached, under which Message-IDs."""
        found: dict[str, set[str]] = defaultdict(set)
        for mail, raw in zip(self.messages(), self.raw(), strict=True):
            head = raw.partition(b"\r\n\r\n")[0]
            ids = [line for line in head.split(b"\r\n") if line.lower().startswith(b"message-id:")]
            found[mail.to].add(ids[0].decode())
        return found


@asynccontextmanager
async def serving(environment: dict[str, str], log: Path, *more: str) -> AsyncIterator[str]:
    """A real service in a process of its own, with ``more`` arguments, and its address; killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", _SERVE, str(log), *more),
        env=environment,
        cwd=ROOT,
    )
    try:
        await until(lambda: process.returncode is not None or port_of(log) is not None)
        yield f"http://127.0.0.1:{port_of(log)}"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


#: ``python -m matcher serve`` with its standard error in a file.
_SERVE = """
import os, runpy, sys
log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.dup2(log, 2)
sys.argv = ["matcher", "serve", "--port", "0", *sys.argv[2:]]
runpy.run_module("matcher", run_name="__main__")
"""


def port_of(log: Path) -> int | None:
    """The port that a service says it listens on."""
    lines = log.read_text().splitlines() if log.exists() else []
    said = [json.loads(line) for line in lines if '"serving"' in line and line.endswith("}")]
    return int(said[0]["port"]) if said else None


async def until(condition: Callable[[], bool], within: float = 120) -> None:
    """Wait for what happens in another process."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - nothing here can be told by the other process
            await asyncio.sleep(0.01)


async def ask(address: str, key: str, body: object = None) -> Any:
    """One request, a POST where it has a body; the JSON that came back."""
    return json.loads(await fetched(address, key, body))


async def fetched(address: str, key: str, body: object = None) -> bytes:
    """One request, a POST where it has a body; what came back."""

    def send() -> bytes:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(
            urllib.request.Request(address, data=sent, headers=headers), timeout=30
        ) as reply:
            content: bytes = reply.read()
            return content

    return await asyncio.to_thread(send)


async def waiting(address: str) -> int:
    """How many mails are still to be sent, as the metrics say."""
    lines = (await fetched(f"{address}/metrics", METRICS)).decode().splitlines()
    return int(
        float(next(line for line in lines if line.startswith("trait_union_outbox_waiting ")).split()[1])
    )


@pytest.mark.slow
async def test_a_wave_survives_three_kills_with_one_mail_for_each_of_its_doctors(
    database_url: str, tmp_path: Path
) -> None:
    relay = SlowRelay()
    async with relay.listening() as smtp:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "TRAIT_UNION_DATABASE_URL": database_url,
            "TRAIT_UNION_SMTP_URL": f"smtp://127.0.0.1:{smtp}",
            "TRAIT_UNION_SMTP_CONNECTIONS": "2",
            "TRAIT_UNION_KEYS_DIR": str(tmp_path / "keys"),
            "TRAIT_UNION_TERRITORIES": str(protocols_delays.territories(tmp_path)),
            "TRAIT_UNION_LEASE": "PT5S",
            "TRAIT_UNION_METRICS_TOKEN": METRICS,
        }
        settings = load_settings(environment)
        async with app.open_house(settings) as empty:
            await installation.init(empty, settings.territories / HERE)
        async with app.open_house(settings) as house:
            key = await people.add_key(house, HERE, "bureau", Role.COORDINATRICE)

        consent = request()["consent"] | {"at": "2024-01-08T08:00:00Z"}
        async with serving(environment, tmp_path / "first.log") as address:
            searches = f"{address}/api/v1/searches"
            made = await ask(searches, key, request(wishes=[], consent=consent))
            await ask(f"{searches}/{made['id']}/validate", key, {})
            launched = await ask(f"{searches}/{made['id']}/launch", key, {})
            wave = [s["doctor"]["id"] for s in launched["solicitations"]]
            await until(lambda: len(relay.messages()) >= 2)
        for reached in (6, 11):
            async with serving(environment, tmp_path / f"{reached}.log"):
                await until(lambda reached=reached: len(relay.announcements()) >= reached)  # type: ignore[misc]
        async with serving(environment, tmp_path / "last.log") as address:
            assert await waiting(address) > 0
            async with asyncio.timeout(40):
                while await waiting(address):  # noqa: ASYNC110 - see until
                    await asyncio.sleep(0.2)
            seen = await ask(f"{address}/api/v1/searches/{made['id']}", key)
            listed = (await ask(f"{address}/api/v1/doctors", key))["items"]
    assert {s["state"] for s in seen["solicitations"]} == {"asked"}
    received = relay.announcements()
    boxes = {doctor["id"]: doctor["email"] for doctor in listed if doctor["id"] in wave}
    assert len(wave) > 11
    assert set(boxes.values()) <= set(received)
    assert all(len(ids) == 1 for ids in received.values())
