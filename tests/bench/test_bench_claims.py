"""Claiming mails from a full table beside claiming them from a nearly empty one, interleaved in one run."""

import os
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import update

from matcher import app
from matcher.service.house import House
from messaging import claims, outbox
from messaging.outbox import OutboxRow
from tests import postgres
from tests.bench.plant import durable_postgresql, free_port, fresh, prepare, settings

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

FEW, MANY = 10_000, int(os.environ.get("BENCH_ROWS", "1000000"))
ROUNDS = 15
#: Claims of 32 mails in one round, of 640 that wait.
EACH = 20
_COLUMNS = (
    "territory_id, id, letter, ids, message_id, state, attempts, fence, may_have_left, enqueued_at,"
    " settled_at, outcome, detail"
)
_SETTLED = {
    "postgresql": f"INSERT INTO outbox ({_COLUMNS}) SELECT 'venissieux', gen_random_uuid()::text,"
    " 'announcement', '{}', gen_random_uuid()::text, 'accepted', 1, 1, false, now(), now(), 'accepted',"
    " '250' FROM generate_series(1, $number)",
    "sqlite": f"INSERT INTO outbox ({_COLUMNS}) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
    " FROM n WHERE i < $number) SELECT 'venissieux', lower(hex(randomblob(16))), 'announcement', '{}',"
    " lower(hex(randomblob(16))), 'accepted', 1, 1, false, '2026-01-01 08:00:00.000000',"
    " '2026-01-01 08:00:00.000000', 'accepted', '250' FROM n",
}


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
async def test_claiming_does_not_slow_down_with_the_table(kind: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as opened:
        urls = [f"sqlite:///{tmp_path}/{name}.sqlite3" for name in ("few", "many")]
        if kind == "postgresql":
            cluster = opened.enter_context(durable_postgresql())
            urls = [postgres.url(cluster, fresh(cluster)) for _ in urls]
        houses = []
        for url, rows in zip(urls, (FEW, MANY), strict=True):
            made = settings(url, free_port(), tmp_path / "keys")
            await prepare(made)
            house = await opened.enter_async_context(app.open_house(made))
            await _settled_rows(house, rows)
            await _waiting(house)
            houses.append(house)
        few, many = [], []
        for _ in range(ROUNDS):
            few.append(await _claims(houses[0]))
            many.append(await _claims(houses[1]))
    ratio = median(large / small for small, large in zip(few, many, strict=True))
    print(
        f"\nclaiming 32 mails on {kind}: {median(few):.2f} ms with {FEW:,} rows, {median(many):.2f} ms with"
        f" {MANY:,}: {ratio:.2f} (median of {ROUNDS}; aimed at 1.1 at most)"
    )
    assert ratio > 0


async def _settled_rows(house: House, number: int) -> None:
    kind = house.engine.dialect.name
    async with house.engine.begin() as connection:
        await connection.exec_driver_sql(_SETTLED[kind].replace("$number", str(number)))
    async with house.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.exec_driver_sql("VACUUM ANALYZE outbox" if kind == "postgresql" else "ANALYZE")


async def _waiting(house: House) -> None:
    async with house.sessions.begin() as session:
        for number in range(32 * EACH):
            await outbox.enqueue(
                session,
                territory="venissieux",
                letter="announcement",
                ids={"search": str(number), "doctor": "d", "run": "1"},
                message_id=f"<{number}@bench.example>",
                now=house.now(),
            )


async def _claims(house: House) -> float:
    """The median milliseconds of one claim; what was claimed waits again afterwards."""
    took = []
    for _ in range(EACH):
        begun = time.perf_counter()
        async with house.sessions.begin() as session:
            found = await claims.claim(
                session, now=house.now(), lease=house.settings.lease, limit=32, lane=claims.Lane.FRESH
            )
        took.append(1000 * (time.perf_counter() - begun))
        assert len(found) == 32
    async with house.sessions.begin() as session:
        waiting = OutboxRow.next_attempt_at.is_not(None)
        again = update(OutboxRow).where(waiting).values(next_attempt_at=house.now(), attempts=0)
        await session.execute(again.execution_options(synchronize_session=False))
    return median(took)
