"""A worker killed in the middle of a wave loses no mail, and no doctor gets two that differ."""

import asyncio
import os
import signal
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.database import make_engine, make_sessions
from messaging import outbox
from messaging.outbox import OutboxRow
from tests.integration.relay import Catcher, listening

ROOT = Path(__file__).parents[2]
DOCTORS = 24


class SlowCatcher(Catcher):
    """Takes its time over each mail, so that a kill finds some on their way."""

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(0.03)
        return await super().handle_DATA(server, session, envelope)


async def worker(url, port):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "tests/integration/dispatching.py"),
        url,
        str(port),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 (what is waited for happens in another process)
            await asyncio.sleep(0.005)


async def prepare(url):
    engine = make_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(OutboxRow.__table__.drop, checkfirst=True)
        await connection.run_sync(OutboxRow.__table__.create)
    async with make_sessions(engine).begin() as session:
        for number in range(DOCTORS):
            await outbox.enqueue(
                session,
                territory="t",
                letter="announcement",
                ids={"to": f"d{number}"},
                message_id=f"<{number}@cpts.example>",
                now=datetime.now(UTC),
            )
    await engine.dispose()


async def unsent(url):
    engine = make_engine(url)
    async with make_sessions(engine).begin() as session:
        left = await outbox.unsent(session)
    await engine.dispose()
    return left


async def test_a_wave_survives_kills_on_sqlite(tmp_path):
    await every_doctor_has_one_mail(f"sqlite:///{tmp_path}/outbox.sqlite3", signal.SIGKILL)


# On SQLite there is one process, and so nobody who takes over from one that sleeps.
@pytest.mark.postgres
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_wave_survives_kills_and_sleeps_on_postgresql(mail_cluster, how):
    await every_doctor_has_one_mail(mail_cluster, how)


async def every_doctor_has_one_mail(url, how):
    await prepare(url)
    workers = []
    async with listening(SlowCatcher()) as catcher:
        try:
            for reached in (3, 8, 14):
                workers.append(await worker(url, catcher.port))
                await until(lambda reached=reached: len(set(catcher.recipients())) >= reached)
                workers[-1].send_signal(how)
            workers.append(await worker(url, catcher.port))
            await until(lambda: len(set(catcher.recipients())) == DOCTORS)
            for one in workers[:-1]:
                if how is signal.SIGSTOP:
                    one.send_signal(signal.SIGCONT)
            async with asyncio.timeout(30):
                while await unsent(url):  # noqa: ASYNC110 (what is waited for happens in another process)
                    await asyncio.sleep(0.1)
        finally:
            for one in workers:
                if one.returncode is None:
                    one.kill()
                await one.wait()
    ids = defaultdict(set)
    for _, recipient, mail in catcher.mails:
        ids[recipient].add(mail["Message-ID"])
    assert len(ids) == DOCTORS
    assert all(len(one) == 1 for one in ids.values())
