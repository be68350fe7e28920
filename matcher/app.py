"""The one place where things are put together: database, keys, mail, clock, pages."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog
from aiohttp import web

from config.database import keep_statistics, make_engine, make_sessions
from config.settings import BadSetting, Settings
from matcher import clock
from matcher.service import live, receiving
from matcher.service.composing import Composer
from matcher.service.house import House, Mailbox, Part
from matcher.service.installation import load_territories
from matcher.service.telling import Telling
from matcher.storage import migrate, territories
from matcher.web import routes
from matcher.web.limits import LARGEST_BODY
from messaging.dispatcher import Dispatcher
from messaging.escrow import Escrow
from messaging.inbox import Door
from messaging.keyring import KeyRing
from messaging.letters import Letters
from messaging.links import Links
from messaging.smtp import Pool
from messaging.vault import Vault

#: The templates of mails, pages and documents lie beside the packages, not inside them.
TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
#: How long a request at hand may still take once the process was asked to end; then it is cancelled, and
#: may take as long again to end.
GRACE_SECONDS = 4.0
#: The process is gone by then, whatever hangs: a database that does not answer, a thread. Nothing is lost
#: that way, since what it held comes back by itself once its lease is over.
GONE_SECONDS = 9.5
#: How long a connection may say nothing, or not finish the head of a request, before it is closed. Longer
#: than a proxy in front keeps one open (60 s for nginx), so that it is never ours that ends first.
IDLE_SECONDS = 75.0
_log = structlog.get_logger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_house(
    settings: Settings,
    *,
    now: Callable[[], datetime] = _now,
    mailbox: Mailbox | None = None,
    part: Part = Part.ALL,
) -> AsyncIterator[House]:
    """The installation, opened; its database is closed at the end.

    Raises BadSetting where the database has no schema or an older one: ``init`` makes it.
    """
    engine = make_engine(settings.database_url)
    try:
        escrow = Escrow(settings.escrow_dir)
        keyring = KeyRing(settings.keys_dir, escrow)
        house = House(
            settings=settings,
            engine=engine,
            sessions=make_sessions(engine),
            keyring=keyring,
            escrow=escrow,
            vault=Vault(keyring),
            links=Links(keyring),
            now=now,
            territories={},
            mailbox=mailbox,
            part=part,
        )
        yield replace(house, territories=await load_territories(house))
    finally:
        await engine.dispose()


def dispatcher_of(house: House, pool: Pool) -> Dispatcher:
    """What sends the house's mails over a pool of connections to its relay."""
    relay = house.settings.relay
    return Dispatcher(
        sessions=house.sessions,
        smtp=pool,
        compose=Composer(house, Letters(TEMPLATES / "mail")).compose,
        on_settled=Telling(house).on_settled,
        now=house.now,
        lease=house.settings.lease,
        longest_send=relay.timeout,
        pace=relay.pace,
        held=territories.stopped,
    )


@asynccontextmanager
async def mail_door(house: House) -> AsyncIterator[int]:
    """Where bounces and replies come in, open where the settings say so. The value is its port, else 0.

    Raises BadSetting where it cannot listen.
    """
    where = house.settings.inbox
    if where is None:
        yield 0
        return
    door = Door(
        known=partial(receiving.is_ours, house),
        take=partial(receiving.take, house),
        counts=house.at_the_door,
    )
    async with AsyncExitStack() as opened:
        try:
            port = await opened.enter_async_context(door.listening(where))
        except OSError as problem:
            raise BadSetting("TRAIT_UNION_INBOX_URL", f"cannot listen there: {problem.strerror}") from None
        yield port


def make_web_app(house: House) -> web.Application:
    """The pages and the API, without timers or mail."""
    app = web.Application(client_max_size=LARGEST_BODY)
    routes.setup(app, house)
    return app


def make_runner(house: House, idle_seconds: float = IDLE_SECONDS) -> web.AppRunner:
    """What answers connections with the pages and the API, and ends those that only stay."""
    return web.AppRunner(
        make_web_app(house),
        access_log=None,
        shutdown_timeout=GRACE_SECONDS,
        handle_signals=False,
        keepalive_timeout=idle_seconds,
    )


async def work(house: House, stop: asyncio.Event) -> None:
    """Timers and mail, until ``stop`` is set; what is on its way is finished, the rest given back."""
    if house.part is Part.INTAKE:
        # They need the keys that make links.
        await stop.wait()
        return
    house.keyring.prepare(house.now())
    await keep_statistics(house.engine)
    pool = Pool(house.settings.relay)
    dispatcher = dispatcher_of(house, pool)
    bell = house.bell.listen()

    async def answer_the_bell() -> None:
        while True:
            await bell.wait()
            bell.clear()
            dispatcher.wake()

    listening = asyncio.create_task(answer_the_bell())
    relaying = asyncio.create_task(live.relay(house.bell, house.engine))
    try:
        async with mail_door(house), asyncio.TaskGroup() as group:
            group.create_task(clock.run(house, stop))
            group.create_task(dispatcher.run(stop))
    finally:
        listening.cancel()
        relaying.cancel()
        await pool.close()


async def serve(
    house: House, host: str, port: int, stop: asyncio.Event, *, ready: Callable[[int], None] | None = None
) -> None:
    """Pages, API, timers and mail, until ``stop`` is set. ``ready`` is told the port that is listened on."""
    runner = make_runner(house)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        if ready is not None:
            ready(runner.addresses[0][1])
        told = asyncio.create_task(stop.wait())
        working = asyncio.create_task(work(house, stop))
        await asyncio.wait({told, working}, return_when=asyncio.FIRST_COMPLETED)
    except BaseException:
        await runner.cleanup()
        raise
    told.cancel()
    stop.set()
    # Requests end beside the steps and mails at hand: each has the whole grace.
    await runner.cleanup()
    await working


async def run_serve(
    settings: Settings, host: str, port: int, part: Part = Part.ALL, *, now: Callable[[], datetime] = _now
) -> None:
    """``trait-union serve``: until SIGTERM or SIGINT. Raises BadSetting for a part of it on SQLite, which has
    one process.
    """
    if part is not Part.ALL and settings.embedded:
        raise BadSetting("TRAIT_UNION_DATABASE_URL", "two parts need PostgreSQL; on SQLite serve does it all")
    async with _until_told() as stop, open_house(settings, now=now, part=part) as house:
        await _checked(house)
        await serve(house, host, port, stop, ready=lambda at: _log.info("serving", host=host, port=at))


async def run_worker(settings: Settings, *, now: Callable[[], datetime] = _now) -> None:
    """``trait-union worker``: timers and mail only. Raises BadSetting on SQLite, which has one process."""
    if settings.embedded:
        raise BadSetting("TRAIT_UNION_DATABASE_URL", "a worker needs PostgreSQL; on SQLite serve does it all")
    async with _until_told() as stop, open_house(settings, now=now) as house:
        await _checked(house)
        _log.info("working")
        await work(house, stop)


async def _checked(house: House) -> None:
    """Refuse to start on a schema that is not the code's."""
    if not await migrate.is_current(house.engine):
        raise BadSetting("TRAIT_UNION_DATABASE_URL", "no schema, or an older one: run trait-union init")


@asynccontextmanager
async def _until_told() -> AsyncIterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set; the process does not outlive it for long."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        if not stop.is_set():
            _log.info("ending")
            last = threading.Timer(GONE_SECONDS, _gone)
            last.daemon = True
            last.start()
            stop.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, end)
    try:
        yield stop
    finally:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(name)


def _gone() -> None:
    _log.error("ended_in_haste", seconds=GONE_SECONDS)
    # Neither threads nor open connections are waited for.
    os._exit(1)
