"""What is left of a search in a database, what a thief reads there, and a house begun again from a copy."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import inspect, text

from config.database import make_engine
from matcher import app
from matcher.demo import witness
from matcher.demo.patient import Canary
from matcher.demo.witness import Leak
from matcher.storage import copies
from messaging.smtp import Pool
from tests.acceptance.api_world import METRICS
from tests.acceptance.house import House, database_files

#: Every table in which a search leaves rows of its own, and the column that names it.
OF_A_SEARCH = (
    "sealed", "lookup", "solicitations", "call_attempts", "positions", "timers", "tasks", "links",
    "gathered", "releases", "received",
)  # fmt: skip


async def rows_of(house: House, search: str) -> dict[str, int]:
    """Where a search still has rows, its own included; the outbox too, whose ids name it."""
    found = {
        "searches": (await house.run_sql("SELECT count(*) FROM searches WHERE id = :id", id=search))[0][0]
    }
    for name in OF_A_SEARCH:
        counted = await house.run_sql(f"SELECT count(*) FROM {name} WHERE search_id = :id", id=search)
        found[name] = counted[0][0]
    mails = await house.run_sql("SELECT CAST(ids AS TEXT) FROM outbox")
    found["outbox"] = sum(search in ids for (ids,) in mails)
    return {name: count for name, count in found.items() if count}


async def in_database(house: House, canaries: tuple[Canary, ...]) -> list[Leak]:
    """Leaks in every column of every table, and in the bytes of the files where the database has any."""
    found: list[Leak] = []
    async with house.house.engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        for name in names:
            rows = await connection.execute(text(f'SELECT * FROM "{name}"'))
            content = "\n".join(json.dumps([_text(v) for v in row], ensure_ascii=False) for row in rows)
            found += witness.search(canaries, name, content.encode())
    if house.house.settings.embedded:
        for path in database_files(house):
            found += witness.search(canaries, path.name, path.read_bytes())
    return found


def _text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


async def abroad(house: House, logs: io.StringIO, canaries: tuple[Canary, ...]) -> list[Leak]:
    """Leaks in what the relay saw, in the logs and in the metrics."""
    found = witness.search(canaries, "logs", logs.getvalue().encode())
    for raw in house.catcher.raw():
        found += witness.search(canaries, "mails", witness.readable(raw))
    for path in ("//metrics", "//readyz", "//healthz"):
        reply = await house.call(METRICS, "GET", path)
        assert reply.status == 200
        found += witness.search(canaries, path, reply.content)
    return found


@asynccontextmanager
async def begun_again(old: House, url: str, **elsewhere: Path) -> AsyncIterator[House]:
    """The installation on the restored database: the same hour, the same people, the same keys but for those
    settings that are ``elsewhere``.
    """
    settings = replace(old.house.settings, database_url=url, **elsewhere)  # type: ignore[arg-type]
    async with app.open_house(settings, now=old.clock, mailbox=old.catcher) as opened:
        pool = Pool(settings.relay)
        client = TestClient(TestServer(app.make_web_app(opened)))
        async with client:
            yield House(opened, client, old.catcher, app.dispatcher_of(opened, pool), old.clock, old.keys)
        await pool.close()


async def restored(url: str, copy: Path, house: House) -> None:
    engine = make_engine(url)
    try:
        await copies.load(engine, copy, house.clock.at)
    finally:
        await engine.dispose()
