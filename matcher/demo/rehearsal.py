"""Builds a stage for the story: a folder of its own, a territory whose delays are seconds, a real server.

Everything happens in this process and on this host; nothing is left behind but what the folder held.
"""

import asyncio
import contextlib
import re
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientSession
from rich.console import Console

from config.logs import configure
from config.settings import BadSetting, Settings, load_settings
from matcher import app
from matcher.demo.api import Api, Unexpected
from matcher.demo.catcher import Catcher
from matcher.demo.extras import fill
from matcher.demo.story import Stage, Story
from matcher.demo.transcript import NotSeen, Transcript
from matcher.service import audit, installation, people
from matcher.service.actors import Role
from matcher.storage import migrate

TERRITORY = "venissieux"
SOURCE = Path(__file__).resolve().parents[2] / "config" / "territories" / TERRITORY
HOST = "127.0.0.1"
EMAIL = "salima@cpts-venissieux.example"
#: While the story is told, days are seconds: a reminder after 3, the second wave after 3 more …
STORY = {
    "reminder": "PT3S",
    "next_wave": "PT3S",
    "calls": "PT9S",
    "yes_held": "PT20M",
    "choice_chase": "PT20M",
    "opening_reminder": "PT20M",
    "opening_call": "PT20M",
    "appointment_asked": "PT20M",
    "appointment_check": "PT20M",
    "reconfirm": "PT24H",
    "settle": "PT1S",
    "min_reading": "PT1S",
}
#: Afterwards, for somebody who clicks around, days are minutes.
VISIT = STORY | {
    "reminder": "PT4M",
    "next_wave": "PT4M",
    "calls": "PT10M",
    "settle": "PT5S",
    "min_reading": "PT2S",
}
READING = 1.3


@dataclass(frozen=True, kw_only=True)
class Cast:
    """The keys of who acts, and the password of the office's demonstration account."""

    requester: str
    office: str
    director: str
    password: str


async def rehearse(*, once: bool, port: int, console: Console | None = None) -> int:
    """Tell the story; then, unless ``once``, serve until interrupted. Returns the exit status."""
    console = console or _console()
    out = Transcript(console)
    with tempfile.TemporaryDirectory(prefix="trait-union-demo-") as folder:
        place = Path(folder)
        try:
            return await _on_stage(place, out, console, once=once, port=port)
        except (NotSeen, Unexpected) as missing:
            console.print(f"\nLe récit s’arrête : {missing}", style="bold red", markup=False)
            console.print(_last_lines(place / "log" / "serveur.log"), style="dim", markup=False)
            return 1
        finally:
            # The log's file goes with the folder; what is still said goes where everybody looks.
            configure("warning")


async def _on_stage(place: Path, out: Transcript, console: Console, *, once: bool, port: int) -> int:
    for name in ("data", "keys", "territories", "log"):
        (place / name).mkdir()
    log = place / "log" / "serveur.log"
    catcher = Catcher()
    with log.open("w", encoding="utf-8") as stream:
        configure("info", stream)
        async with catcher.listening(HOST) as relay_port:
            port = _free_port(port, any_other=once)
            settings = _settings(place, relay_port, port)
            territory = _compressed(place / "territories", STORY)
            cast = await _set_up(settings, territory, out)
            console.print(f"Une répétition, dans {place} : tout est fictif.", style="dim", markup=False)
            async with serving(settings, catcher, port) as base, ClientSession() as http:
                stage = Stage(
                    base=base,
                    http=http,
                    requester=Api(http, base, cast.requester),
                    office=Api(http, base, cast.office),
                    anyone=Api(http, base),
                    catcher=catcher,
                    data=place / "data",
                    log=log,
                    metrics_token=settings.metrics_token,
                    reading=READING,
                )
                await Story(stage, out).tell()
            await _verify(settings, out)
            console.print(f"\n{out.checks} constats, tous tenus.", style="bold green", markup=False)
            if once:
                return 0
            _compressed(place / "territories", VISIT)
            return await _visit(settings, catcher, cast, console, port)


async def _set_up(settings: Settings, territory: Path, out: Transcript) -> Cast:
    """What ``init``, ``user add`` and ``key add`` do."""
    out.step("Une installation neuve : base SQLite, clés, territoire de Vénissieux.")
    async with app.open_house(settings) as house:
        await migrate.upgrade(house.engine)
        report = await installation.init(house, territory)
    async with app.open_house(settings) as house:
        password = f"{secrets.token_hex(3)}-{secrets.token_hex(3)}-{secrets.token_hex(3)}"
        await people.add_user(house, TERRITORY, EMAIL, Role.COORDINATRICE, name="Salima Mésange")
        await people.set_password(house, TERRITORY, EMAIL, password)
        structure = "PASS de l’hôpital des Trois-Érables"
        cast = Cast(
            requester=await people.add_key(house, TERRITORY, structure, Role.REQUESTER, kind="pass"),
            office=await people.add_key(house, TERRITORY, "Salima (répétition)", Role.COORDINATRICE),
            director=await people.add_key(house, TERRITORY, "Direction (répétition)", Role.DIRECTRICE),
            password=password,
        )
        residents = house.territory(TERRITORY).population.residents
        total = sum(cell.residents for cell in residents)
    out.check(
        not report.problems, f"{report.taken['doctors.csv']} médecins fictifs, {total:.0f} habitants inventés"
    )
    return cast


async def _verify(settings: Settings, out: Transcript) -> None:
    out.step("Le journal se relit d’un bout à l’autre.")
    async with app.open_house(settings) as house:
        broken = await audit.verify_journal(house)
    out.check(broken is None, "chaque entrée tient à la précédente, aucune ne manque")


async def _visit(settings: Settings, catcher: Catcher, cast: Cast, console: Console, port: int) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serving(settings, catcher, port) as base, ClientSession() as http:
        await fill(Api(http, base, cast.requester), Api(http, base, cast.office))
        lines = (
            "",
            f"  Se connecter :  {base}/connexion   {EMAIL}   {cast.password}",
            f"  Les mails :     {base}/boite",
            "",
            "  Où cliquer : « Bureau », une ligne, son verbe ; puis, dans la boîte, le lien d’une annonce.",
            "  Ici les jours durent quelques minutes. Ctrl-C pour finir ; rien n’est gardé.",
        )
        for line in lines:
            console.print(line, markup=False, soft_wrap=True)
        await stop.wait()
    return 0


@contextlib.asynccontextmanager
async def serving(settings: Settings, catcher: Catcher, port: int) -> AsyncIterator[str]:
    """The real server on this host, with its timers and mail; the value is its address."""
    stop, listening = asyncio.Event(), asyncio.Event()
    async with app.open_house(settings, mailbox=catcher) as house:
        running = asyncio.create_task(app.serve(house, HOST, port, stop, ready=lambda _port: listening.set()))
        # Whichever comes first: it listens, or it could not start.
        running.add_done_callback(lambda _task: listening.set())
        await listening.wait()
        try:
            if not running.done():
                yield f"http://{HOST}:{port}"
        finally:
            stop.set()
            await running


def _console() -> Console:
    """The terminal; a file or a pipe has no width of its own, and 80 is narrow for three columns."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=120)


def _free_port(wanted: int, *, any_other: bool) -> int:
    """``wanted`` if nobody listens there; else another if any will do. Raises BadSetting."""
    for port in (wanted, 0):
        with socket.socket() as trial:
            # As the server will: a connection of a moment ago must not be in the way.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((HOST, port))
            except OSError:
                if not any_other:
                    raise BadSetting("PORT", f"{wanted} is taken; try make demo PORT={wanted + 1}") from None
            else:
                return int(trial.getsockname()[1])
    raise AssertionError("the system has no free port")


def _settings(place: Path, relay_port: int, port: int) -> Settings:
    """The settings of the rehearsal; none of the surrounding environment reaches it."""
    return load_settings(
        {
            "TRAIT_UNION_DATABASE_URL": f"sqlite:///{place / 'data' / 'trait-union.sqlite3'}",
            "TRAIT_UNION_SMTP_URL": f"smtp://{HOST}:{relay_port}",
            "TRAIT_UNION_PUBLIC_URL": f"http://{HOST}:{port}",
            "TRAIT_UNION_KEYS_DIR": str(place / "keys"),
            "TRAIT_UNION_TERRITORIES": str(place / "territories"),
            "TRAIT_UNION_METRICS_TOKEN": secrets.token_urlsafe(24),
        }
    )


def _compressed(folder: Path, delays: Mapping[str, str]) -> Path:
    """A copy of Vénissieux on the wall clock, with these delays."""
    place = folder / TERRITORY
    shutil.copytree(SOURCE, place, dirs_exist_ok=True)
    path = place / "territory.toml"
    text = path.read_text("utf-8").replace('clock = "working"', 'clock = "wall"')
    before, urgent, rest = text.partition("[urgent]")
    section, waves, after = rest.partition("[waves]")
    for name, delay in delays.items():
        line, value = re.compile(rf'^{name} = "[^"]*"', re.MULTILINE), f'{name} = "{delay}"'
        before, after = line.sub(value, before), line.sub(value, after)
    path.write_text(before + urgent + section + waves + after, "utf-8")
    return place


def _last_lines(log: Path, count: int = 15) -> str:
    return "\n".join(log.read_text("utf-8").splitlines()[-count:]) if log.is_file() else ""
