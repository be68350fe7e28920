"""The rehearsal: it tells the whole story, it notices what goes wrong, and it would notice a leak."""

import base64
import json
import logging
import subprocess
import sys
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
import structlog
from rich.console import Console

from config.settings import Relay
from matcher.demo import patient, rehearsal, story, witness
from matcher.demo.catcher import Catcher
from matcher.demo.relay import tls_for
from matcher.demo.transcript import NotSeen, Seen, Transcript
from matcher.records.bulletin import Record, SearchIn
from messaging.letters import Message
from messaging.smtp import Pool

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MAIL = Message(
    sender="retour@cpts.example",
    recipient="dr@cabinet.example",
    raw=b"Subject: =?utf-8?q?B=C3=A9ryl?=\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"bonjour") + b"\r\n",
)


@pytest.mark.slow
@pytest.mark.timeout(170)
def test_the_rehearsal_is_told_to_its_end_and_leaves_nothing_behind(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "matcher", "demo", "--once"],
        capture_output=True,
        text=True,
        env={"PATH": "", "TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
        timeout=165,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tous tenus" in done.stdout
    assert "✗" not in done.stdout
    assert list(tmp_path.iterdir()) == []


async def test_a_step_that_does_not_happen_ends_the_rehearsal_with_status_1(monkeypatch) -> None:
    monkeypatch.setattr(story, "PATIENCE", 1.5)
    monkeypatch.setattr(rehearsal, "Catcher", _Down)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    console = Console(record=True, width=120, quiet=True)
    try:
        status = await rehearsal.rehearse(once=True, port=0, console=console)
    finally:
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()
    assert status == 1


class _Down(Catcher):
    """A relay that refuses every mail for the time being."""

    def __init__(self) -> None:
        super().__init__()
        self.down = True


def test_every_field_of_the_bulletin_is_planted() -> None:
    watched = {c.field for c in (*patient.canaries(NOW), *patient.telling_words())}
    assert set(Record.model_fields) <= watched


def test_both_requests_are_complete_and_readable() -> None:
    for body in (patient.request(NOW), patient.family(NOW)):
        SearchIn.model_validate(body)
    filled = patient.request(NOW)["record"].keys() | patient.family(NOW)["record"].keys()
    assert filled == Record.model_fields.keys()


def test_what_is_planted_occurs_nowhere_else_in_the_project() -> None:
    canaries = patient.canaries(NOW)
    for folder in ("config", "messaging", "matcher", "templates"):
        for path in Path(folder).rglob("*"):
            if path.is_file() and path.suffix != ".pyc" and path.name != "patient.py":
                assert not witness.search(canaries, str(path), path.read_bytes())


@pytest.mark.parametrize(
    "hide",
    [
        str.encode,
        lambda text: json.dumps(text).encode(),
        lambda text: text.upper().encode() if text.isascii() else text.encode(),
        lambda text: text.encode().hex().encode(),
        lambda text: text.encode("utf-16-le"),
        *(lambda text, n=n: base64.b64encode(b"x" * n + text.encode() + b" et la suite") for n in range(3)),
    ],
)
def test_the_witness_sees_a_planted_value_plain_and_encoded(hide) -> None:
    canary = patient.Canary(field="difficulty", forms=("dyspnée-satinette",))
    content = b"\0garbage\xff" + hide("dyspnée-satinette") + b"\0"
    assert [leak.field for leak in witness.search([canary], "x", content)] == ["difficulty"]
    assert not witness.search([canary], "x", b"\0garbage\xff" * 100)


def test_the_witness_reads_a_mail_through_its_transfer_encoding() -> None:
    mail = EmailMessage()
    mail["Subject"] = "Zéphirin"
    mail.set_content("née à Moroni-Jaconas", cte="base64")
    readable = witness.readable(b"from\nto\n" + mail.as_bytes())
    fields = {leak.field for leak in witness.search(patient.canaries(NOW), "mail", readable)}
    assert fields == {"birth_name", "birth_place"}


def test_a_telling_word_is_found_as_a_word_and_not_inside_another() -> None:
    words = patient.telling_words()
    assert {leak.field for leak in witness.search_words(words, "m", "Mme X, en ALD.")} == {"sex", "ald"}
    assert not witness.search_words(words, "m", "Une personne passe, gérald, au cabinet.")


def test_the_transcript_stops_at_the_first_thing_that_was_not_seen() -> None:
    console = Console(record=True, width=100, quiet=True)
    out = Transcript(console)
    out.step("Un pas.")
    out.check(True, "vu")
    out.seen(Seen(doctor="rien du tout"))
    with pytest.raises(NotSeen, match="pas vu"):
        out.check(False, "pas vu")
    assert out.checks == 1


async def test_the_catcher_keeps_a_mail_as_its_reader_would_see_it() -> None:
    catcher = Catcher()
    async with catcher.listening() as port:
        pool = Pool(Relay(host="127.0.0.1", port=port, tls="plain"))
        assert (await pool.send(MAIL, within=10)).failure is None
        await pool.close()
    (caught,) = catcher.to("DR@cabinet.example")
    assert (caught.subject, caught.text.strip()) == ("Béryl", "bonjour")
    assert b"dr@cabinet.example" in catcher.raw()[0]


async def test_the_catcher_of_the_compose_file_takes_mail_over_tls_only(tmp_path) -> None:
    catcher = Catcher()
    authority = tmp_path / "tls" / "ca.pem"
    async with catcher.listening(tls=tls_for("localhost", authority)) as port:
        encrypted = Pool(Relay(host="localhost", port=port, tls="starttls", authorities=authority))
        assert (await encrypted.send(MAIL, within=10)).failure is None
        await encrypted.close()
        plain = Pool(Relay(host="localhost", port=port, tls="plain"))
        assert (await plain.send(MAIL, within=10)).failure is not None
        await plain.close()
        stranger = Pool(Relay(host="localhost", port=port, tls="starttls"))
        assert (await stranger.send(MAIL, within=10)).failure is not None
        await stranger.close()
    assert len(catcher.messages()) == 1
    assert "PRIVATE" not in authority.read_text()
