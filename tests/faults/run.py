"""One run: an installation of four processes, people at random, faults at random, then the checker."""

import asyncio
import contextlib
import random
import shutil
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
from sqlalchemy import text

from config.database import Base
from config.settings import Settings, load_settings
from matcher import app
from matcher.service import installation, people
from matcher.service.actors import Role
from matcher.storage import journal_chain, migrate
from tests import postgres
from tests.acceptance.api_world import ELSEWHERE, HERE, _territories
from tests.faults import process
from tests.faults.checker import check
from tests.faults.clock import EPOCH, FastClock, started
from tests.faults.history import History
from tests.faults.people import CANARY, People
from tests.faults.process import Part
from tests.faults.relay import Relay
from tests.faults.stage import LEASE, Plan, Stage, to_its_end

#: A crash of these processes loses nothing that was committed; a power cut is not played.
_CLUSTER = {"listen_addresses": "", "fsync": "off", "max_connections": "100", "shared_buffers": "64MB"}
#: Seconds that the last requests may take to be handed in, once the faults are over.
_HANDED_IN = 120
_DELAYS = {
    "reminder": "PT1H",
    "next_wave": "PT2H",
    "calls": "PT4H",
    "yes_held": "P3D",
    "choice_chase": "PT4H",
    "opening_reminder": "PT4H",
    "opening_call": "PT8H",
}


@dataclass
class Report:
    """What came of a run."""

    plan: Plan
    violations: list[str]
    figures: dict[str, Any]
    #: What the run was to do and did not: then it has shown less than was asked.
    lacking: list[str]

    def lines(self) -> list[str]:
        """For people."""
        where = "SQLite" if self.plan.embedded else "PostgreSQL"
        head = f"seed {self.plan.seed}: {self.plan.searches} searches, {self.plan.faults} faults on {where}"
        told = [f"  {name}: {value}" for name, value in self.figures.items()]
        broken = [f"  VIOLATION {words}" for words in self.violations]
        short = [f"  LACKING {words}" for words in self.lacking]
        return [head, *told, *short, *broken, f"{len(self.violations)} violations"]


async def play(plan: Plan) -> Report:
    """Play a run and check its history."""
    chance = random.Random(plan.seed)
    began = time.monotonic()
    async with _stage(plan, chance) as (stage, keys):
        async with aiohttp.ClientSession() as http:
            servers = [f"http://127.0.0.1:{part.port}" for part in stage.parts if part.port]
            crowd = People(servers, keys, stage.relay, stage.history, stage.clock, chance, http)
            work = (crowd.read_mail(), crowd.keep_directory(), _supervise(stage.parts))
            aside = [asyncio.create_task(one) for one in work]
            try:
                await _act(stage, crowd)
                settled = await stage.quiet(within=300)
                # Whatever is asked or falls due from now on may be left undone by those that are now ended.
                stage.history.ended_at = stage.clock()
            finally:
                for task in aside:
                    task.cancel()
                await asyncio.gather(*aside, return_exceptions=True)
        await asyncio.gather(*(part.end() for part in stage.parts))
        await _remember(stage)
        figures = _figures(stage, settled, time.monotonic() - began) | {"answered with 5xx": crowd.refused}
    done = (
        ("faults", plan.faults, stage.done.total()),
        ("searches", plan.searches, len(crowd.history.submitted)),
    )
    lacking = [f"{wanted - had} of {wanted} {what}" for what, wanted, had in done if had < wanted]
    return Report(plan, check(stage.history), figures, lacking)


async def _supervise(parts: list[Part]) -> None:
    """Start again what ended by itself: a service that finds no database at its start, for instance."""
    while True:
        await asyncio.sleep(0.3)
        for part in parts:
            part.look_after()


async def _act(stage: Stage, crowd: People) -> None:
    numbers = iter(range(stage.plan.searches))

    async def lead(place: int) -> None:
        # Not all at once, so that faults meet searches of every age.
        await asyncio.sleep(place * stage.plan.pause * stage.plan.faults / stage.plan.searches)
        for number in numbers:
            await crowd.lead(number)

    async def say() -> None:
        while True:
            await asyncio.sleep(10)
            mails, history = len(stage.relay.received), stage.history
            _say(
                f"{stage.done.total()} faults, {len(history.submitted)} requests,"
                f" {len(crowd.settled)} settled, {mails} mails, {len(history.said)} answers"
            )

    saying = asyncio.create_task(say())
    leading = [asyncio.create_task(lead(place)) for place in range(stage.plan.side_by_side)]
    try:
        await _faults(stage, crowd)
        await _ended(leading, crowd, stage.plan)
    finally:
        for task in (saying, *leading):
            task.cancel()
        told = await asyncio.gather(saying, *leading, return_exceptions=True)
    slips = [one for one in told if isinstance(one, Exception)]
    if slips:
        raise slips[0]


async def _faults(stage: Stage, crowd: People) -> None:
    plan, number = stage.plan, 0
    async with asyncio.TaskGroup() as going_on:
        while number < plan.faults or (crowd.begun < plan.searches and not plan.each_kind):
            await asyncio.sleep(stage.chance.uniform(0, 2 * plan.pause))
            fault = going_on.create_task(stage.fault(number))
            if not plan.each_kind:
                await fault
            number += 1


async def _ended(leading: list[asyncio.Task[None]], crowd: People, plan: Plan) -> None:
    """Wait for the searches, as long as one after the other ends; and however long a busy machine takes over
    handing in the last of them, within reason.
    """
    begun = since = time.monotonic()
    seen = len(crowd.settled)
    while time.monotonic() - since < plan.patience or (
        len(crowd.history.submitted) < plan.searches and time.monotonic() - begun < _HANDED_IN
    ):
        _, going_on = await asyncio.wait(leading, timeout=1)
        if not going_on:
            return
        if len(crowd.settled) > seen:
            seen, since = len(crowd.settled), time.monotonic()


def _say(words: str) -> None:
    """A line for whoever waits."""
    print(words, file=sys.stderr, flush=True)


@asynccontextmanager
async def _stage(plan: Plan, chance: random.Random) -> AsyncIterator[tuple[Stage, dict[str, str]]]:
    folder = Path(tempfile.mkdtemp(prefix="tu-faults-"))
    clock = started(plan.speed, folder)
    # Where a mood comes once, it strikes.
    relay = Relay(clock, chance, one_in=1 if plan.each_kind else 3)
    parts: list[Part] = []
    process.prepare()
    await relay.up()
    try:
        environment = {
            "TRAIT_UNION_DATABASE_URL": await _database(plan, folder),
            "TRAIT_UNION_SMTP_URL": f"smtp://127.0.0.1:{relay.port}",
            "TRAIT_UNION_SMTP_PACE": "0",
            # By the wall; well under half of the lease.
            "TRAIT_UNION_SMTP_TIMEOUT": "PT1S",
            "TRAIT_UNION_LEASE": f"PT{LEASE.seconds // 60}M",
            "TRAIT_UNION_PUBLIC_URL": "http://trait-union.example",
            "TRAIT_UNION_KEYS_DIR": str(folder / "keys"),
            "TRAIT_UNION_TERRITORIES": str(_hasty(folder)),
        }
        settings = load_settings(environment)
        keys = await _settle_in(settings, clock)
        parts += [
            Part(f"serve{n + 1}", _free_port(), environment, folder, clock)
            for n in range(1 if plan.embedded else 2)
        ]
        if not plan.embedded:
            parts += [Part(f"worker{n}", None, environment, folder, clock) for n in (1, 2)]
        for part in parts:
            part.start()
        yield Stage(plan, folder, clock, relay, settings, parts, History(HERE), chance), keys
    finally:
        await asyncio.gather(*(part.kill() for part in parts))
        await relay.down()
        if not plan.embedded:
            with contextlib.suppress(postgres.NoPostgreSQL):
                await asyncio.to_thread(postgres.stop, folder)
        shutil.rmtree(folder, ignore_errors=True)


async def _database(plan: Plan, folder: Path) -> str:
    """The address of an empty database."""
    if plan.embedded:
        return f"sqlite:///{folder / 'faults.sqlite'}"
    await to_its_end(lambda folder: postgres.make(folder, _CLUSTER), folder)
    with psycopg.connect(postgres.url(folder, "postgres"), autocommit=True) as admin:
        admin.execute("CREATE DATABASE faults")
    return postgres.url(folder, "faults")


async def _settle_in(settings: Settings, clock: FastClock) -> dict[str, str]:
    async with app.open_house(settings, now=clock) as empty:
        await migrate.upgrade(empty.engine)
        for territory in (HERE, ELSEWHERE):
            await installation.init(empty, settings.territories / territory)
    async with app.open_house(settings, now=clock) as house:
        return {
            "office": await people.add_key(house, HERE, "bureau", Role.COORDINATRICE),
            "requester": await people.add_key(house, HERE, "PASS", Role.REQUESTER, kind="pass"),
            "elsewhere": await people.add_key(house, ELSEWHERE, "bureau", Role.COORDINATRICE),
        }


def _hasty(folder: Path) -> Path:
    """Territories with calendars that are always open, delays of hours, and doctors with patience."""
    made = _territories(folder)
    for territory in (HERE, ELSEWHERE):
        file = made / territory / "territory.toml"
        lines = file.read_text("utf-8").replace('clock = "working"', 'clock = "wall"').splitlines()
        before_urgent = lines.index(next(line for line in lines if line.startswith("[urgent]")))
        for number, line in enumerate(lines):
            name = line.partition(" = ")[0]
            if number < before_urgent and name in _DELAYS:
                lines[number] = f'{name} = "{_DELAYS[name]}"'
            if name in ("asked_per_week", "accepted_per_month"):
                lines[number] = f"{name} = 9999"
            if name == "size":
                lines[number] = "size = 4"
            if name == "code_life":
                # Minutes of protocol time are less than a busy machine takes over a request.
                lines[number] = 'code_life = "PT8H"'
        file.write_text("\n".join(lines) + "\n", "utf-8")
    return made


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def _remember(stage: Stage) -> None:
    """The tables, the journal and the logs, into the history."""
    history = stage.history
    history.mails = list(stage.relay.received)
    history.secrets = frozenset({CANARY})
    history.logs = "".join(part.log.read_text() for part in stage.parts)
    async with app.open_house(stage.settings, now=stage.clock) as house, house.sessions() as session:
        broken = await journal_chain.verify(session)
        history.broken = None if broken is None else f"{broken.seq}: {broken.why}"
        history.tables = {
            name: [dict(row) for row in (await session.execute(text(f'SELECT * FROM "{name}"'))).mappings()]
            for name in sorted(Base.metadata.tables)
        }


def _figures(stage: Stage, settled: bool, seconds: float) -> dict[str, Any]:
    history = stage.history
    copies = Counter(mail.message_id for mail in history.mails)
    states = Counter(r["state"] for r in history.tables["searches"] if r["territory_id"] == HERE)
    answers = Counter(said.answer for said in history.said if said.status in (200, 202))
    return {
        "faults": dict(stage.done),
        "moods that struck": {str(mood): times for mood, times in sorted(stage.relay.struck.items())},
        "requests acknowledged": len(history.submitted),
        "searches now": dict(states),
        "answers acknowledged": dict(answers),
        "doctors chosen": len(history.chosen),
        "records opened": sum(opened.status == 200 for opened in history.opened),
        "consents taken back": len(history.taken_back),
        "mails": f"{len(copies)}, {sum(copies.values()) - len(copies)} repeats under the same Message-ID",
        "journal entries": len(history.tables["journal"]),
        "steps done by time": sum(str(r["action"]).startswith("time/") for r in history.tables["journal"]),
        "slowest end after SIGTERM": f"{max(part.slowest_end for part in stage.parts):.1f} s",
        "ended by themselves": [words for part in stage.parts for words in part.died],
        "everything done at the end": settled,
        "seconds": f"{seconds:.0f}",
        "hours of protocol time": f"{(stage.clock() - EPOCH).total_seconds() / 3600:.0f}",
    }
