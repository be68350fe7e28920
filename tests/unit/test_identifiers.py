"""Numbers are read and never refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.records.identifiers import NirKind, national_rpps, read_nir, read_phone, rpps_warnings


@pytest.mark.parametrize(
    "text",
    [
        "284058832102532",
        "284052A32102552",
        "284052B32102579",
        "255081416802538",
        "2 84 05 88 321 025 32",
        "284052a32102552",
    ],
)
def test_a_number_with_its_key_holds_in_corsica_too(text: str) -> None:
    number = read_nir(text)
    assert (number.kind, number.key_ok, number.odd) == (NirKind.NIR, True, False)


def test_a_wrong_key_is_odd_and_a_missing_one_is_not() -> None:
    assert read_nir("284058832102533").odd
    bare = read_nir("2840588321025")
    assert (bare.kind, bare.key_ok, bare.odd) == (NirKind.NIR, None, False)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (None, NirKind.NONE),
        ("", NirKind.NONE),
        (" - ", NirKind.NONE),
        ("1840599123456", NirKind.NIR),
        ("3840588321025", NirKind.NIA),
        ("4840588321025", NirKind.NIA),
        ("7840588321025", NirKind.NIA),
        ("7112345678901", NirKind.NNP),
        ("8212345678901", NirKind.NNP),
        ("5112345678901", NirKind.MIG),
        ("6212345678901", NirKind.MIG),
        ("5840588321025", NirKind.OTHER),
        ("2841388321025", NirKind.OTHER),
        ("2842088321025", NirKind.NIR),
        ("12345", NirKind.OTHER),
        ("pas encore", NirKind.OTHER),
    ],
)
def test_every_number_has_a_kind(text: str | None, kind: NirKind) -> None:
    assert read_nir(text).kind is kind


@given(st.text(max_size=20))
def test_no_number_makes_it_fail(text: str) -> None:
    assert read_nir(text).kind in NirKind
    assert read_phone(text).odd in (True, False)
    assert len(rpps_warnings(text)) <= 1


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("06 39 98 01 02", "+33639980102"),
        ("0033 6 39 98 01 02", "+33639980102"),
        ("+33 (0)6 39 98 01 02", "+33639980102"),
        ("01.99.00.12.34", "+33199001234"),
        ("0692 12 34 56", "+262692123456"),
        ("0590 12 34 56", "+590590123456"),
        ("+213 551 23 45 67", "+213551234567"),
        ("12", None),
        ("appeler la voisine", None),
        ("", None),
    ],
)
def test_a_telephone_has_one_written_form(text: str, written: str | None) -> None:
    assert read_phone(text).e164 == written
    assert read_phone(text).odd is (written is None)


def test_a_doctors_number_of_another_length_is_warned_about() -> None:
    assert rpps_warnings("123") == ("rpps_length",)
    assert rpps_warnings("") == ("rpps_length",)


def test_the_national_identifier_holds_the_rpps() -> None:
    assert national_rpps("8 10003456786") == "10003456786"
    assert national_rpps("10003456786") == "10003456786"


@given(st.integers(0, 10**10 - 1))
def test_exactly_one_last_digit_makes_a_key_hold(number: int) -> None:
    warned = [rpps_warnings(f"{number:010d}{digit}") for digit in range(10)]
    assert warned.count(()) == 1
    assert warned.count(("rpps_key",)) == 9
