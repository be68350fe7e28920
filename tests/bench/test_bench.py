"""How fast, on this machine, in this run. Only ratios and orders of magnitude mean anything elsewhere.

``make bench`` prints one line per figure; a test fails only where something has become absurdly slow.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from config.settings import Relay
from matcher.protocol import steps
from matcher.protocol.effects import Letter
from matcher.protocol.places import Place, PlaceKind
from matcher.protocol.ranking import candidates
from matcher.protocol.wishes import Wish, WishKind
from messaging.keyring import KeyRing
from messaging.letters import Letters, Mailbox, Message, compose
from messaging.smtp import Pool
from messaging.vault import Vault
from tests.bench.sink import PORT_LINE
from tests.unit.protocol_world import World
from tests.unit.test_mails import CONTEXTS, EVERY, FOLDER
from tests.unit.test_ranking import doctor

pytestmark = pytest.mark.bench

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MAILS = 400
#: Kept connections, the same for both sides.
CONNECTIONS = 4


@pytest.fixture
def sink():
    """The port of a relay in another process."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("sink.py"))], stdout=subprocess.PIPE, text=True
    )
    yield int(process.stdout.readline().removeprefix(PORT_LINE))
    process.kill()
    process.communicate()


@pytest.fixture
def letters() -> Letters:
    return Letters(FOLDER)


def _announcement(letters: Letters, number: int) -> Message:
    rendered = letters.render("announcement", {**EVERY, **CONTEXTS[Letter.ANNOUNCEMENT]})
    return compose(
        rendered,
        sender=Mailbox(address="coordination@cpts.example", name="CPTS de Vénissieux"),
        recipient=Mailbox(address=f"dr{number}@cabinet.example", name="Dr Bruyère"),
        return_path=f"retour+{number}@retour.cpts.example",
        message_id=f"<{number}@cpts.example>",
        date=NOW,
        unsubscribe="https://trait.example/u/abc",
    )


async def _bare(port: int, raw: bytes, mails: int) -> None:
    """What a sender does that does nothing else: ready bytes over kept connections."""

    async def connection(share: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        for _ in range(share):
            for line in (b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<c@d.example>\r\n", b"DATA\r\n", raw):
                writer.write(line)
                await reader.readline()
        writer.close()

    await asyncio.gather(*(connection(mails // CONNECTIONS) for _ in range(CONNECTIONS)))


async def _pooled(port: int, make: Callable[[int], Message], mails: int) -> None:
    pool = Pool(Relay(host="127.0.0.1", port=port, tls="plain", connections=CONNECTIONS))

    async def connection(share: int, first: int) -> None:
        for number in range(first, first + share):
            assert (await pool.send(make(number), within=30)).failure is None

    share = mails // CONNECTIONS
    await asyncio.gather(*(connection(share, n * share) for n in range(CONNECTIONS)))
    await pool.close()


async def test_letters_are_composed_and_sent_at_a_fair_share_of_a_bare_senders_rate(sink, letters) -> None:
    ready = _announcement(letters, 0)
    raw = ready.raw.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n"
    await _bare(sink, raw, CONNECTIONS)
    started = time.perf_counter()
    await _bare(sink, raw, 5 * MAILS)
    bare = 5 * MAILS / (time.perf_counter() - started)
    started = time.perf_counter()
    await _pooled(sink, lambda _number: ready, MAILS)
    sent = MAILS / (time.perf_counter() - started)
    started = time.perf_counter()
    await _pooled(sink, lambda number: _announcement(letters, number), MAILS)
    composed = MAILS / (time.perf_counter() - started)
    _print("bare sender, ready bytes", bare, "mails/s")
    _print("our pool, ready bytes", sent, f"mails/s, {sent / bare:.2f} of the bare sender")
    _print("rendered, composed and sent", composed, f"mails/s, {composed / bare:.2f} of the bare sender")
    assert composed / bare > 0.02


def test_ten_thousand_doctors_are_ranked() -> None:
    doctors = [doctor(str(n), km=n % 300 / 10, sex="FM"[n % 2]) for n in range(10_000)]
    place = Place(name="P", kind=PlaceKind.QUARTIER, lat=45.7, lon=4.88, insee="69259", quartier="P")
    wishes = (Wish(kind=WishKind.DOCTOR_SEX, value="F", hard=False),)
    started = time.perf_counter()
    found = candidates(
        doctors,
        wishes=wishes,
        conditions=(),
        place=place,
        declined=(),
        offers=(),
        today=date(2026, 11, 23),
        persons=1,
    )
    spent = time.perf_counter() - started
    _print("ranking 10 000 doctors", 1000 * spent, "ms")
    assert len(found.ordered) == 10_000


def test_the_protocol_takes_steps() -> None:
    ready = World("anna", "bert", "cleo").ready()
    rounds = 2_000
    started = time.perf_counter()
    for _ in range(rounds):
        steps.launch(ready.search, ready.around)
    _print("protocol, launches", rounds / (time.perf_counter() - started), "steps/s")


def test_records_are_sealed_and_opened(tmp_path) -> None:
    keyring = KeyRing(tmp_path)
    month = keyring.prepare(NOW)
    vault, text, rounds = Vault(keyring), b"x" * 4_000, 500
    place = {"territory": "t", "record": "r", "section": "record"}
    started = time.perf_counter()
    sealed = [vault.seal(text, key=month, **place) for _ in range(rounds)]
    _print("sealing 4 kB", rounds / (time.perf_counter() - started), "records/s")
    started = time.perf_counter()
    assert all(vault.open(one, **place) == text for one in sealed)
    _print("opening 4 kB", rounds / (time.perf_counter() - started), "records/s")


def _print(what: str, figure: float, unit: str) -> None:
    print(f"\n{what:32} {figure:10,.0f} {unit}", end="", flush=True)
