"""A letter is a folder of templates; the mail made of it has one recipient and nothing remote."""

import email
import email.policy
from datetime import UTC, datetime

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.letters import BadAddress, Letters, Mailbox, Rendered, compose

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
LETTER = Rendered(
    subject="Un patient cherche un médecin traitant",
    text="Bonjour,\n\nhttps://tu.example/r#" + "a" * 90 + "\n.\nÀ bientôt\n",
    html="<p>Bonjour,</p>\n",
)
OFFICE = Mailbox(name="CPTS de Vénissieux", address="coordination@cpts.example")
DOCTOR = Mailbox(name="Dr Camille Renard", address="c.renard@cabinet.example")
ADDRESSED = {
    "sender": OFFICE,
    "recipient": DOCTOR,
    "return_path": "bounces+1.abc@retour.cpts.example",
    "message_id": "<abc@retour.cpts.example>",
    "date": NOW,
}


def parsed(message):
    return email.message_from_bytes(message.raw, policy=email.policy.default)


@pytest.fixture
def letters(tmp_path):
    folder = tmp_path / "hello"
    folder.mkdir()
    (tmp_path / "layout.html").write_text(
        "<style>p { color: red }</style><link rel='stylesheet' href='https://remote.example/x.css'>"
        "{% block body %}{% endblock %}",
        "utf-8",
    )
    (folder / "subject.txt").write_text("Bonjour {{ name }}\n", "utf-8")
    (folder / "body.txt").write_text("\n\nBonjour {{ name }}   \n\n\n\nAu revoir\n", "utf-8")
    (folder / "body.html").write_text(
        '{% extends "layout.html" %}{% block body %}<p>Bonjour {{ name }}</p>{% endblock %}', "utf-8"
    )
    return Letters(tmp_path)


def test_a_letter_is_filled_in_in_three_parts(letters):
    rendered = letters.render("hello", {"name": "Zoé & <Léa>"})
    assert rendered.subject == "Bonjour Zoé & <Léa>"
    assert rendered.text == "Bonjour Zoé & <Léa>\n\nAu revoir\n"
    assert "Bonjour Zoé &amp; &lt;Léa&gt;" in rendered.html
    assert 'style="color: red;"' in rendered.html.replace("'", '"')


def test_a_page_without_style_is_left_as_it_is(letters, tmp_path):
    (tmp_path / "hello" / "body.html").write_text("<p>{{ name }}</p>", "utf-8")
    assert letters.render("hello", {"name": "x"}).html == "<p>x</p>\n"


def test_an_unknown_variable_is_an_error_never_a_blank(letters):
    with pytest.raises(jinja2.UndefinedError):
        letters.render("hello", {})


def test_an_unknown_letter_is_an_error(letters):
    with pytest.raises(jinja2.TemplateNotFound):
        letters.render("goodbye", {})


def test_what_a_person_typed_is_no_template(letters):
    assert "{{ 7 * 7 }}" in letters.render("hello", {"name": "{{ 7 * 7 }}"}).text


def test_a_mail_reads_back_as_it_was_written():
    message = compose(LETTER, **ADDRESSED, reply_to=OFFICE)
    mail = parsed(message)
    assert not mail.defects
    assert mail["Subject"] == LETTER.subject
    assert mail["From"].addresses[0].display_name == OFFICE.name
    assert [one.addr_spec for one in mail["To"].addresses] == [DOCTOR.address]
    assert mail["Reply-To"].addresses[0].addr_spec == OFFICE.address
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"] == "<abc@retour.cpts.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n").rstrip() == LETTER.text.rstrip()
    assert mail.get_body(("html",)).get_content().strip() == LETTER.html.strip()
    assert (message.sender, message.recipient) == (ADDRESSED["return_path"], DOCTOR.address)


def test_a_mail_passes_every_relay_unchanged():
    raw = compose(LETTER, **ADDRESSED, unsubscribe="https://tu.example/u/" + "a" * 90).raw
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.splitlines()) < 998


def test_the_same_mail_has_the_same_bytes():
    assert compose(LETTER, **ADDRESSED) == compose(LETTER, **ADDRESSED)


def test_one_click_is_offered_where_there_is_something_to_pause():
    mail = parsed(compose(LETTER, **ADDRESSED, unsubscribe="https://tu.example/u/TOKEN"))
    assert mail["List-Unsubscribe"] == "<https://tu.example/u/TOKEN>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "List-Unsubscribe" not in parsed(compose(LETTER, **ADDRESSED))


def test_a_reminder_is_shown_with_what_it_reminds_of():
    mail = parsed(compose(LETTER, **ADDRESSED, references="<first@retour.cpts.example>"))
    assert mail["In-Reply-To"] == mail["References"] == "<first@retour.cpts.example>"


def test_items_go_with_the_mail():
    assert compose(LETTER, **ADDRESSED, items=("s1", "s2")).items == ("s1", "s2")


def test_an_accented_domain_is_written_in_ascii():
    message = compose(LETTER, **ADDRESSED | {"recipient": Mailbox(address="a@médecin.example")})
    assert message.recipient == "a@xn--mdecin-bva.example"
    assert parsed(message)["To"] == "a@xn--mdecin-bva.example"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "@x.example",
        "a@",
        "a b@x.example",
        "a@x.example\r\nBcc: b@x.example",
        "a@x.example, b@x.example",
        "a@x..example",
        "é@x.example",
        "a" * 65 + "@x.example",
        "a@" + "x." * 130 + "example",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(address):
    for field in ("sender", "recipient"):
        with pytest.raises(BadAddress) as told:
            compose(LETTER, **ADDRESSED | {field: Mailbox(address=address)})
        assert not address or address not in str(told.value)
    with pytest.raises(BadAddress):
        compose(LETTER, **ADDRESSED | {"return_path": address})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("message_id", "abc@x.example"),
        ("message_id", "<abc@x.example>\r\nBcc: x@x.example"),
        ("references", "<a b@x.example>"),
        ("unsubscribe", "https://x.example/>\r\nBcc: x@x.example"),
        ("unsubscribe", "mailto:x@x.example"),
    ],
)
def test_what_cannot_stand_in_a_header_is_refused(field, value):
    with pytest.raises(BadAddress):
        compose(LETTER, **ADDRESSED | {field: value})


@given(text=st.text(max_size=300))
def test_no_subject_and_no_name_adds_a_header(text):
    letter = Rendered(subject=text, text="x\n", html="<p>x</p>\n")
    plain = compose(Rendered(subject="", text="x\n", html="<p>x</p>\n"), **ADDRESSED)
    person = Mailbox(name=text, address=DOCTOR.address)
    mail = email.message_from_bytes(compose(letter, **ADDRESSED | {"recipient": person}).raw)
    assert mail.keys() == email.message_from_bytes(plain.raw).keys()
    assert email.utils.parseaddr(mail["To"].replace("\r\n", ""))[1] == DOCTOR.address


@given(text=st.text(max_size=500))
def test_any_body_reads_back(text):
    letter = Rendered(subject="x", text=text, html="<p>x</p>\n")
    sent = "".join(sign for sign in text if not 0xD800 <= ord(sign) <= 0xDFFF)
    mail = email.message_from_bytes(
        compose(Rendered(subject="x", text=sent, html=letter.html), **ADDRESSED).raw
    )
    body = mail.get_payload()[0].get_payload(decode=True).decode()
    assert body.replace("\r\n", "\n").rstrip("\n") == sent.replace("\r\n", "\n").rstrip("\n")
