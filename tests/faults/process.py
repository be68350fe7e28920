"""A serve or worker of its own, to be killed. Forked from a server that has imported everything: a start
costs milliseconds, and is a process like any other.
"""

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass, field
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from config.logs import configure
from config.settings import load_settings
from matcher import app
from matcher.service import house
from tests.faults.clock import FastClock

_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


def prepare() -> None:
    """Let the server import what it needs, while whoever will want processes does other things."""
    forkserver.ensure_running()


def run(port: int | None, environment: dict[str, str], log: str, clock: FastClock, does: house.Part) -> None:
    """The child: ``trait-union serve`` on that port, or ``worker`` without one, on the fast clock."""
    # A session of its own, as under a supervisor: on a busy machine each gets its share.
    os.setsid()
    errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(errors, 1)
    os.dup2(errors, 2)
    sys.stderr = os.fdopen(2, "w", buffering=1)
    settings = load_settings(environment)
    configure(settings.log_level)
    if port is None:
        asyncio.run(app.run_worker(settings, now=clock))
    else:
        asyncio.run(app.run_serve(settings, "127.0.0.1", port, does, now=clock))


@dataclass
class Part:
    """One process of the installation, started again whenever it was ended."""

    name: str
    #: Where ``serve`` listens, 0 for anywhere; None for a worker.
    port: int | None
    environment: dict[str, str]
    folder: Path
    clock: FastClock
    #: Of what ``serve`` does.
    does: house.Part = house.Part.ALL
    #: Exit statuses of those that were asked to end.
    ended: list[int | None] = field(default_factory=list)
    #: The longest that one took to end, in seconds.
    slowest_end: float = 0.0
    #: The last words of those that ended though nobody had asked for it.
    died: list[str] = field(default_factory=list)
    #: Held by whoever does something to it: one thing at a time.
    hand: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: Somebody ends it just now, and will start it again.
    _in_hand: bool = False
    #: How much of the log is of those before it.
    _logged: int = 0
    _process: ForkServerProcess | None = None

    @property
    def log(self) -> Path:
        """What it wrote to standard error."""
        return self.folder / f"{self.name}.log"

    def written(self) -> str:
        """All that is in its log."""
        return self.log.read_text() if self.log.exists() else ""

    async def up(self) -> str:
        """Wait until it says that it is there; its address, where it has one. Raises RuntimeError where it
        ends before, TimeoutError after two minutes.
        """
        async with asyncio.timeout(120):
            while True:
                for line in self.written()[self._logged :].splitlines():
                    if line.endswith("}") and ('"serving"' in line or '"working"' in line):
                        said = json.loads(line)
                        return f"http://127.0.0.1:{said['port']}" if "port" in said else ""
                if self._process is None or not self._process.is_alive():
                    raise RuntimeError(f"{self.name} did not come up: {self.written()[-600:]}")
                await asyncio.sleep(0.01)

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    def start(self) -> None:
        """A new process."""
        self._process = _FORKS.Process(
            target=run,
            args=(self.port, self.environment, str(self.log), self.clock, self.does),
            daemon=True,
        )
        self._logged = len(self.written())
        self._process.start()
        self._in_hand = False

    def look_after(self) -> None:
        """Start it again should it have ended by itself, as a supervisor does."""
        if self._process is not None and not self._in_hand and not self._process.is_alive():
            self.died.append("\n".join(self.written().splitlines()[-1:])[-600:])
            self.start()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens where it has ended, or never began."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def allow(self, size: int | None) -> None:
        """No file that it writes may grow past so many bytes; None for as it was."""
        wanted = resource.RLIM_INFINITY if size is None else size
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (wanted, resource.RLIM_INFINITY))

    async def kill(self) -> None:
        """SIGKILL, and wait for the end of it."""
        self._in_hand = True
        self.send(signal.SIGKILL)
        await self._gone()

    async def end(self) -> None:
        """SIGTERM, and wait: it finishes what it has at hand."""
        self._in_hand = True
        begun = time.monotonic()
        self.send(signal.SIGTERM)
        self.ended.append(await self._gone())
        self.slowest_end = max(self.slowest_end, time.monotonic() - begun)

    async def _gone(self) -> int | None:
        if self._process is None:
            return None
        await asyncio.to_thread(self._process.join, 60)
        return self._process.exitcode
