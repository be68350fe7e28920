"""A yes by POST, beside pgbench's clients that run the very same SQL: what the service adds to its database.

The statements of each yes are recorded once, with their values, and replayed by ten ``pgbench`` clients on
a fresh copy of the same database; ten clients over HTTP say the same on another copy. Both are durable.
"""

import asyncio
import os
import re
import shutil
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import psycopg
import pytest
from sqlalchemy import event, text

from config.settings import Settings
from matcher import app
from matcher.protocol.search import Says
from matcher.service import doctor_links
from matcher.service.house import House
from matcher.storage import links
from messaging.links import Link
from tests import postgres
from tests.acceptance.api_world import HERE
from tests.bench.figures import quote
from tests.bench.plant import durable_postgresql, fresh, launched, prepare, settings
from tests.faults.clock import EPOCH, FastClock, started
from tests.faults.process import Part

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
CLIENTS, EACH = 10, 6
AIMED_AT = 0.25


async def test_a_yes_beside_the_same_sql_alone(tmp_path):
    clock = started(1.0, tmp_path)
    with durable_postgresql() as folder:
        first = fresh(folder)
        made = settings(postgres.url(folder, first), 9, tmp_path / "keys")
        await prepare(made)
        async with app.open_house(made, now=clock) as house:
            tokens = await _opened(house)
        await asyncio.sleep(2.5)
        recorded = fresh(folder, first)
        scripts = await _recorded(_on(made, folder, recorded, tmp_path), clock, tokens, folder, tmp_path)
        ratios = []
        for number in range(ROUNDS):
            limit = await asyncio.to_thread(_replayed, folder, fresh(folder, first), scripts)
            target = fresh(folder, first)
            ours = await _posted(folder, target, tmp_path, clock, tokens, f"serve{number}")
            ratios.append(ours / limit)
            print(f"\n  {ours:,.0f} yes/s over HTTP, {limit:,.0f} by pgbench", end="")
    quote(
        "a yes by POST on PostgreSQL",
        f"{median(ratios):.2f} of pgbench with the same SQL and {CLIENTS} clients",
        f"{AIMED_AT} at least",
    )
    assert median(ratios) > 0


def _on(made: Settings, folder: Path, database: str, tmp_path: Path) -> Settings:
    return settings(postgres.url(folder, database), made.relay.port, tmp_path / "keys")


async def _opened(house: House) -> list[str]:
    """As many tokens as there are yes to say, each of another search, read a while ago."""
    tokens = []
    for search in await launched(house, CLIENTS * EACH):
        async with house.sessions.begin() as session:
            asked = await session.execute(
                text("SELECT doctor_id FROM solicitations WHERE search_id = :search ORDER BY 1 LIMIT 1"),
                {"search": search},
            )
            doctor = asked.scalar_one()
            found = await links.of_searches(session, HERE, [search], [doctor])
        row = found[search, 1, doctor, "answer"]
        tokens.append(
            house.links.token(Link(territory=HERE, purpose=row.purpose, id=row.id, nonce=row.nonce))
        )
    for token in tokens:
        await doctor_links.open_link(house, token)
    async with house.sessions.begin() as session:
        # Nothing else has to be done while the yes are measured.
        await session.execute(text("UPDATE outbox SET state = 'dropped', next_attempt_at = NULL"))
    return tokens


async def _recorded(
    made: Settings, clock: FastClock, tokens: list[str], folder: Path, tmp_path: Path
) -> list[Path]:
    """One script for each client, with the SQL of its yes."""
    said: list[list[tuple[str, Any]]] = []
    async with app.open_house(made, now=clock) as house:

        @event.listens_for(house.engine.sync_engine, "before_cursor_execute")
        def record(_connection, _cursor, statement, parameters, _context, many):
            said[-1] += [(statement, one) for one in (parameters if many else [parameters])]

        for token in tokens:
            said.append([])
            await doctor_links.answer(house, token, Says.YES)
    with psycopg.connect(postgres.url(folder, "postgres")) as connection:
        cursor = psycopg.ClientCursor(connection)
        texts = [
            "BEGIN;\n" + "".join(f"{_moves_on(cursor.mogrify(sql, values))};\n" for sql, values in one)
            for one in said
        ]
    scripts = []
    for client in range(CLIENTS):
        script = tmp_path / f"client{client}.sql"
        # pgbench would take ":name" for a variable of its own, and a line for a statement.
        script.write_text("".join(f"{one}COMMIT;\n" for one in texts[client::CLIENTS]), "utf-8")
        scripts.append(script)
    return scripts


def _moves_on(sql: str) -> str:
    """The journal's head moves on by one, whoever comes first: its guard allows no step back."""
    return re.sub(r"(UPDATE journal_heads SET seq=)[0-9]+", r"\1seq + 1", sql)


def _replayed(folder: Path, database: str, scripts: list[Path]) -> float:
    """Yes a second, by as many pgbench clients as there are scripts."""
    pgbench = shutil.which("pgbench") or str(postgres.programs() / "pgbench")
    begun = time.perf_counter()
    clients = [
        subprocess.Popen(
            [pgbench, "-n", "-c", "1", "-t", "1", "-f", script, "-h", folder, "-U", "tests", database],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for script in scripts
    ]
    for client in clients:
        _, errors = client.communicate()
        assert client.returncode == 0, errors[-600:]
    return CLIENTS * EACH / (time.perf_counter() - begun)


async def _posted(
    folder: Path, database: str, tmp_path: Path, clock: FastClock, tokens: list[str], name: str
) -> float:
    """Yes a second, by as many clients over HTTP, of a serve in a process of its own."""
    environment = {
        "TRAIT_UNION_DATABASE_URL": postgres.url(folder, database),
        "TRAIT_UNION_KEYS_DIR": str(tmp_path / "keys"),
        "TRAIT_UNION_SMTP_URL": "smtp://127.0.0.1:9",
    }
    part = Part(name, 0, environment, tmp_path, clock)
    part.start()
    address = await part.up()
    async with aiohttp.ClientSession() as http:

        async def client(number: int) -> None:
            for token in tokens[number::CLIENTS]:
                body = {"token": token, "answer": "yes"}
                async with http.post(f"{address}/api/v1/links/answer", json=body) as reply:
                    assert reply.status == 200, await reply.text()

        begun = time.perf_counter()
        await asyncio.gather(*(client(number) for number in range(CLIENTS)))
        spent = time.perf_counter() - begun
    await part.end()
    assert clock() - EPOCH > timedelta(seconds=2)
    return CLIENTS * EACH / spent
