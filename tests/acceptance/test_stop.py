"""A process that is asked to end is gone within ten seconds, whatever hangs, and loses nothing by it."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select

from config.settings import load_settings
from matcher import app
from matcher.service import installation, people
from matcher.service.actors import Role
from matcher.service.house import House
from messaging.outbox import OutboxRow
from tests import protocols_delays
from tests.acceptance.house import HERE, request
from tests.acceptance.test_crash import ROOT, SlowRelay, ask, port_of, until

#: From SIGTERM to the end of the process, and a little for a machine with other things to do.
WITHIN = 10 + 5


class HangingRelay(SlowRelay):
    """Takes a few mails, then says no more until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    async def handle_DATA(self, *asked: Any) -> str:
        """Take one mail; from the fourth on, without a word."""
        if len(self.messages()) >= 3:
            await self.go_on.wait()
        return await super().handle_DATA(*asked)


@asynccontextmanager
async def running(
    command: str, environment: dict[str, str], log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """``trait-union serve`` or ``worker``, its standard error in a file; killed should it still be there."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "matcher", command, *(["--port", "0"] if command == "serve" else [])),
            env=environment,
            cwd=ROOT,
            stderr=errors,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def gone(process: asyncio.subprocess.Process) -> float:
    """Ask the process to end; the seconds that it took."""
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.wait(), 60)
    return time.monotonic() - begun


@asynccontextmanager
async def stalled(port: int, key: str) -> AsyncIterator[None]:
    """A client that sends the beginning of a request, and no more."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /api/v1/searches HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\nAuthorization: Bearer {key}"
    writer.write(f"{head}\r\n\r\n{{".encode())
    await writer.drain()
    try:
        yield
    finally:
        writer.close()


@asynccontextmanager
async def streaming(house: House, address: str) -> AsyncIterator[None]:
    """A page of the office that is open, and listens."""
    email, password = "page@cpts.example", "une phrase assez longue"
    await people.add_user(house, HERE, email, Role.COORDINATRICE, name="Essai")
    await people.set_password(house, HERE, email, password)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as page:
        async with page.post(f"{address}/connexion", data={"email": email, "password": password}) as reply:
            assert reply.status == 200
        async with page.get(f"{address}/direct") as stream:
            assert stream.content_type == "text/event-stream"
            await stream.content.readline()
            yield


@pytest.mark.slow
@pytest.mark.postgres
async def test_serve_ends_in_mid_wave_while_a_slow_client_a_stream_and_the_relay_hang(
    postgresql_url: str, tmp_path: Path
) -> None:
    relay = HangingRelay()
    async with relay.listening() as smtp:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "TRAIT_UNION_DATABASE_URL": postgresql_url,
            "TRAIT_UNION_SMTP_URL": f"smtp://127.0.0.1:{smtp}",
            "TRAIT_UNION_KEYS_DIR": str(tmp_path / "keys"),
            "TRAIT_UNION_TERRITORIES": str(protocols_delays.territories(tmp_path)),
        }
        settings = load_settings(environment)
        async with app.open_house(settings) as empty:
            await installation.init(empty, settings.territories / HERE)
        async with app.open_house(settings) as house:
            key = await people.add_key(house, HERE, "bureau", Role.COORDINATRICE)
            log = tmp_path / "serve.log"
            async with running("serve", environment, log) as serve:
                await until(lambda: port_of(log) is not None)
                port = port_of(log)
                searches = f"http://127.0.0.1:{port}/api/v1/searches"
                consent = request()["consent"] | {"at": "2024-01-08T08:00:00Z"}
                made = await ask(searches, key, request(wishes=[], consent=consent))
                search = made["id"]
                await ask(f"{searches}/{search}/validate", key, {})
                wave = (await ask(f"{searches}/{search}/launch", key, {}))["solicitations"]
                await until(lambda: len(relay.messages()) >= 3)
                async with stalled(port, key), streaming(house, f"http://127.0.0.1:{port}"):
                    assert await gone(serve) <= WITHIN
                assert serve.returncode == 0
            async with house.sessions.begin() as session:
                left = (await session.execute(select(OutboxRow.state, OutboxRow.letter))).all()
            # What hung may have left; the rest was given back, and nobody has to wait for a lease.
            assert {state for state, _ in left} <= {"accepted", "ambiguous", "queued"}
            relay.go_on.set()
            async with running("worker", environment, tmp_path / "worker.log") as worker:
                await until(lambda: len(relay.announcements()) >= len(wave), within=120)
                assert await gone(worker) <= WITHIN
                assert worker.returncode == 0
    assert all(len(ids) == 1 for ids in relay.announcements().values())


@pytest.mark.slow
@pytest.mark.postgres
async def test_a_process_whose_database_hangs_is_gone_all_the_same(
    postgresql_url: str, tmp_path: Path
) -> None:
    """Whoever holds the rows does not let go: the mails of the worker's claims cannot be settled."""
    relay = SlowRelay()
    async with relay.listening() as smtp:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "TRAIT_UNION_DATABASE_URL": postgresql_url,
            "TRAIT_UNION_SMTP_URL": f"smtp://127.0.0.1:{smtp}",
            "TRAIT_UNION_KEYS_DIR": str(tmp_path / "keys"),
            "TRAIT_UNION_TERRITORIES": str(protocols_delays.territories(tmp_path)),
        }
        settings = load_settings(environment)
        async with app.open_house(settings) as empty:
            await installation.init(empty, settings.territories / HERE)
        async with app.open_house(settings) as house, house.engine.connect() as holder:
            log = tmp_path / "worker.log"
            async with running("worker", environment, log) as worker:
                await until(lambda: '"working"' in log.read_text())
                await holder.exec_driver_sql("LOCK TABLE outbox, timers IN ACCESS EXCLUSIVE MODE")
                await asyncio.sleep(1)
                assert await gone(worker) <= WITHIN
                assert "ended_in_haste" in log.read_text()
