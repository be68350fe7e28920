"""One installation with planted records, and schemathesis against what it serves, once for each caller.

Beside what schemathesis finds, every answer is looked through on its way out: no server error, and no
planted value of a record to anybody who has no right to it.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from unittest.mock import patch

from aiohttp import web

from config.database import make_engine
from matcher import app
from matcher.demo import patient, witness
from matcher.demo.witness import Canary
from matcher.service.house import House
from matcher.storage import migrate
from matcher.web import guards, pace
from matcher.web.limits import Meter
from tests.acceptance.api_world import ELSEWHERE, World, make_world

#: Every kind of caller: a key of each role, and none at all.
CALLERS: Final = (
    "coordinatrice",
    "coordinatrice_sociale",
    "secretaire",
    "directrice",
    "requester",
    "nobody",
)
#: Who may see records of the territory, and is tried before any that must stay hidden is planted in it.
_LEADING: Final = frozenset(CALLERS[:2])
#: ``/searches/launch`` is a path of its own and, to a GET, an id like any other: what it says that it allows
#: is true and more than the document says.
_ALLOWED: Final = """[[operations]]
include-path = "/api/v1/searches/launch"
checks.allow_header_conformance.enabled = false
"""
PHASES: Final = "examples,coverage,fuzzing,stateful"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is tried, by whom."""

    examples: int
    seed: int
    callers: Sequence[str] = CALLERS
    phases: str = PHASES
    #: Each caller once, with the id of one search that exists, rather than with made-up ids and other
    #: people's searches too.
    short: bool = False


@dataclass
class Report:
    """What was seen."""

    by_status: Counter[int] = field(default_factory=Counter)
    #: Caller → what schemathesis wrote, where it found something.
    failures: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many were answered."""
        return self.by_status.total()

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not (self.failures or self.errors or self.leaks)

    def lines(self) -> Iterable[str]:
        """For a person."""
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(self.by_status.items()))
        yield f"{self.requests} requests ({statuses})"
        yield from (f"--- {caller}\n{said}" for caller, said in self.failures.items())
        yield from self.errors
        yield from self.leaks
        yield "nothing found" if self.sound else "FOUND SOMETHING"


@dataclass
class _Watch:
    """Looks through every answer as it leaves."""

    hidden: tuple[Canary, ...]
    report: Report
    on: bool = False

    async def __call__(self, request: web.Request, response: web.StreamResponse) -> None:
        if not self.on:
            return
        self.report.by_status[response.status] += 1
        if response.status >= 500:
            self.report.errors.append(f"{response.status} {request.method} {request.path_qs[:200]}")
        body = getattr(response, "body", None)
        if isinstance(body, bytes):
            found = witness.search(self.hidden, request.path, body)
            self.report.leaks += [f"{leak.field} by {request.method} {request.path}" for leak in found]


async def play(plan: Plan) -> Report:
    """Everything of the plan, on SQLite, on this host."""
    report = Report()
    watches: list[_Watch] = []
    made = app.make_web_app

    def watched(house: House) -> web.Application:
        web_app = made(house)
        watches.append(_Watch(hidden=patient.canaries(house.now()), report=report))
        web_app.on_response_prepare.append(watches[-1])
        return web_app

    with (
        tempfile.TemporaryDirectory(prefix="tu-fuzz-") as name,
        patch.object(app, "make_web_app", watched),
        # Made-up calls come faster than one caller's pace allows; the pace has tests of its own.
        patch.object(pace, "SHARED", sys.maxsize),
    ):
        folder = Path(name)
        url = f"sqlite:///{folder / 'fuzz.sqlite3'}"
        engine = make_engine(url)
        await migrate.upgrade(engine)
        await engine.dispose()
        async with make_world(url, folder) as world:
            world.client.app[guards.PACE].meter = Meter(sustained=1e9, burst=1e9)
            elsewhere = await _planted(world, f"requester2@{ELSEWHERE}")
            here: str | None = None
            for caller in plan.callers:
                if caller not in _LEADING and here is None:
                    here = await _planted(world, "requester2")
                own = await world.launched()
                aims = [own, elsewhere] if caller in _LEADING else [here or own]
                for number, aim in enumerate(aims[:1] if plan.short else (None, *aims)):
                    # Every edge of every field, once for each caller; what is made up at random, every time.
                    phases = plan.phases if number == 1 else plan.phases.replace("coverage,", "")
                    watches[0].on = True
                    said = await _tried(world, replace(plan, phases=phases), caller, aim, folder)
                    watches[0].on = False
                    if said is not None:
                        report.failures[f"{caller} at {aim}"] = said
    return report


async def _planted(world: World, who: str) -> str:
    """The id of a request whose every value is recognised."""
    made = await world.post(who, "/searches", patient.request(world.clock()), 201)
    return str(made["id"])


async def _tried(world: World, plan: Plan, caller: str, aim: str | None, folder: Path) -> str | None:
    """Run schemathesis as one caller; ``aim``: with the id of this search in every address that takes one.
    What it wrote, where it found anything.
    """
    (folder / "schemathesis.toml").write_text(_aimed(aim), "utf-8")
    key = [] if caller == "nobody" else ["-H", f"Authorization: Bearer {world.keys[caller]}"]
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("st"),
        *("run", f"http://127.0.0.1:{world.client.port}/api/openapi.json", "--no-color", *key),
        *("--phases", plan.phases, "--seed", str(plan.seed), "--max-examples", str(plan.examples)),
        *("--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return None if process.returncode == 0 else said.decode()[-20_000:]


def _aimed(aim: str | None) -> str:
    """The settings of one run. Three checks ask what this API does not promise: it may refuse what a schema
    allows (a place, a state, a right), a body that is not sent reads as ``{}``, and who may not call is told
    so before the body is looked at.
    """
    checks = "\n".join(
        f"{name}.enabled = false"
        for name in ("positive_data_acceptance", "negative_data_rejection", "missing_required_header")
    )
    text = f"[checks]\n{checks}\n{_ALLOWED}"
    if aim is not None:
        text += '[[operations]]\ninclude-path-regex = "/searches/{id}"\n'
        text += f'parameters = {{ "path.id" = "{aim}" }}\n'
    return text
