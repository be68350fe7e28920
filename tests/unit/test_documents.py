"""The record as a PDF: everything that was submitted is there, in words, and nothing typed acts on it."""

import re
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import documents
from matcher.protocol.search import ReleaseKind, Terms, Where

AT = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
NAMES: dict[str, Any] = {
    "reference": "VEN-26-0042",
    "territory": "CPTS de Vénissieux",
    "doctor": "Dr Azalée Bruyère",
    "office": "04 65 71 00 00",
}
RECORD: dict[str, Any] = {
    "birth_name": "Tourterelle",
    "first_names": "Aïcha",
    "used_name": "Bouvreuil",
    "sex": "F",
    "birth_date": "1958-03-01",
    "birth_place": "Oran",
    "nir": "258039935212345",
    "phone": "06 39 98 12 34",
    "phone2": "06 39 98 12 35",
    "email": "aicha@example.org",
    "reach_via": "relative",
    "safe_contact": {"message": False, "sms": True, "who": "sa fille", "language": "ar"},
    "address": {"line": "12 rue du Silex", "postcode": "69200", "city": "Vénissieux"},
    "housing": "hosted",
    "contact": {"name": "Mésange", "phone": "06 39 98 00 01", "relation": "voisine"},
    "language": "ar",
    "interpreter": True,
    "nationality": "algérienne",
    "coverage": "ame",
    "rights_opened_on": "2026-01-05",
    "ald": "pending",
    "pregnancy": False,
    "discharge_on": "2026-11-02",
    "difficulty": "Diabète mal équilibré.\nRupture de suivi depuis juin.",
    "care_needed": "Suivi régulier",
    "social": "Isolement",
    "treatments": ["Metformine", "Ramipril"],
    "referring": {"name": "Mme Grive", "service": "PASS", "phone": "04 65 71 90 10"},
    "screening": {"emergency_stay": "yes", "restricted_mobility": "unknown"},
    "household": [{"birth_date": "2015-06", "relation": "petit-fils"}],
    "attachments": [{"name": "ordonnance.pdf", "media_type": "application/pdf", "content": "JVBERi0="}],
}


def render(record: dict[str, Any], **changed: Any) -> bytes:
    return documents.render_record(record, released_at=AT, **(NAMES | changed))


def said(record: dict[str, Any], **changed: Any) -> str:
    return "\n".join(words(render(record, **changed)))


def words(pdf: bytes) -> Iterator[str]:
    """What a PDF of typst's says, a shown string a line, read through the fonts' ToUnicode maps."""
    objects = {
        number: (head, zlib.decompress(body) if b"FlateDecode" in head else body)
        for number, head, body in (
            (int(n), *(raw.partition(b"stream")[0], _stream(raw)))
            for n, raw in re.findall(rb"(\d+) 0 obj\s*(.*?)\s*endobj", pdf, re.DOTALL)
        )
    }
    maps = {
        number: _unicode(objects[int(found[1])][1])
        for number, (head, _) in objects.items()
        if (found := re.search(rb"/ToUnicode (\d+) 0 R", head))
    }
    for head, _ in list(objects.values()):
        if b"/Type/Page/" not in head:
            continue
        resources = objects[int(re.search(rb"/Resources (\d+) 0 R", head)[1])][0]  # type: ignore[index]
        fonts = {name: int(number) for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", resources)}
        content = objects[int(re.search(rb"/Contents (\d+) 0 R", head)[1])][1]  # type: ignore[index]
        yield from _shown(content, {name: maps[number] for name, number in fonts.items()})


def _stream(raw: bytes) -> bytes:
    found = re.search(rb"stream\r?\n(.*)\r?\nendstream", raw, re.DOTALL)
    return found[1] if found else b""


def _unicode(cmap: bytes) -> dict[int, str]:
    """Glyph → text. Typst writes ``bfchar`` lines and ``bfrange`` lines."""
    text = cmap.decode("latin-1")
    glyphs: dict[int, str] = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", text, re.DOTALL):
        for glyph, value in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
            glyphs[int(glyph, 16)] = bytes.fromhex(value).decode("utf-16-be")
    for block in re.findall(r"beginbfrange(.*?)endbfrange", text, re.DOTALL):
        for first, last, value in re.findall(
            r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block
        ):
            for step in range(int(last, 16) - int(first, 16) + 1):
                start = bytes.fromhex(value).decode("utf-16-be")
                glyphs[int(first, 16) + step] = start[:-1] + chr(ord(start[-1]) + step)
    return glyphs


def _shown(content: bytes, fonts: dict[bytes, dict[int, str]]) -> Iterator[str]:
    font: dict[int, str] = {}
    literal_, hexed_ = rb"\((?:\\.|[^\\()])*\)", rb"<[0-9A-Fa-f]*>"
    pattern = rb"/(f\d+) [\d.]+ Tf|\[((?:" + literal_ + rb"|" + hexed_ + rb"|[-\d. ])*)\]\s*TJ"
    pattern += rb"|(" + literal_ + rb") ?Tj"
    for found in re.finditer(pattern, content, re.DOTALL):
        if found[1]:
            font = fonts[found[1]]
            continue
        inside = found[2] if found[2] is not None else found[3]
        codes = b"".join(
            _unescaped(literal) if literal else bytes.fromhex(hexed.decode())
            for literal, hexed in re.findall(rb"\(((?:\\.|[^\\()])*)\)|<([0-9A-Fa-f]*)>", inside, re.DOTALL)
        )
        yield "".join(font[int.from_bytes(codes[i : i + 2])] for i in range(0, len(codes), 2))


def _unescaped(literal: bytes) -> bytes:
    named = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}

    def one(found: re.Match[bytes]) -> bytes:
        sign: bytes = found[1]
        return bytes([int(sign, 8)]) if sign.isdigit() else named.get(sign, sign)

    return re.sub(rb"\\([0-7]{1,3}|.)", one, literal, flags=re.DOTALL)


def test_the_pdf_is_tagged_for_screen_readers_and_archives() -> None:
    pdf = render(RECORD)
    assert pdf.startswith(b"%PDF-1.7")
    assert pdf.rstrip().endswith(b"%%EOF")
    for mark in (b"/MarkInfo<</Marked true", b"/Lang(fr)", b"<pdfuaid:part>1<", b"<pdfaid:part>2<"):
        assert mark in pdf
    assert 10_000 < len(pdf) < 200_000


def test_the_same_record_gives_the_same_bytes() -> None:
    assert render(RECORD) == render(RECORD)


def test_everything_submitted_is_said_in_words() -> None:
    text = said(RECORD)
    for phrase in (
        "BOUVREUIL Aïcha",
        "Tourterelle",
        "1er mars 1958 (68 ans)",
        "Oran",
        "258039935212345",
        "06 39 98 12 34",
        "06 39 98 12 35",
        "aicha@example.org",
        "12 rue du Silex",
        "69200 Vénissieux",
        "hébergement chez un tiers",
        "Mésange, 06 39 98 00 01, voisine",
        "algérienne",
        "aide médicale de l’État (AME)",
        "5 janvier 2026",
        "demande en cours",
        "2 novembre 2026",
        "Diabète mal équilibré.",
        "Rupture de suivi depuis juin.",
        "Suivi régulier",
        "Isolement",
        "Metformine",
        "Ramipril",
        "Mme Grive, PASS, 04 65 71 90 10",
        "ne sait pas",
        "juin 2015 (11 ans)",
        "petit-fils",
        "ordonnance.pdf",
        "Pour Dr Azalée Bruyère – transmise le 21 novembre 2026 – référence VEN-26-0042",
        "CPTS de Vénissieux – 04 65 71 00 00",
        "secret professionnel",
    ):
        assert phrase in text, phrase
    assert "JVBERi0=" not in text


def test_who_calls_whom_is_said_with_the_rules_of_safe_contact_and_the_interpreter() -> None:
    alerts = documents.lay_out(RECORD, released_on=date(2026, 11, 20), **NAMES)["alerts"]
    calls, safe, interpreter = (alert.replace("\u202f", " ") for alert in alerts)
    assert calls == "Qui appelle : le cabinet ; la personne se joint par un proche."
    assert safe == (
        "Précautions : ne laissez pas de message ; un SMS peut être envoyé ; peut répondre : sa fille ; "
        "langue au téléphone : arabe."
    )
    assert interpreter.startswith("Interprète nécessaire (arabe) : prévoyez-le dès la prise de rendez-vous")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"phone": "06 39 98 12 34"}, "le cabinet appelle la personne"),
        ({"phone": "06 39 98 12 34", "reach_via": "patient"}, "le cabinet appelle la personne"),
        ({"reach_via": "tutor"}, "par le tuteur ou la tutrice"),
        ({}, "par la CPTS"),
    ],
)
def test_a_person_without_a_phone_is_reached_through_somebody(record: dict[str, Any], told: str) -> None:
    assert told in documents.lay_out(record, released_on=AT.date(), **NAMES)["alerts"][0]


def test_a_sheet_to_carry_has_a_cover_and_says_that_the_person_calls() -> None:
    carried = said(RECORD, kind=ReleaseKind.PAPER)
    assert "À donner à votre médecin, Dr Azalée Bruyère" in carried
    assert "la personne prend rendez-vous" in carried
    assert "À donner à" not in said(RECORD)


def test_what_the_doctor_proposed_is_repeated_to_him() -> None:
    terms = Terms(from_=date(2026, 12, 1), where=Where.VISITS, count=2, once=True)
    text = said(RECORD, terms=terms)
    for phrase in ("Ce que vous avez proposé", "1er décembre 2026", "en visite à domicile", "pour dépanner"):
        assert phrase in text
    assert "Ce que vous avez proposé" not in said(RECORD, terms=Terms())


@pytest.mark.parametrize(
    ("birth", "told"),
    [("1958", "1958 (67 ans)"), ("2025-11", "novembre 2025 (0 an)"), ("vers 1960", "vers 1960")],
)
def test_an_approximate_birth_date_is_said_as_it_was_given(birth: str, told: str) -> None:
    assert told in said({"birth_date": birth})


def test_an_almost_empty_record_is_still_a_document() -> None:
    assert "Nom non communiqué" in said({})
    assert "\nSanté\n" not in said({})


def test_nothing_typed_into_a_record_is_read_as_markup() -> None:
    attack = (
        '#set page(fill: red) #panic("x") #read("/etc/passwd") *gras* _it_ $x^2$ @ref <l> `c` = titre '
        '"] #sys.inputs // https://evil.example /* -- --- ... ~ \\u{41}'
    )
    sober = render({"difficulty": "rien"})
    for field in ("difficulty", "birth_name", "social", "treatments", "care_needed"):
        pdf = render({field: attack})
        text = " ".join(words(pdf)).replace("\n", " ")
        assert re.sub(r"\s", "", attack.upper()) in re.sub(r"\s", "", text.upper())
        assert b"/URI" not in pdf
        assert pdf.count(b"/Type/Page/") == sober.count(b"/Type/Page/") == 1
    record = {
        "referring": {"name": attack},
        "household": [{"relation": attack}],
        "attachments": [{"name": attack}],
    }
    assert render(record).startswith(b"%PDF")


def test_a_script_that_the_font_has_not_costs_the_standard_and_not_the_document() -> None:
    pdf = render({"birth_name": "漢字", "first_names": "مرحبا"})
    assert pdf.startswith(b"%PDF")
    assert b"pdfaid:part" not in pdf


@settings(max_examples=25, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "birth_name": st.text(max_size=40),
            "difficulty": st.text(max_size=400),
            "treatments": st.lists(st.text(max_size=20), max_size=3),
            "contact": st.text(max_size=30)
            | st.dictionaries(st.sampled_from(["name", "phone"]), st.text(max_size=9)),
            "birth_date": st.text(max_size=10),
        },
    )
)
def test_any_text_at_all_gives_a_pdf(record: dict[str, Any]) -> None:
    assert render(record).startswith(b"%PDF")


async def test_it_is_made_beside_the_event_loop_too() -> None:
    pdf = await documents.record_pdf(RECORD, at=AT, **NAMES)
    assert pdf == render(RECORD)
