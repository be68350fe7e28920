"""Whole mails a second, beside a sender that does nothing else, in the same run and interleaved with it.

A mail here is what a doctor gets: claimed, looked up, rendered, composed, handed over, its search moved and
journaled; claim and outcome are each committed to the disk. The limit is Postfix's ``smtp-source -d -s 10``
to the same ``smtp-sink``. Only the ratios mean anything; a machine with other things to do lowers both.
"""

import asyncio
import os
import time
from statistics import median

import pytest
import structlog

from config.logs import configure
from matcher import app
from messaging import outbox
from messaging.smtp import Pool
from tests import postgres
from tests.bench.figures import NAMES, quote
from tests.bench.plant import (
    durable_postgresql,
    fresh,
    launched,
    prepare,
    settings,
    smtp_sink,
    smtp_source,
    watch,
)

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
#: Searches of 20 mails each, in one round.
SEARCHES = 25
#: Bytes of one announcement.
LENGTH = 9_000
AIMED_AT = {"postgresql": 0.12, "sqlite": 0.08}


@pytest.fixture(scope="module", autouse=True)
def logs(tmp_path_factory):
    """Written as the service writes them, to a file."""
    with (tmp_path_factory.mktemp("logs") / "bench.log").open("w") as stream:
        configure("info", stream)
        yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def cluster():
    with durable_postgresql() as folder:
        yield folder


@pytest.fixture
def sink():
    with smtp_sink() as port:
        yield port


@pytest.fixture(params=["postgresql", "sqlite"])
def database(request, tmp_path):
    """The kind, and the address of an empty durable database."""
    if request.param == "sqlite":
        return request.param, f"sqlite:///{tmp_path}/bench.sqlite3"
    folder = request.getfixturevalue("cluster")
    return request.param, postgres.url(folder, fresh(folder))


async def test_whole_mails_beside_a_bare_sender(database, sink, tmp_path):
    kind, url = database
    made = settings(url, sink, tmp_path / "keys")
    await prepare(made)
    ratios, each = [], []
    async with app.open_house(made) as house:
        await launched(house, 1)
        await _emptied(house)
        for _ in range(ROUNDS):
            await launched(house, SEARCHES)
            limit = await asyncio.to_thread(smtp_source, sink, 5000, LENGTH)
            mails, seconds, cpu = await _emptied(house)
            ratios.append(mails / seconds / limit)
            each.append((mails / seconds, limit, 1000 * cpu / mails))
    for rate, limit, cpu in each:
        print(f"\n  {kind}: {rate:,.0f} mails/s of {limit:,.0f}, {cpu:.2f} ms of our processor each", end="")
    ratio, aim = median(ratios), AIMED_AT[kind]
    rate, _, cpu = sorted(each)[len(each) // 2]
    quote(
        f"whole mails on {NAMES[kind]}",
        f"{ratio:.3f} of `smtp-source -d -s 10` ({rate:,.0f} a second, {cpu:.1f} ms of processor each)",
        f"{aim} at least",
    )
    assert ratio > 0


async def _emptied(house) -> tuple[int, float, float]:
    """Send what waits; how many mails, in how many seconds, with how many seconds of processor time."""
    async with house.sessions() as session:
        mails = await outbox.unsent(session)
    pool = Pool(house.settings.relay)
    dispatcher, stop = app.dispatcher_of(house, pool), asyncio.Event()
    begun, cpu = time.perf_counter(), time.process_time()
    running = asyncio.create_task(dispatcher.run(stop))
    while True:
        # Looking costs the sender some of its time.
        await asyncio.sleep(0.1)
        async with house.sessions() as session:
            if not await outbox.unsent(session):
                break
    spent, used = time.perf_counter() - begun, time.process_time() - cpu
    stop.set()
    await running
    await pool.close()
    return mails, spent, used


async def test_the_loop_is_never_held_up_for_long_while_mails_go_out(cluster, sink, tmp_path):
    made = settings(postgres.url(cluster, fresh(cluster)), sink, tmp_path / "keys")
    await prepare(made)
    async with app.open_house(made) as house:
        await launched(house, SEARCHES)
        stalls: list[float] = []
        watching = asyncio.create_task(watch(stalls))
        await _emptied(house)
        watching.cancel()
    stalls.sort()
    quote(
        "longest stall of the event loop while mails go out",
        f"{1000 * stalls[-1]:.0f} ms, {1000 * stalls[int(len(stalls) * 0.99)]:.0f} ms at the 99th of 100",
        "20 ms at most",
    )
    assert stalls
