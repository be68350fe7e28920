"""Tokens are derived from a key that is not in the database; whatever is wrong with one, the answer is no."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.keyring import KeyRing, Mac
from messaging.links import Link, Links, Purpose

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
LINK = Link(territory="venissieux", purpose=Purpose.ANSWER, id="a1" * 16, nonce="n1")
DOMAIN = "retour.cpts.example"
ROW = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    ring = KeyRing(tmp_path_factory.mktemp("keys"))
    ring.prepare(NOW)
    return ring


@pytest.fixture(scope="module")
def links(ring):
    return Links(ring)


def alike(links, token):
    """Neither raises, nor lets anything through."""
    assert not links.check(token, LINK, Purpose.ANSWER)
    assert not links.check(token, None, Purpose.ANSWER)
    assert not links.check_session(token, LINK, NOW)


def test_a_token_is_the_same_each_time_and_fits_into_an_address(links):
    token = links.token(LINK)
    assert token == links.token(LINK)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    assert links.link_id(token) == LINK.id
    assert links.check(token, LINK, Purpose.ANSWER)


@pytest.mark.parametrize(
    "change", [{"territory": "bron"}, {"purpose": Purpose.RECORD}, {"id": "b2" * 16}, {"nonce": "n2"}]
)
def test_a_token_is_of_one_link_only(links, change):
    token = links.token(LINK)
    other = replace(LINK, **change)
    assert links.token(other) != token
    assert not links.check(token, other, other.purpose)


def test_a_token_of_another_purpose_is_junk(links):
    for purpose in set(Purpose) - {Purpose.ANSWER}:
        assert not links.check(links.token(LINK), LINK, purpose)


def test_a_changed_nonce_revokes_and_a_link_that_does_not_exist_opens_nothing(links):
    token = links.token(LINK)
    assert not links.check(token, replace(LINK, nonce="new"), Purpose.ANSWER)
    assert not links.check(token, None, Purpose.ANSWER)


def test_each_altered_sign_is_refused(links):
    token = links.token(LINK)
    for index, sign in enumerate(token):
        for other in ("A", "B", "-", "_", "1"):
            if other != sign:
                alike(links, token[:index] + other + token[index + 1 :])


@pytest.mark.parametrize(
    "junk",
    [
        None,
        3,
        b"1-a-b",
        [],
        "",
        "-",
        "1--",
        "x" * 100_000,
        "1-é-" + "A" * 43,
        "0-a1-" + "A" * 43,
        "1-a1-" + "A" * 43 + "\n",
        "9999-a1-" + "A" * 43,
    ],
)
def test_junk_never_raises(links, junk):
    alike(links, junk)


@given(junk=st.text())
def test_no_text_raises(links, junk):
    alike(links, junk)
    assert links.returned(junk) is None
    assert not links.check_code(junk + "x", "venissieux", "r1", 1)


def test_the_link_of_nobody_cannot_be_asked_for(links):
    nobody = Link(territory="nobody", purpose="nothing", id="0" * 32, nonce="0" * 32)
    assert not links.check(links.token(nobody), None, "nothing")


def test_tokens_of_an_older_key_still_open(tmp_path):
    ring = KeyRing(tmp_path)
    ring.prepare(NOW)
    links = Links(ring)
    old, session = links.token(LINK), links.session(LINK, NOW + timedelta(minutes=15))
    ring.renew_mac(Mac.LINKS)
    ring.renew_mac(Mac.SESSIONS)
    assert links.token(LINK) != old
    assert links.check(old, LINK, Purpose.ANSWER)
    assert links.check(links.token(LINK), LINK, Purpose.ANSWER)
    assert links.check_session(session, LINK, NOW)


def test_a_session_is_of_one_link_and_ends(links):
    until = NOW + timedelta(minutes=15)
    session = links.session(LINK, until)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", session)
    assert links.check_session(session, LINK, NOW)
    assert not links.check_session(session, LINK, until)
    assert not links.check_session(session, replace(LINK, nonce="new"), NOW)
    assert not links.check_session(session, replace(LINK, id="b2" * 16), NOW)
    longer = session.replace(str(int(until.timestamp())), str(int(until.timestamp()) + 1))
    assert not links.check_session(longer, LINK, NOW)
    assert not links.check_session(session.replace("1-", "2-", 1), LINK, NOW)


def test_a_token_is_no_session_and_a_session_no_token(links):
    assert not links.check_session(links.token(LINK), LINK, NOW)
    assert not links.check(links.session(LINK, NOW + timedelta(1)), LINK, Purpose.ANSWER)


def test_a_code_has_six_digits_and_each_number_another(links):
    codes = [links.code("venissieux", "r1", number) for number in range(50)]
    assert all(re.fullmatch(r"[0-9]{6}", code) for code in codes)
    assert len(set(codes)) > 45
    assert links.code("bron", "r1", 0) != codes[0] or links.code("venissieux", "r2", 0) != codes[0]


def test_a_code_may_be_typed_with_spaces(links):
    code = links.code("venissieux", "r1", 1)
    assert links.check_code(f" {code[:3]} {code[3:]} ", "venissieux", "r1", 1)
    assert not links.check_code(code, "venissieux", "r1", 2)
    assert not links.check_code(code[:5], "venissieux", "r1", 1)
    for junk in (None, int(code), "", "é" * 6, "٣" * 6, "\udc80"):
        assert not links.check_code(junk, "venissieux", "r1", 1)


def test_a_return_path_is_known_again_in_any_case(links):
    address = links.return_path(ROW, DOMAIN)
    assert len(address.partition("@")[0]) <= 64
    assert links.returned(address) == links.returned(address.upper()) == ROW


def test_a_forged_return_path_is_nobody_s(links):
    address = links.return_path(ROW, DOMAIN)
    assert links.returned(address.replace("0123", "1123")) is None
    assert links.returned(address.replace(DOMAIN, "evil.example")) is None
    assert links.returned(address.replace(".", ".a", 1)) is None
    assert links.returned(f"bounces+{ROW}@{DOMAIN}") is None
    assert links.returned(None) is None


@pytest.mark.parametrize(
    ("id_", "domain"), [("x" * 40, DOMAIN), ("A", DOMAIN), ("a", "UPPER.example"), ("a>", DOMAIN)]
)
def test_a_return_path_that_no_relay_would_bring_back_is_refused(links, id_, domain):
    with pytest.raises(ValueError, match="return path"):
        links.return_path(id_, domain)


def test_a_reply_path_is_known_again_and_is_no_return_path(links):
    address = links.reply_path(ROW, DOMAIN)
    assert links.answered(address) == links.answered(address.upper()) == ROW
    assert links.returned(address) is None
    swapped = address.replace("reponse+", "bounces+")
    assert links.returned(swapped) is links.answered(swapped) is None
    assert links.answered(address.replace(DOMAIN, "evil.example")) is None


def test_the_mark_of_an_address_changes_with_it_but_not_with_its_case(links):
    mark = links.address_mark("a.martin@cabinet.example")
    assert mark == links.address_mark("A.Martin@cabinet.example ")
    assert mark != links.address_mark("b.martin@cabinet.example")
    assert links.returned(links.return_path("0" * 32 + mark, DOMAIN)) == "0" * 32 + mark
