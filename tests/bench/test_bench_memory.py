"""What a ``serve`` holds while it sends mail after mail, in a process of its own: a test's own process keeps
every line that is logged, and would be measured with it.
"""

import asyncio
import os
import resource
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import func, select

from config.settings import load_settings
from matcher import app
from matcher.service.house import House
from messaging.outbox import OutboxRow
from tests import postgres
from tests.bench.figures import quote
from tests.bench.plant import durable_postgresql, environment, fresh, launched, prepare, smtp_sink
from tests.faults.clock import started
from tests.faults.process import Part

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

#: 100,000 for the long run.
MAILS = int(os.environ.get("BENCH_MAILS", "3000"))
#: What the last third may hold, of what the second held.
FLAT = 1.05
#: Searches of up to 20 mails each, in one round.
SEARCHES = 25


async def test_memory_does_not_grow_with_the_mails(tmp_path: Path) -> None:
    clock = started(1.0, tmp_path)
    with durable_postgresql() as cluster, smtp_sink() as sink:
        told = environment(postgres.url(cluster, fresh(cluster)), sink, tmp_path / "keys")
        made = load_settings(told)
        await prepare(made)
        part = Part("serve", 0, told, tmp_path, clock)
        part.start()
        try:
            await part.up()
            async with app.open_house(made, now=clock) as house:
                sent, sizes = 0, []
                while sent < MAILS:
                    await launched(house, SEARCHES)
                    sent = await _all_sent(house)
                    sizes.append(_resident(part.pid))
        finally:
            await part.kill()
    third = max(1, len(sizes) // 3)
    early, late = median(sizes[third : 2 * third] or sizes), median(sizes[-third:])
    quote(
        f"memory of `serve` over {MAILS:,} mails",
        f"{late / early:.3f} of the second third in the last ({late:.0f} MB)",
        f"{FLAT} at most",
    )
    assert late < FLAT * early


async def _all_sent(house: House) -> int:
    """Wait until no mail waits; how many there have been."""
    counted = select(func.count(OutboxRow.id), func.count(OutboxRow.next_attempt_at))
    while True:
        async with house.sessions() as session:
            ever, waiting = (await session.execute(counted)).one()
        if not waiting:
            return int(ever)
        await asyncio.sleep(0.1)


def _resident(pid: int) -> float:
    """What a process holds now, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
