"""One run: an installation of four processes, people at random, faults at random, then the checker."""

import asyncio
import contextlib
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
from sqlalchemy import func, select, text

from config.database import Base, make_engine
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
from tests.faults.relay import Mood, Relay

#: A crash of these processes loses nothing that was committed; a power cut is not played.
_CLUSTER = {"listen_addresses": "", "fsync": "off", "max_connections": "100", "shared_buffers": "64MB"}
#: In protocol time.
LEASE = timedelta(minutes=60)
_DELAYS = {
    "reminder": "PT1H",
    "next_wave": "PT2H",
    "calls": "PT4H",
    "yes_held": "P3D",
    "choice_chase": "PT4H",
    "opening_reminder": "PT4H",
    "opening_call": "PT8H",
}
#: After a fault something may go again whose word was lost, until the lease of who held it is over.
_AFTER = LEASE * 1.5


#: So many looks in a row at which nothing waits, three in a second.
_CALM = 3
#: How often each kind of fault comes, on either database.
_KINDS = {"kill": 30, "freeze": 12, "end": 14, "database": 4, "full": 20, "clock": 4, "outage": 6, "mood": 34}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much of what."""

    searches: int
    #: At least so many; they go on until the last search has begun.
    faults: int
    seed: int
    speed: float = 240.0
    #: One ``serve`` on SQLite rather than two and two workers on PostgreSQL; its disk is full at times.
    embedded: bool = False
    #: Searches led side by side.
    side_by_side: int = 12
    #: Relay outages of an hour of protocol time among the faults.
    hours_without_relay: int = 1
    #: Seconds between two faults, on average: something has to go on that they can break.
    pause: float = 3.0
    #: Each kind of fault once, though the one before may still go on, rather than one by one at random.
    each_kind: bool = False
    #: Once the faults are over, seconds without a search that ends; then they are left as they are.
    patience: float = 300.0

    @property
    def kinds(self) -> dict[str, int]:
        """What may happen, and how often as shares; first what takes longest until all is well again."""
        other = "database" if self.embedded else "full"
        return {kind: share for kind, share in _KINDS.items() if kind != other}


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


@dataclass
class Stage:
    """The installation of a run, and what happens to it."""

    plan: Plan
    folder: Path
    clock: FastClock
    relay: Relay
    settings: Settings
    parts: list[Part]
    history: History
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)
    _relay_up: bool = True

    async def fault(self, number: int) -> None:
        """One fault, chosen at random; an hour without a relay comes at its turn."""
        wanted = self.plan.hours_without_relay
        if wanted and number % max(1, self.plan.faults // (wanted + 1)) == 1 and self.done["hour"] < wanted:
            await self._played("hour", self._outage(timedelta(hours=1)))
            return
        kinds = self.plan.kinds
        if self.plan.each_kind:
            kind = list(kinds)[number]
        else:
            kind = self.chance.choices(list(kinds), list(kinds.values()))[0]
        part = self.chance.choice([part for part in self.parts if not part.hand.locked()] or self.parts)
        await self._played(
            kind,
            {
                "kill": lambda: self._kill(part),
                "freeze": lambda: self._freeze(part),
                "mood": self._mood,
                "database": self._database,
                "outage": lambda: self._outage(timedelta(minutes=self.chance.uniform(2, 10))),
                "end": lambda: self._end(part),
                "clock": self._clock,
                "full": lambda: self._full(part),
            }[kind](),
        )

    async def _played(self, kind: str, play: Any) -> None:
        begun = self.clock()
        await play
        self.done[kind] += 1
        self.history.disturbed.append((begun - timedelta(minutes=5), self.clock() + _AFTER))

    async def _kill(self, part: Part) -> None:
        async with part.hand:
            await part.kill()
            await asyncio.sleep(self.chance.uniform(0, 0.5))
            part.start()

    async def _end(self, part: Part) -> None:
        async with part.hand:
            await part.end()
            part.start()

    async def _freeze(self, part: Part) -> None:
        """It sleeps past its lease, and wakes up with what it thinks is its own."""
        async with part.hand:
            part.send(signal.SIGSTOP)
            await asyncio.sleep(self.clock.real(LEASE) * self.chance.uniform(0.2, 1.4))
            part.send(signal.SIGCONT)

    async def _mood(self) -> None:
        self.relay.mood = self.chance.choice([mood for mood in Mood if mood is not Mood.KIND])
        await asyncio.sleep(self.chance.uniform(0.5, 2))
        self.relay.mood = Mood.KIND

    async def _clock(self) -> None:
        """The host's clock is set, back more often than forward."""
        self.clock.shift(timedelta(minutes=self.chance.choice((-24, -12, 18))))
        await asyncio.sleep(0)

    async def _full(self, part: Part) -> None:
        """No file can grow: what is committed stays, and nobody is told that the rest was taken."""
        async with part.hand:
            part.allow(max(path.stat().st_size for path in self.folder.glob("faults.sqlite*")))
            await asyncio.sleep(self.chance.uniform(1, 5))
            part.allow(None)

    async def _database(self) -> None:
        await _to_its_end(postgres.stop, self.folder)
        await asyncio.sleep(self.chance.uniform(0, 0.5))
        await _to_its_end(postgres.start, self.folder)

    async def _outage(self, span: timedelta) -> None:
        await self.relay.down()
        await asyncio.sleep(self.clock.real(span))
        await self.relay.up()

    async def quiet(self, within: float) -> bool:
        """Wait until nothing is due and no mail waits, for a while: what was asked last may still be done."""
        engine = make_engine(self.settings.database_url)
        outbox, timers = Base.metadata.tables["outbox"], Base.metadata.tables["timers"]
        until, calm = time.monotonic() + within, 0
        try:
            while time.monotonic() < until:
                async with engine.connect() as connection:
                    mails = await connection.scalar(
                        select(func.count()).where(outbox.c.next_attempt_at.is_not(None))
                    )
                    late = self.clock() - timedelta(seconds=self.plan.speed)
                    steps = await connection.scalar(select(func.count()).where(timers.c.due_at < late))
                calm = 0 if mails or steps else calm + 1
                if calm == _CALM:
                    return True
                await asyncio.sleep(0.3)
            return False
        finally:
            await engine.dispose()


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
        await _ended(leading, lambda: len(crowd.settled), stage.plan.patience)
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


async def _ended(leading: list[asyncio.Task[None]], progress: Callable[[], int], patience: float) -> None:
    """Wait for the searches, as long as one after the other ends."""
    seen, since = progress(), time.monotonic()
    while time.monotonic() - since < patience:
        _, going_on = await asyncio.wait(leading, timeout=1)
        if not going_on:
            return
        if progress() > seen:
            seen, since = progress(), time.monotonic()


async def _to_its_end(call: Callable[[Path], None], folder: Path) -> None:
    """In a thread; also where somebody wants us to stop meanwhile, lest a server outlive us."""
    going_on = asyncio.create_task(asyncio.to_thread(call, folder))
    try:
        await asyncio.shield(going_on)
    except asyncio.CancelledError:
        await going_on
        raise


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
    await _to_its_end(lambda folder: postgres.make(folder, _CLUSTER), folder)
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
