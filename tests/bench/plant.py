"""A whole installation for the benchmarks: durable databases, a relay of Postfix's, searches with waves."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from config.settings import Settings, load_settings
from matcher import app
from matcher.protocol import steps
from matcher.protocol.announcement import AgeBand, Announcement
from matcher.protocol.ids import SearchId
from matcher.protocol.search import Consent, Given, Search, State
from matcher.service import installation, turn
from matcher.service.actors import system
from matcher.service.house import House
from matcher.storage import migrate, references, searches
from tests import postgres, protocols_delays
from tests.acceptance.api_world import HERE

#: Nothing is committed before it is on the disk.
_DURABLE = {
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
}
_SINK_SESSIONS = "200"


def need(*programs: str) -> dict[str, str]:
    """Where these programs are; skips nothing: without them the benchmark says what to install."""
    folders = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/lib/postfix/sbin"])
    found = {name: shutil.which(name, path=folders) for name in programs}
    lacking = [name for name, path in found.items() if path is None]
    if lacking:
        pytest.fail(
            f"needs {', '.join(lacking)}; on Debian or Ubuntu: apt-get install postfix", pytrace=False
        )
    return {name: path for name, path in found.items() if path is not None}


@contextmanager
def durable_postgresql() -> Iterator[Path]:
    """The folder of a private PostgreSQL that keeps what it commits."""
    folder = Path(tempfile.mkdtemp(prefix="tu-bench-"))
    try:
        postgres.make(folder, _DURABLE)
        yield folder
    finally:
        postgres.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def fresh(folder: Path, template: str | None = None) -> str:
    """The name of a new database, a copy of ``template`` where one is named."""
    name = f"b_{uuid4().hex[:12]}"
    with psycopg.connect(postgres.url(folder, "postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
    return name


@contextmanager
def smtp_sink() -> Iterator[int]:
    """The port of Postfix's smtp-sink."""
    port = free_port()
    programs = need("smtp-sink")
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    sink = subprocess.Popen([programs["smtp-sink"], *user, f"127.0.0.1:{port}", _SINK_SESSIONS])
    try:
        _await_port(port)
        yield port
    finally:
        sink.send_signal(signal.SIGTERM)
        sink.wait()


def smtp_source(port: int, mails: int, length: int) -> float:
    """Mails a second of ``smtp-source -d -s 10``: the limit."""
    program = need("smtp-source")["smtp-source"]
    begun = time.perf_counter()
    subprocess.run(
        [
            program,
            *("-d", "-s", "10", "-m", str(mails), "-l", str(length)),
            *("-f", "a@cpts.example", "-t", "b@cabinet.example", f"127.0.0.1:{port}"),
        ],
        check=True,
    )
    return mails / (time.perf_counter() - begun)


def environment(database_url: str, port: int, keys: Path, **more: str) -> dict[str, str]:
    """Of every process of the installation under measurement."""
    return {
        "TRAIT_UNION_DATABASE_URL": database_url,
        "TRAIT_UNION_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "TRAIT_UNION_SMTP_CONNECTIONS": "10",
        "TRAIT_UNION_SMTP_PACE": "0",
        "TRAIT_UNION_KEYS_DIR": str(keys),
        "TRAIT_UNION_TERRITORIES": str(_territories(keys.parent)),
        "TRAIT_UNION_PUBLIC_URL": "https://trait-union.example",
    } | {f"TRAIT_UNION_{name}": value for name, value in more.items()}


def settings(database_url: str, port: int, keys: Path, **more: str) -> Settings:
    """Of the installation under measurement."""
    return load_settings(environment(database_url, port, keys, **more))


def _territories(folder: Path) -> Path:
    """The territory with waves of twenty, whatever a doctor was asked already, and nothing kept for a digest:
    every search is that many mails.
    """
    made = folder / "territories"
    if not made.exists():
        protocols_delays.territories(folder)
        file = made / HERE / "territory.toml"
        limits = re.compile(r"^(more_than|asked_per_week) = \d+", re.MULTILINE)
        text, found = limits.subn(r"\1 = 1000000", file.read_text("utf-8"))
        assert found == 2
        file.write_text(text, "utf-8")
    return made


async def prepare(made: Settings) -> None:
    """Schema, keys, territory and doctors."""
    async with app.open_house(made) as empty:
        await migrate.upgrade(empty.engine)
        await installation.init(empty, made.territories / HERE)


async def launched(house: House, number: int) -> list[str]:
    """So many launched searches, their waves in the outbox; their ids."""
    place = house.territory(HERE).places.find("Parilly")
    assert place is not None
    announcement = Announcement(age=AgeBand(from_=65, to=69), place=place, residents=1900, candidates=200)
    made = []
    for _ in range(number):
        now = house.now()
        search = Search(
            id=SearchId(uuid4().hex),
            territory=HERE,
            state=State.READY,
            since=now,
            created_at=now,
            touched_at=now,
            seniority=now,
            confirmed_at=now,
            consent=Consent(given=Given.YES, at=now),
            announcement=announcement,
        )
        async with house.sessions.begin() as session:
            reference = await references.next_one(session, HERE, now.year)
            await searches.insert(session, search, reference=reference, structure=None)
            step = await turn.stepped(session, house, search, steps.launch)
            await turn.carry_out(session, house, system(HERE), search, step, "launch")
        made.append(search.id)
    return made


async def watch(stalls: list[float]) -> None:
    """Processor time between two turns of the loop: what others do to the machine does not count."""
    while True:
        begun = time.thread_time()
        await asyncio.sleep(0)
        stalls.append(time.thread_time() - begun)
        await asyncio.sleep(0.001)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _await_port(port: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("smtp-sink does not listen")
