"""Claiming mails and steps from a full table beside a nearly empty one, interleaved in one run."""

import os
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from sqlalchemy import Update, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import Base
from matcher import app
from matcher.service.house import House
from matcher.storage import timers
from messaging import claims, outbox
from messaging.outbox import OutboxRow
from tests import postgres
from tests.acceptance.api_world import HERE
from tests.bench.figures import NAMES, quote
from tests.bench.plant import durable_postgresql, free_port, fresh, launched, prepare, settings

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

FEW, MANY = 10_000, int(os.environ.get("BENCH_ROWS", "1000000"))
ROUNDS = 15
#: Claims of 32 rows in one round, of 640 that are due.
EACH, BATCH = 20, 32
#: Searches that the steps are of.
SEARCHES = 100
_NUMBERS = {
    "postgresql": "generate_series(1, {}) AS n(i)",
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
    " SELECT i FROM n)",
}
_MAILS = (
    "INSERT INTO outbox (territory_id, id, letter, ids, message_id, state, attempts, fence, may_have_left,"
    " enqueued_at, settled_at, outcome, detail) SELECT '{here}', 'settled' || i, 'announcement', '{{}}',"
    " 'settled' || i, 'accepted', 1, 1, false, '2026-01-01 08:00:00.000000', '2026-01-01 08:00:00.000000',"
    " 'accepted', '250' FROM {numbers}"
)
_STEPS = (
    "INSERT INTO timers (territory_id, search_id, kind, doctor_id, due_at, fence) SELECT '{here}', id,"
    " 'settle', '{name}' || i, '{at}', 0 FROM searches, {numbers}"
)
_TIMERS = Base.metadata.tables["timers"]


async def _mails(house: House, rows: int) -> None:
    await _filled(house, "outbox", _MAILS, rows)
    async with house.sessions.begin() as session:
        for number in range(BATCH * EACH):
            await outbox.enqueue(
                session,
                territory=HERE,
                letter="announcement",
                ids={"search": str(number), "doctor": "d", "run": "1"},
                message_id=f"<{number}@bench.example>",
                now=house.now(),
            )


async def _steps(house: House, rows: int) -> None:
    await launched(house, SEARCHES)
    async with house.sessions.begin() as session:
        await session.execute(text("DELETE FROM timers"))
    due = 1 + BATCH * EACH // SEARCHES
    await _filled(house, "timers", _STEPS, due, name="due", at="2026-01-01 08:00:00.000000")
    await _filled(house, "timers", _STEPS, rows // SEARCHES, name="later", at="2036-01-01 08:00:00.000000")


async def _filled(house: House, table: str, statement: str, rows: int, **values: str) -> None:
    kind = house.engine.dialect.name
    numbers = _NUMBERS[kind].format(rows)
    async with house.engine.begin() as connection:
        await connection.exec_driver_sql(statement.format(here=HERE, numbers=numbers, **values))
    async with house.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.exec_driver_sql(f"VACUUM ANALYZE {table}" if kind == "postgresql" else "ANALYZE")


async def _claimed_mails(session: AsyncSession, house: House) -> int:
    lease = house.settings.lease
    return len(await claims.claim(session, now=house.now(), lease=lease, limit=BATCH, lane=claims.Lane.FRESH))


async def _claimed_steps(session: AsyncSession, house: House) -> int:
    return len(await timers.claim_due(session, house.now(), house.settings.lease, BATCH))


def _mails_again(house: House) -> Update:
    waiting = update(OutboxRow).where(OutboxRow.next_attempt_at.is_not(None))
    return waiting.values(next_attempt_at=house.now(), attempts=0)


def _steps_again(_house: House) -> Update:
    return update(_TIMERS).where(_TIMERS.c.lease_until.is_not(None)).values(lease_until=None)


@dataclass(frozen=True)
class Kind:
    """What is claimed."""

    fill: Callable[[House, int], Coroutine[Any, Any, None]]
    claim: Callable[[AsyncSession, House], Coroutine[Any, Any, int]]
    again: Callable[[House], Update]


KINDS = {
    "mails": Kind(_mails, _claimed_mails, _mails_again),
    "steps": Kind(_steps, _claimed_steps, _steps_again),
}


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
@pytest.mark.parametrize("name", KINDS)
async def test_claiming_does_not_slow_down_with_the_table(name: str, database: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    async with AsyncExitStack() as opened:
        urls = [f"sqlite:///{tmp_path}/{size}.sqlite3" for size in ("few", "many")]
        if database == "postgresql":
            cluster = opened.enter_context(durable_postgresql())
            urls = [postgres.url(cluster, fresh(cluster)) for _ in urls]
        houses = []
        for url, rows in zip(urls, (FEW, MANY), strict=True):
            made = settings(url, free_port(), tmp_path / "keys")
            await prepare(made)
            house = await opened.enter_async_context(app.open_house(made))
            await kind.fill(house, rows)
            houses.append(house)
        few, many = [], []
        for _ in range(ROUNDS):
            few.append(await _claims(houses[0], kind))
            many.append(await _claims(houses[1], kind))
    ratio = median(large / small for small, large in zip(few, many, strict=True))
    quote(
        f"claiming {BATCH} {name} on {NAMES[database]} with {MANY:,} rows",
        f"{ratio:.2f} of the time with {FEW:,} ({median(many):.2f} ms)",
        "1.1 at most",
    )
    assert ratio > 0


async def _claims(house: House, kind: Kind) -> float:
    """The median milliseconds of one claim; what was claimed waits again afterwards."""
    took = []
    for _ in range(EACH):
        begun = time.perf_counter()
        async with house.sessions.begin() as session:
            found = await kind.claim(session, house)
        took.append(1000 * (time.perf_counter() - begun))
        assert found == BATCH
    async with house.sessions.begin() as session:
        await session.execute(kind.again(house).execution_options(synchronize_session=False))
    return median(took)
