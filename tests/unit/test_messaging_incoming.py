"""Real-looking replies and bounces, each read as its writer meant it, and never as a yes that it is not."""

import csv
import time
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.service.receiving import OURS
from messaging import bounces, incoming, replies

FOLDER = Path(__file__).resolve().parents[1] / "data" / "replies"
TODAY = date(2026, 11, 23)
INDEX = list(csv.DictReader((FOLDER / "index.csv").read_text("utf-8").splitlines(), delimiter=";"))


def understood(raw: bytes) -> replies.Reading | str:
    """What is made of a mail: a reading, or in a word what else it is."""
    mail = incoming.parse(raw, no_sender=b"Return-Path: <>" in raw)
    fate = bounces.fate(mail)
    if fate is not None:
        return fate.value
    if mail.automatic:
        return "read" if replies.tells(mail.text) else "automatic"
    return replies.read(mail.text, subject=mail.subject, ours=OURS, today=TODAY)


def word(raw: bytes) -> str:
    found = understood(raw)
    return found if isinstance(found, str) else found.says or "read"


def test_every_fixture_is_in_the_index_and_there_are_enough_of_each_kind():
    names = {row["file"] for row in INDEX}
    assert names == {path.name for path in FOLDER.glob("*.eml")}
    assert len(names) >= 120
    assert sum(name.startswith("rejet-") for name in names) >= 35
    assert sum(name.startswith("auto-") for name in names) >= 15


def test_nothing_is_misread_as_an_answer_and_nine_in_ten_clear_ones_are_understood():
    found = {row["file"]: word((FOLDER / row["file"]).read_bytes()) for row in INDEX}
    misread = [
        (row["file"], row["truth"], found[row["file"]])
        for row in INDEX
        if found[row["file"]] in ("yes", "no", "pause", "permanent") and found[row["file"]] != row["truth"]
    ]
    clear = [row for row in INDEX if row["clear"] == "oui"]
    good = [row for row in clear if found[row["file"]] == row["truth"]]
    print(
        f"\nreplies and bounces: {len(INDEX)}, clear {len(clear)}, understood {len(good)}, misread {misread}"
    )
    assert misread == []
    assert len(good) >= 0.9 * len(clear)


@pytest.mark.parametrize(
    ("name", "until"),
    [
        ("pause-date", date(2027, 1, 15)),
        ("pause-conge-mat", date(2027, 3, 1)),
        ("pause-chiffres", date(2027, 2, 10)),
    ],
)
def test_a_pause_is_read_with_its_last_day(name, until):
    found = understood((FOLDER / f"reponse-{name}.eml").read_bytes())
    assert isinstance(found, replies.Reading)
    assert found.until == until


def test_what_comes_with_a_yes_is_shown_too():
    found = understood((FOLDER / "reponse-oui-secretariat-rdv.eml").read_bytes())
    assert found == replies.Reading(says="yes", more=True)


@given(raw=st.binary(max_size=2000))
@settings(max_examples=300, deadline=None)
def test_no_bytes_break_the_reading(raw):
    assert word(raw) in ("yes", "no", "pause", "read", "automatic", *bounces.Fate)


@given(
    headers=st.lists(st.tuples(st.sampled_from(["From", "Subject", "Content-Type"]), st.text()), max_size=4),
    body=st.text(),
)
def test_no_headers_break_the_reading(headers, body):
    raw = "".join(f"{name}: {value}\n" for name, value in headers) + f"\n{body}"
    assert word(raw.encode("utf-8", "replace")) in ("yes", "no", "pause", "read", "automatic", *bounces.Fate)


def test_a_mail_inside_a_mail_inside_a_mail_does_not_go_on_for_ever():
    raw = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (number, number)
        for number in range(300)
    )
    assert word(raw + b"Content-Type: text/plain\n\noui\n") == "read"


def test_only_the_beginning_of_a_large_mail_is_looked_at():
    mail = EmailMessage()
    mail.set_content("oui")
    mail.add_attachment(b"x" * 900_000, maintype="application", subtype="pdf")
    assert word(mail.as_bytes()) == "yes"


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: text/html\n\n" + b"<!--" * 120_000,
        b"Content-Type: text/html\n\n" + b"<" * 500_000,
        b"Subject: " + b"=?utf-8?q?oui?= " * 30_000 + b"\n\nx",
        b"From: " + b"a@b, " * 60_000 + b"\n\nx",
        b"From: mailer-daemon@x.example\n\n" + b"<a@b.example>\n" * 30_000,
        b"\n" + b"Aa " * 160_000 + b"!",
    ],
    ids=["comments", "brackets", "encoded words", "senders", "addresses", "names"],
)
def test_a_mail_made_to_be_slow_is_not(raw):
    started = time.process_time()
    word(raw)
    # Half a second here; without the limits some of them take minutes.
    assert time.process_time() - started < 20


def test_the_head_and_the_comments_of_a_page_say_nothing():
    raw = b"Content-Type: text/html\n\n<HEAD><style>non</style></HEAD><!-- non --><p>oui</p><!-- non"
    assert word(raw) == "yes"


def test_an_attached_text_is_not_what_was_written():
    mail = EmailMessage()
    mail.set_content("\n")
    mail.add_attachment("oui", filename="note.txt")
    assert word(mail.as_bytes()) == "read"


def test_a_mail_with_two_senders_is_nobody_s():
    raw = b"From: a@cabinet.example, b@cabinet.example\n\noui"
    assert incoming.parse(raw, no_sender=False).sender == ""


@pytest.mark.parametrize("said", ["550 5.1.1", "550", "551 5.1.6", "550 5.2.1"])
def test_a_relay_that_knows_nobody_of_that_name_blames_the_address(said):
    assert bounces.blames_address(said)


@pytest.mark.parametrize(
    "said", ["554 5.7.1", "530", "535 5.7.8", "552 5.2.2", "552 5.3.4", "451 4.7.1", "connection", "timeout"]
)
def test_rules_and_full_mailboxes_say_nothing_against_an_address(said):
    assert not bounces.blames_address(said)


def returned(status: str, why: str) -> bounces.Fate | None:
    """What a report with that status says."""
    raw = (
        'From: mailer-daemon@mx.example\nContent-Type: multipart/report; boundary="B"\n\n'
        f"--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; p.martin@cabinet.example\nAction: failed\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; {why}\n\n--B--\n"
    )
    return bounces.fate(incoming.parse(raw.encode(), no_sender=True))


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("5.1.7", "550 5.1.7 bad sender's mailbox"),
        ("5.1.8", "550 5.1.8 access denied, bad outbound sender"),
        ("5.3.2", "554 5.3.2 system not accepting network messages"),
        ("5.4.6", "554 5.4.6 too many hops"),
        ("5.4.7", "delivery time expired"),
        ("5.5.0", "554 5.5.0 transaction failed"),
        ("5.6.0", "554 5.6.0 content error"),
    ],
)
def test_a_fault_of_the_way_or_of_the_sender_is_not_the_addresss(status, why):
    assert returned(status, why) is bounces.Fate.UNDELIVERED
    assert not bounces.blames_address(f"554 {status}")


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("5.5.0", "550 5.5.0 requested action not taken: mailbox unavailable, user unknown"),
        ("5.4.4", "host or domain name not found"),
        ("5.2.1", "550 5.2.1 mailbox disabled"),
        ("5.0.0", "550 no such user"),
    ],
)
def test_nobody_there_is_the_addresss_fault_whatever_the_status_says(status, why):
    assert returned(status, why) is bounces.Fate.PERMANENT
