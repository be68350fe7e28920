"""Nothing that names a person or opens a door is printed."""

import asyncio
import io
import json
import logging

import pytest
import structlog

from config.logs import configure, redact

TOKEN = "1-0123456789abcdef0123456789abcdef-aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789_-aBcDe"


@pytest.fixture
def lines():
    """What was printed so far, as objects; the process's own logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure("debug", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        "camille.renard@example.org",
        "camille.renard+x@mssante.example",
        "Bearer 4f3c",
        "Basic dXNlcjpwYXNz",
        "284058832102532",
        "2 84 05 88 321 025 32",
        "2 84 05 2A 321 025 52",
        "284052A321025",
        "06 39 98 12 34",
        "0639981234",
        "+33 6 39 98 12 34",
        "+33 (0)6 39 98 12 34",
        "06\u202f39\u202f98\u202f12\u202f34",
        "10003456789",
    ],
)
def test_what_could_name_or_open_is_cut_out_of_any_text(secret):
    assert secret not in redact(secret)
    told = redact(f"said {secret}, then left")
    assert secret not in told
    assert told.startswith("said ")
    assert told.endswith(", then left")


def test_the_fragment_of_a_link_is_cut_off():
    assert redact("see https://tu.example/r#abc now") == "see https://tu.example/r#[fragment] now"


def test_the_token_of_a_one_click_pause_is_cut_out():
    assert redact("POST /u/short HTTP/1.1") == "POST /u/[token] HTTP/1.1"


def test_a_password_in_an_address_is_cut_out():
    assert redact("postgresql://tu:canary@db.example/tu") == "postgresql://[secret]@db.example/tu"


@pytest.mark.parametrize(
    "harmless",
    [
        "search 0123456789abcdef0123456789abcdef launched",
        "2026-11-23T08:00:00.123456+00:00",
        "VEN-26-0042",
        "550 5.1.1",
        "38 mails in 1250 ms, issue #12",
    ],
)
def test_ids_and_times_stay_readable(harmless):
    assert redact(harmless) == harmless


def test_every_field_is_cleaned_however_deep(lines):
    structlog.get_logger("x").info(
        "wrote to camille@example.org",
        password="canary1",
        Authorization="canary2",
        phone=None,
        nested={"list": ["0639981234", {"code": "123456"}], "camille@example.org": 1},
        number=284058832102532,
        count=38,
        share=0.5,
        found=True,
    )
    (line,) = lines()
    assert line["event"] == "wrote to [mail]"
    assert line["password"] == line["Authorization"] == "[secret]"
    assert line["phone"] is None
    assert line["nested"] == {"list": ["[phone]", {"code": "[secret]"}], "[mail]": 1}
    assert line["number"] == "[number]"
    assert (line["count"], line["share"], line["found"]) == (38, 0.5, True)
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")


def test_libraries_logs_and_tracebacks_are_cleaned_too(lines):
    try:
        try:
            raise KeyError("Zinzolin")
        except KeyError as error:
            raise ValueError("no place for camille@example.org") from error
    except ValueError:
        logging.getLogger("aiohttp.server").exception("GET /dossier#%s", TOKEN)
    (line,) = lines()
    assert TOKEN not in json.dumps(line)
    assert line["exception"].endswith("\nValueError from KeyError")
    assert "test_config_logs.py:" in line["exception"]
    assert "camille" not in json.dumps(line)
    assert "Zinzolin" not in json.dumps(line)


async def test_an_error_that_nobody_waited_for_is_logged_without_its_words(lines):
    async def slip():
        raise ValueError("Camille Aubépine, née le 2 mars")

    task = asyncio.ensure_future(slip())
    await asyncio.wait({task})
    # As asyncio says it once such a task is forgotten.
    told = {"message": "Task exception was never retrieved", "exception": task.exception(), "future": task}
    asyncio.get_running_loop().default_exception_handler(told)
    asyncio.get_running_loop().call_soon(int, "Aubépine")
    await asyncio.sleep(0)
    assert "Aubépine" not in json.dumps(lines(), ensure_ascii=False)
    errors = [line for line in lines() if line["level"] == "error"]
    said = [line["event"] for line in errors]
    assert said == ["Task exception was never retrieved", "Exception in callback int"]
    assert all(line["exception"].endswith("ValueError") for line in errors)


def test_what_goes_over_a_connection_is_not_logged(lines):
    for name in ("aiosmtplib", "mail.log", "aiosqlite", "sqlalchemy.engine"):
        logging.getLogger(name).info("RCPT TO:<…>")
    assert lines() == []
