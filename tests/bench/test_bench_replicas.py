"""What a second process adds, and what a login costs everybody else."""

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import update

from config.settings import load_settings
from matcher import app
from matcher.service import logins, people
from matcher.service.actors import Role
from matcher.service.house import House
from messaging import outbox
from messaging.outbox import OutboxRow
from tests import postgres
from tests.acceptance.api_world import HERE
from tests.bench.figures import quote
from tests.bench.plant import (
    durable_postgresql,
    environment,
    fresh,
    launched,
    prepare,
    settings,
    smtp_sink,
    watch,
)
from tests.faults.clock import started
from tests.faults.process import Part

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
#: Searches of up to 20 mails each, in one round.
SEARCHES = 25
AIMED_AT = 1.6
_TICKS = os.sysconf("SC_CLK_TCK")
PASSWORD = "une phrase assez longue"


async def test_two_workers_send_more_than_one(tmp_path: Path) -> None:
    clock = started(1.0, tmp_path)
    with durable_postgresql() as cluster, smtp_sink() as sink:
        told = environment(postgres.url(cluster, fresh(cluster)), sink, tmp_path / "keys")
        made = load_settings(told)
        await prepare(made)
        found: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
        async with app.open_house(made, now=clock) as house:
            for number in range(ROUNDS):
                for workers in (1, 2) if number % 2 else (2, 1):
                    parts = [Part(f"worker{number}{n}", None, told, tmp_path, clock) for n in range(workers)]
                    found[workers].append(await _round(house, parts))
    for number, (alone, both) in enumerate(zip(found[1], found[2], strict=True)):
        print(
            f"\n  round {number}: one worker {alone[0]:,.0f} mails/s, {alone[1]:.2f} ms of its processor"
            f" each; two {both[0]:,.0f}, {both[1]:.2f} ms",
            end="",
        )
    ratio = median(both[0] / alone[0] for alone, both in zip(found[1], found[2], strict=True))
    cost = median(both[1] / alone[1] for alone, both in zip(found[1], found[2], strict=True))
    quote(
        "mails of two workers on PostgreSQL",
        f"{ratio:.2f} of those of one, at {cost:.2f} of the processor time each",
        f"{AIMED_AT} at least",
    )
    assert ratio > 0


async def _round(house: House, parts: list[Part]) -> tuple[float, float]:
    """Mails a second, and milliseconds of the workers' processor time for each."""
    await launched(house, SEARCHES)
    await _put(house, house.now() + timedelta(hours=1))
    for part in parts:
        part.start()
    await asyncio.gather(*(part.up() for part in parts))
    # Its first looks at an empty outbox are over.
    await asyncio.sleep(1)
    async with house.sessions() as session:
        mails = await outbox.unsent(session)
    before, begun = sum(_processor(part) for part in parts), time.perf_counter()
    await _put(house, house.now())
    while True:
        await asyncio.sleep(0.05)
        async with house.sessions() as session:
            if not await outbox.unsent(session):
                break
    spent, used = time.perf_counter() - begun, sum(_processor(part) for part in parts) - before
    await asyncio.gather(*(part.end() for part in parts))
    return mails / spent, 1000 * used / mails


async def _put(house: House, at: object) -> None:
    """Every mail that waits is due then."""
    async with house.sessions.begin() as session:
        waiting = update(OutboxRow).where(OutboxRow.next_attempt_at.is_not(None)).values(next_attempt_at=at)
        await session.execute(waiting.execution_options(synchronize_session=False))


def _processor(part: Part) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{part.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def test_a_login_holds_nobody_up(tmp_path: Path) -> None:
    made = settings(f"sqlite:///{tmp_path}/bench.sqlite3", 9, tmp_path / "keys")
    await prepare(made)
    async with app.open_house(made) as house:
        await people.add_user(house, HERE, "a@cpts.example", Role.COORDINATRICE, name="Essai")
        await people.set_password(house, HERE, "a@cpts.example", PASSWORD)
        stalls: list[float] = []
        watching = asyncio.create_task(watch(stalls))
        for _ in range(10):
            await asyncio.gather(*(logins.login(house, "a@cpts.example", PASSWORD) for _ in range(3)))
        watching.cancel()
    stalls.sort()
    quote("longest stall of the event loop during 30 logins", f"{1000 * stalls[-1]:.1f} ms", "20 ms at most")
    assert stalls
